"""`deep_mlp` and `resnet_mlp`: torch's modules at the same parameters, their draws, shards and statistics."""

from typing import Any

import numpy as np
import pytest
import torch

import gradmark
from gradmark import passes
from gradmark.arrays import Arrays, installed, to_numpy
from gradmark.errors import UsageError
from gradmark.measuring.flops import pullback_flops
from gradmark.run.case_detail import of_problem
from gradmark.structure import all_in_place, rows_are_coupled
from tests.problems.numeric import complex_step
from tests.problems.test_population import MEMBERS, assert_population_is_the_loop, loop, members

BATCH = 6
SMALL: dict[str, Any] = {"width": 4, "data": "synthetic", "inputs": 5, "outputs": 3, "batch": BATCH}
DEEP: dict[str, Any] = {**SMALL, "depth": 2}
RESNET: dict[str, Any] = {**SMALL, "blocks": 2}
PROBLEMS: dict[str, tuple[str, dict[str, Any]]] = {
    "deep": ("deep_mlp", {**DEEP, "dropout": 0.3}),
    "deep, batch": ("deep_mlp", {**DEEP, "normalisation": "batch"}),
    "deep, batch frozen": ("deep_mlp", {**DEEP, "normalisation": "batch", "frozen": True}),
    "deep, layer": ("deep_mlp", {**DEEP, "normalisation": "layer", "activation": "silu", "loss": "mse"}),
    "deep, layer frozen": ("deep_mlp", {**DEEP, "normalisation": "layer", "frozen": True}),
    "resnet, one matrix": ("resnet_mlp", {**RESNET, "matrices": 1, "normalisation": "layer"}),
    "resnet, two matrices": ("resnet_mlp", {**RESNET, "normalisation": "batch", "dropout": 0.3}),
    "resnet, frozen": ("resnet_mlp", {**RESNET, "normalisation": "batch", "frozen": True}),
}
every_problem = pytest.mark.parametrize("name", PROBLEMS)
# Three layers of five units and six rows, each with a normalisation that adds up rows or units four times.
ROUNDINGS = 3 * (5 + 4 * 6 + 16)


def built(name: str, **place: Any) -> Any:
    factory, sizes = PROBLEMS[name]
    return gradmark.get_problem(factory, **{**sizes, **place})


def gradient(problem: Any, draw: Any = None) -> dict[str, Any]:
    draw = draw or problem.default_draw
    trace = passes.forward(problem, problem.parameters, draw)
    return passes.pullback(problem, problem.parameters, draw, trace)


def moved_off(problem: Any) -> dict[str, Any]:
    """Parameters at which scales are not one and shifts not zero."""
    random = np.random.default_rng(2)
    return {
        name: problem.arrays.array(to_numpy(array) + 0.3 * random.standard_normal(array.shape))
        for name, array in problem.parameters.items()
    }


def hidden(fan_in: int, normalisation: str) -> list[torch.nn.Module]:
    norms = {"none": [], "batch": [torch.nn.BatchNorm1d(4, momentum=1.0)], "layer": [torch.nn.LayerNorm(4)]}
    return [torch.nn.Linear(fan_in, 4, bias=normalisation != "batch"), *norms[normalisation], torch.nn.Tanh()]


class Block(torch.nn.Sequential):
    def forward(self, x: Any) -> Any:
        return x + 0.5 * super().forward(x)


def modules(name: str, normalisation: str) -> Any:
    """The network made of torch's own modules, under the same names."""
    if name == "deep_mlp":
        layers = [*hidden(5, normalisation), *hidden(4, normalisation), torch.nn.Linear(4, 3)]
    else:
        blocks = [Block(*hidden(4, normalisation), torch.nn.Linear(4, 4)) for _ in range(2)]
        layers = [torch.nn.Linear(5, 4), *blocks, torch.nn.Linear(4, 3)]
    return torch.nn.ModuleDict({"layers": torch.nn.Sequential(*layers)}).double()


