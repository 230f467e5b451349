"""The gradient by several processes against that by one: rows and layers shared out in every way."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, to_numpy
from gradmark.claims import Biased
from gradmark.problem import at_draw
from methods.reverse.parallel.data_parallel_backprop import DataParallelBackprop
from methods.reverse.parallel.parcel import reason_against
from methods.reverse.parallel.pipeline_backprop import PipelineBackprop
from methods.reverse.parallel.splitting import spans
from methods.reverse.parallel.timing import seconds_by_phase
from problems.layers.dense import Dense
from tests.methods.cases import (
    CASES,
    ROWS,
    assert_like,
    flat,
    reference,
    relative_error,
    rounding,
)

BOTH: dict[str, Any] = {"rows": DataParallelBackprop(), "layers": PipelineBackprop(micro_batches=3)}
BOTH_LOCAL = {name: replace(method, local_statistics=True) for name, method in BOTH.items()}
both = pytest.mark.parametrize("method", BOTH.values(), ids=BOTH.keys())
PLACES = [("numpy", "float64"), ("numpy", "float32"), ("torch", "float64"), ("torch", "bfloat16")]
# Each has something of its own: masks with the rows, positions that are rows, several layers in one.
NETWORKS: dict[str, dict[str, Any]] = {
    "deep_mlp": {"dropout": 0.3, "width": 8, "depth": 3, "batch": 7},
    "resnet_mlp": {"normalisation": "layer", "width": 8, "blocks": 2, "batch": 7},
    "convnet": {"channels": (2, 3), "batch": 5},
    "transformer": {"width": 8, "blocks": 1, "positions": 6, "batch": 5},
}


def by_one(problem: Any) -> dict[str, Any]:
    """The gradient by backprop."""
    found = gradmark.get_method("backprop").prepare(problem)(problem.parameters).gradient
    return {name: np.array(to_numpy(array)) for name, array in found.items()}


@both
@pytest.mark.parametrize(("backend", "dtype"), PLACES)
@pytest.mark.parametrize("rows", [ROWS, 2, 1])
def test_all_rows_count_alike_in_whatever_parts_they_are(
    method: Any, backend: str, dtype: str, rows: int
) -> None:
    """Seven rows over two workers are four and three; one row leaves a worker without any."""
    problem = CASES["mlp tanh cross_entropy"](Arrays(backend, "cpu", dtype))
    draw = problem.default_draw.rows(0, rows)
    there = at_draw(problem, draw)
    estimate = method.prepare(problem)(problem.parameters, draw=draw)
    assert_like(estimate.gradient, problem.parameters)
    assert relative_error(estimate.gradient, reference(there)) <= rounding(dtype)
    exact = there.to(backend="numpy", dtype="float64")
    loss = float(exact.loss(exact.parameters))
    assert float(estimate.value) == pytest.approx(loss, rel=rounding(dtype))


def test_the_mean_of_unequal_shards_without_weights_is_another_gradient() -> None:
    problem = CASES["mlp tanh cross_entropy"](Arrays())
    shards = [
        by_one(at_draw(problem, problem.default_draw.rows(start, stop))) for start, stop in spans(ROWS, 2)
    ]
    naive = {name: sum(shard[name] for shard in shards) / 2 for name in shards[0]}
    assert relative_error(naive, reference(problem)) > 0.01
    plain = DataParallelBackprop(weighted=False)
    assert relative_error(plain.prepare(problem)(problem.parameters).gradient, naive) <= rounding("float64")
    assert isinstance(plain.claims.exactness, Biased)


@both
@pytest.mark.parametrize("name", NETWORKS)
def test_every_kind_of_network_has_the_gradient_of_one_worker(method: Any, name: str) -> None:
    problem: Any = gradmark.get_problem(name, **NETWORKS[name])
    prepared = method.prepare(problem)
    exact = by_one(problem)
    # As `rounding`, with no more roundings on the way to a number than there are parameters and rows.
    bound = 2 * np.sqrt(flat(exact).size + problem.batch) * problem.arrays.epsilon
    assert relative_error(prepared(problem.parameters).gradient, exact) <= bound
    other = problem.draw(5)
    assert (
        relative_error(prepared(problem.parameters, draw=other).gradient, by_one(at_draw(problem, other)))
        <= bound
    )


def test_a_linear_model_of_small_integers_comes_out_to_the_bit() -> None:
    """All sums and halves are numbers of float64, so that nothing is rounded in whatever order."""
    problem = gradmark.get_problem("mlp", data="synthetic", widths=(4, 3), loss="mse", batch=8)
    random = np.random.default_rng(0)
    whole = {name: random.integers(-9, 9, array.shape) * 1.0 for name, array in problem.parameters.items()}
    x, t = random.integers(-9, 9, (8, 4)) * 1.0, random.integers(-9, 9, (8, 3)) * 1.0
    draw = replace(problem.default_draw, arrays={"inputs": x, "targets": t})
    found = DataParallelBackprop().prepare(problem)(whole, draw=draw).gradient
    residual = x @ whole["layers.0.weight"].T + whole["layers.0.bias"] - t
    assert np.array_equal(found["layers.0.weight"], residual.T @ x / 8)
    assert np.array_equal(found["layers.0.bias"], residual.sum(0) / 8)


@pytest.mark.parametrize("name", BOTH)
def test_layers_that_couple_rows_are_refused_and_parts_of_their_own_are_another_gradient(name: str) -> None:
    problem = gradmark.get_problem("deep_mlp", normalisation="batch", width=8, depth=2, batch=8)
    reason = BOTH[name].supports(problem)
    assert reason is not None and reason.startswith("layers.1 couples the rows")
    assert "local_statistics=True" in reason
    local = replace(BOTH_LOCAL[name], micro_batches=2) if name == "layers" else BOTH_LOCAL[name]
    claimed = local.claims
    assert isinstance(claimed.exactness, Biased) and not claimed.stochastic
    found = local.prepare(problem)(problem.parameters).gradient
    halves = [by_one(at_draw(problem, problem.default_draw.rows(start, start + 4))) for start in (0, 4)]
    mean = {each: (halves[0][each] + halves[1][each]) / 2 for each in halves[0]}
    assert relative_error(found, mean) <= 1e-12
    assert relative_error(found, by_one(problem)) > 0.1


def refused() -> dict[str, tuple[Any, str]]:
    """Problems that cannot be taken, and why."""
    problem: Any = CASES["mlp tanh mse"](Arrays())
    cases = {
        "function": (CASES["rosenbrock"](Arrays()), "rosenbrock has no layers"),
        "opened": (problem.opened("inputs"), "its opened inputs are parameters of single rows"),
        "longdouble": (problem.to(dtype="longdouble"), "add real numbers of torch, which longdouble is not"),
        "meta": (problem.to(backend="torch").to(device="meta"), "no numbers to send"),
        "local class": (_with_a_local_class(problem), "its layers cannot be sent to another process"),
    }
    for backend in ("jax", "array_api_strict"):
        if gradmark.arrays.installed(backend):
            cases[backend] = (problem.to(backend=backend), backend)
    return cases


def _with_a_local_class(problem: Any) -> Any:
    @dataclass(frozen=True)
    class Local(Dense):
        """No other process can find it."""

    first = problem.layers[0]
    return replace(problem, layers=(replace(first, layer=Local(3, 5, problem.arrays)), *problem.layers[1:]))


@both
def test_what_cannot_be_shared_out_is_refused_with_the_reason(method: Any) -> None:
    for problem, reason in refused().values():
        said = method.supports(problem)
        assert said is not None and reason in said
        with pytest.raises(gradmark.UsageError, match=type(method).__name__):
            method.prepare(problem)


def test_there_are_no_more_stages_than_layers() -> None:
    problem = CASES["logistic regression"](Arrays())
    assert PipelineBackprop().supports(problem) == "2 stages need a layer each, and it has 1"
    assert PipelineBackprop(stages=1).supports(problem) is None


def test_what_the_running_script_defines_cannot_be_sent() -> None:
    kind = type("Mine", (), {"__module__": "__main__"})
    reason = reason_against(kind())
    assert reason is not None and reason.startswith("Mine is defined in the script itself")


OWN_FILE = """
from dataclasses import dataclass, replace
import gradmark
from gradmark.layer import NamedLayer