def loaded(name: str, problem: Any, at: Any, normalisation: str) -> Any:
    """torch's network at the parameters `at`, with the problem's own statistics as running ones."""
    net = modules(name, normalisation)
    net.load_state_dict(problem.parameters, strict=False)
    net["layers"](problem.default_draw.arrays["inputs"])
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_var *= (BATCH - 1) / BATCH  # torch keeps the unbiased one
    missing = net.load_state_dict(at, strict=False)
    assert not missing.unexpected_keys
    assert all("running" in key or "tracked" in key for key in missing.missing_keys)
    return net


@pytest.mark.parametrize("name", ["deep_mlp", "resnet_mlp"])
@pytest.mark.parametrize(
    ("normalisation", "frozen"), [("none", False), ("layer", False), ("batch", False), ("batch", True)]
)
def test_a_network_is_torch_s_own_modules_under_the_same_names(
    name: str, normalisation: str, frozen: bool
) -> None:
    sizes = {**(DEEP if name == "deep_mlp" else RESNET), "normalisation": normalisation, "frozen": frozen}
    problem = gradmark.get_problem(name, **sizes, backend="torch")
    at = moved_off(problem)
    net = loaded(name, problem, at, normalisation).train(not frozen)
    x, targets = problem.default_draw.arrays["inputs"], problem.default_draw.arrays["targets"]
    value = torch.nn.functional.cross_entropy(net["layers"](x), targets)
    value.backward()
    assert problem.loss(at).item() == pytest.approx(
        value.item(), rel=ROUNDINGS * problem.arrays.epsilon, abs=0
    )
    slack = ROUNDINGS * problem.arrays.epsilon
    trace = passes.forward(problem, at, problem.default_draw)
    found = passes.pullback(problem, at, problem.default_draw, trace)
    for key, parameter in net.named_parameters():
        np.testing.assert_allclose(found[key], parameter.grad, rtol=slack, atol=slack, err_msg=key)


@every_problem
@pytest.mark.parametrize("opening", [(), ("inputs",), ("nodes",)], ids=str)
def test_opened_or_not_the_gradient_is_the_complex_step_s(name: str, opening: tuple[Any, ...]) -> None:
    closed = built(name, dtype="longdouble")
    problem = closed
    for what in opening:
        problem = problem.opened(what)
        assert set(problem.parameters) > set(closed.parameters)
    assert problem.loss(problem.parameters) == closed.loss(closed.parameters)
    random, found = np.random.default_rng(0), gradient(problem)
    for key, at in problem.parameters.items():
        direction = {other: np.zeros_like(array) for other, array in problem.parameters.items()}
        direction[key] = random.standard_normal(at.shape).astype(at.dtype)
        wanted = complex_step(problem.loss, problem.parameters, direction)
        terms = np.sum(np.abs(found[key] * direction[key])) + np.abs(closed.loss(closed.parameters))
        assert abs(np.sum(found[key] * direction[key]) - wanted) <= ROUNDINGS * problem.arrays.epsilon * terms


def test_the_nodes_inside_of_residual_blocks_are_opened_too() -> None:
    opened = built("resnet, two matrices").opened("nodes")
    offsets = [name for name in opened.parameters if name.endswith("offset")]
    inside = [f"layers.{block}.nodes.{matrix}.offset" for block in (1, 2) for matrix in (0, 4)]
    assert offsets == ["nodes.0.offset", *inside, "nodes.3.offset"]
    assert all(opened.parameters[name].shape == (BATCH, 4) for name in offsets[:-1])


def test_the_depth_of_a_case_counts_the_matrices_inside_of_blocks() -> None:
    assert of_problem(built("resnet, two matrices"))["depth"] == 1 + 2 * 2 + 1
    assert of_problem(built("deep"))["depth"] == 3


def test_operations_are_those_of_the_matrix_products() -> None:
    problem = built("resnet, two matrices")
    square, ends = 2 * BATCH * 4 * 4, (2 * BATCH * 5 * 4, 2 * BATCH * 4 * 3)
    assert problem.flops == 4 * square + sum(ends)
    assert pullback_flops(problem) == 2 * problem.flops - ends[0]


@every_problem
def test_any_parameters_may_carry_the_axis_of_a_population(name: str, everywhere: Arrays) -> None:
    problem = built(name, backend=everywhere.backend, device=everywhere.device)
    names = tuple(problem.parameters)
    # Subsets on NumPy and torch alone: elsewhere every operation is checked or compiled on its way.
    subsets = (names[1:2], names[-3:]) if everywhere.backend in ("numpy", "torch") else ()
    for moving in (names, *subsets):
        assert_population_is_the_loop(problem, moving, 16 * ROUNDINGS)


@every_problem
def test_the_numbers_survive_a_move_and_so_do_frozen_statistics(name: str, everywhere: Arrays) -> None:
    start = built(name)
    there = start.to(backend=everywhere.backend, device=everywhere.device)
    slack = ROUNDINGS * start.arrays.epsilon
    # Away from where the statistics were measured, where others than theirs would show.
    at, elsewhere = moved_off(start), moved_off(there)
    draw = there.draw(3)
    value = float(start.loss(at, start.draw(3)))
    assert float(there.loss(elsewhere, draw)) == pytest.approx(value, rel=slack, abs=0)
    assert float(there.plain_forward()(elsewhere, draw)) == pytest.approx(value, rel=slack, abs=0)
    back = there.to(backend="numpy", device="cpu", dtype="longdouble")
    assert float(back.loss(moved_off(back), back.draw(3))) == pytest.approx(value, rel=slack, abs=0)


def test_only_a_network_whose_layers_can_all_do_it_works_in_place() -> None:
    plain = gradmark.get_problem("deep_mlp", **DEEP)
    assert all_in_place(plain.layers, plain.criterion)
    for name in PROBLEMS:
        assert not all_in_place(built(name).layers, built(name).criterion)


@pytest.mark.parametrize("name", ["deep_mlp", "resnet_mlp"])
def test_frozen_batch_statistics_change_the_derivative_and_not_the_loss(name: str) -> None:
    sizes = {**(DEEP if name == "deep_mlp" else RESNET), "normalisation": "batch"}
    training, frozen = (gradmark.get_problem(name, **sizes, frozen=each) for each in (False, True))
    slack = ROUNDINGS * training.arrays.epsilon
    assert frozen.loss(frozen.parameters) == pytest.approx(training.loss(training.parameters), rel=slack)
    one, other = gradient(training), gradient(frozen)
    assert list(one) == list(other)
    first = "layers.0.weight"
    assert np.linalg.norm(one[first] - other[first]) > 0.01 * np.linalg.norm(one[first])


@pytest.mark.parametrize(
    ("name", "where"),
    [("deep, batch", "layers.1"), ("resnet, two matrices", "layers.1.1")]
    + [(name, None) for name in PROBLEMS if "frozen" in name or "layer" in name],
)
def test_batch_statistics_couple_the_rows_and_shards_know_it(name: str, where: str | None) -> None:
    problem = built(name)
    assert rows_are_coupled(problem.layers) == where
    draw = problem.default_draw
    parts = [gradient(problem, draw.rows(0, 2)), gradient(problem, draw.rows(2, BATCH))]
    for key, whole in gradient(problem).items():
        mean = (2 * parts[0][key] + (BATCH - 2) * parts[1][key]) / BATCH
        apart = np.linalg.norm(mean - whole)
        if where is None:
            assert apart <= ROUNDINGS * problem.arrays.epsilon * (1 + np.linalg.norm(whole))
        elif key.startswith(f"{where}."):
            assert apart > 0.01 * np.linalg.norm(whole)