def cut(x):
    return x


@dataclass(frozen=True)
class Passing:
    function: object

    def shapes(self):
        return {}

    def forward(self, p, x, draw):
        return self.function(x), None

    def pullback(self, p, saved, dy, *, input_gradient=True):
        return dy, {}

    def output_shape(self, shape):
        return shape

    def flops(self, rows):
        return 0.0

    pullback_flops = flops


def own():
    problem = gradmark.get_problem("mlp", data="synthetic", widths=(4, 5, 3), batch=7)
    return replace(problem, layers=(*problem.layers, NamedLayer("own", Passing(cut))))
"""


def test_layers_from_a_file_of_ones_own_are_sent_by_their_file(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(OWN_FILE, encoding="utf-8")
    problem = gradmark.get_problem(f"{tmp_path / 'mine.py'}:own")
    assert DataParallelBackprop().supports(problem) is None
    found = DataParallelBackprop().prepare(problem)(problem.parameters).gradient
    assert relative_error(found, by_one(problem)) < rounding("float64")


def test_layers_can_be_sent_after_they_were_used_and_have_cached_modules() -> None:
    problem: Any = CASES["mlp tanh mse"](Arrays("torch"))
    by_one(problem)
    assert reason_against(problem.layers) is None


@both
def test_seconds_are_told_by_phase(method: Any) -> None:
    problem = CASES["mlp tanh mse"](Arrays())
    keeping_workers = method.prepare(problem)
    found = seconds_by_phase({"two": method}, problem, rounds=2)["two"]
    assert set(found) == {"send", "compute", "communicate", "call"}
    assert 0 < found["compute"] + found["communicate"] <= found["call"]
    assert keeping_workers(problem.parameters).value is not None


@pytest.mark.parametrize(
    ("name", "parts"), [("data_parallel_backprop", "workers"), ("pipeline_backprop", "micro_batches")]
)
def test_a_row_alone_has_no_statistics_of_its_own(name: str, parts: str) -> None:
    sizes: Any = {"data": "synthetic", "inputs": 4, "outputs": 3, "width": 5, "depth": 1}
    problem = gradmark.get_problem("deep_mlp", **sizes, normalisation="batch", batch=7)
    for count, alone in ((3, False), (4, True), (7, True), (9, True)):
        reason = gradmark.get_method(name, **{parts: count, "local_statistics": True}).supports(problem)
        assert (reason is not None and "one would be alone" in reason) == alone


BAD: list[tuple[str, str, Any]] = [
    *[("data_parallel_backprop", "workers", value) for value in (0, -1, 1.5, "2", True)],
    *[("data_parallel_backprop", "timeout", value) for value in (0, -1, float("inf"), None)],
    *[("pipeline_backprop", "stages", value) for value in (0, 2.0)],
    *[("pipeline_backprop", "micro_batches", value) for value in (0, None)],
]


@pytest.mark.parametrize(("name", "field", "value"), BAD)
def test_a_field_that_makes_no_sense_is_refused_by_name(name: str, field: str, value: Any) -> None:
    with pytest.raises(gradmark.UsageError, match=f"^{name}: `{field}="):
        gradmark.get_method(name, **{field: value})


def test_a_schedule_that_is_not_known_is_refused_by_name() -> None:
    with pytest.raises(gradmark.UsageError, match="unknown schedule `zero`"):
        gradmark.get_method("pipeline_backprop", schedule="zero")