@pytest.mark.parametrize("name", ["deep, batch", "resnet, two matrices"])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_one_row_is_refused_by_batch_statistics_with_the_reason(name: str, backend: str) -> None:
    problem = built(name, backend=backend)
    with pytest.raises(UsageError, match=r"batch of one row.* does not depend on the input"):
        problem.loss(problem.parameters, problem.default_draw.rows(0, 1))
    with pytest.raises(UsageError, match=r"_mlp: batch normalisation cannot take a batch of one row"):
        built(name, backend=backend, batch=1)


def test_frozen_statistics_take_one_row() -> None:
    problem = built("deep, batch frozen")
    assert np.isfinite(problem.loss(problem.parameters, problem.default_draw.rows(0, 1)))


def test_masks_come_with_the_draw_one_for_each_layer() -> None:
    problem = gradmark.get_problem("deep_mlp", **{**DEEP, "width": 50, "batch": 40, "dropout": 0.3})
    draw, again, other = problem.draw(1), problem.draw(1), problem.draw(2)
    masks = {name: array for name, array in draw.arrays.items() if name.startswith("masks")}
    assert [array.shape for array in masks.values()] == [(40, 50)] * 2
    assert not np.array_equal(*masks.values())
    for name, mask in masks.items():
        assert set(np.unique(mask)) == {0.0, 1 / 0.7}
        np.testing.assert_array_equal(again.arrays[name], mask)
        assert not np.array_equal(other.arrays[name], mask)
        np.testing.assert_array_equal(draw.rows(3, 9).arrays[name], mask[3:9])
        # 2000 independent numbers of mean 1 and variance 0.3 / 0.7: six standard deviations.
        assert abs(np.mean(mask) - 1) < 6 * (0.3 / 0.7 / mask.size) ** 0.5
    assert problem.loss(problem.parameters, draw) == problem.loss(problem.parameters, again)
    assert problem.loss(problem.parameters, draw) != problem.loss(problem.parameters, other)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@every_problem
def test_narrow_numbers_stay_narrow_and_the_gradient_is_right_to_their_digits(name: str, dtype: str) -> None:
    problem = built(name, backend="torch", dtype=dtype)
    found, exact = gradient(problem), gradient(problem.to(dtype="float64"))
    size = sum(float(torch.sum(array**2)) for array in exact.values()) ** 0.5
    for key, array in found.items():
        assert array.dtype == problem.arrays.dtype_object
        error = float(torch.linalg.vector_norm(array.double() - exact[key]))
        # Some 40 roundings on the way of each number, independent ones: their root, and four deviations.
        assert error <= 4 * 40**0.5 * problem.arrays.epsilon * size


@pytest.mark.skipif(not installed("jax"), reason="jax is not installed here")
@every_problem
def test_a_population_is_traced_by_jax(name: str) -> None:
    import jax

    problem = built(name, backend="jax")
    moved = members(problem, tuple(problem.parameters))
    traced = jax.jit(problem.loss)(moved)
    assert traced.shape == (MEMBERS,)
    np.testing.assert_allclose(traced, loop(problem, moved), rtol=16 * ROUNDINGS * problem.arrays.epsilon)


METHODS = {
    "backprop": {"backend": "numpy"},
    "tangent": {"backend": "numpy", "dtype": "float32"},
    "central_difference": {"backend": "numpy"},
    "complex_step": {"backend": "numpy", "dtype": "longdouble"},
    "autograd": {"backend": "torch", "dtype": "float32"},
}


@pytest.mark.parametrize("method", METHODS)
def test_the_judge_finds_methods_correct_on_them(method: str) -> None:
    names = ("deep, batch", "deep, layer", "resnet, two matrices")
    problems = [built(name, **METHODS[method], batch=4) for name in names]
    report = gradmark.validate(method, problems=problems)
    assert report.verdict == "correct", report.reason
