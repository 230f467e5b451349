"""Checkpointed backprop, and torch's: the same gradient, in the memory and the passes that they claim."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from torch.utils.flop_counter import FlopCounterMode

import gradmark
from gradmark.arrays import Arrays, to_numpy
from gradmark.errors import UsageError
from gradmark.measuring.memory import peak_bytes
from gradmark.parameters import size
from gradmark.problem import at_draw
from gradmark.work import Work, counting
from methods.reverse.checkpointing.in_place import ALIGNMENT, numbers_allocated
from methods.reverse.checkpointing.steps import steps_of
from methods.reverse.checkpointing.uniform import best_segments, states_held
from tests.engine.test_passes import CHAINS, network
from tests.methods.cases import flat

WIDTHS = {
    "uniform": (8,) * 11,
    "any": (5, 9, 4, 12, 7, 3, 8, 2),
    "one layer": (4, 3),
}
COMPOSITE: dict[str, dict[str, Any]] = {
    "resnet_mlp": {"blocks": 5, "width": 6, "batch": 8, "normalisation": "batch", "dropout": 0.3},
    "deep_mlp": {"depth": 4, "width": 6, "batch": 8, "normalisation": "layer", "dropout": 0.3},
    "reversible_mlp": {"blocks": 5, "width": 6, "batch": 8},
    "transformer": {"batch": 3},
}


def mlp(widths: tuple[int, ...], **more: Any) -> Any:
    return gradmark.get_problem(
        "mlp",
        **{"widths": widths, "data": "synthetic", "batch": 7, "activation": "tanh", "loss": "mse", **more},
    )


def every_plan(steps: int) -> list[dict[str, Any]]:
    segments: list[dict[str, Any]] = [{"segments": number} for number in range(1, steps + 1)]
    states: list[dict[str, Any]] = [
        {"schedule": "revolve", "states": number} for number in range(1, steps + 2)
    ]
    return [{}, {"schedule": "revolve"}, *segments, *states]


def computed(problem: Any, name: str, draw: Any = None, **hyper: Any) -> tuple[Any, float, Work]:
    found = gradmark.get_method(name, **hyper).prepare(problem)(problem.parameters, draw=draw)
    return flat(found.gradient), float(to_numpy(found.value)), found.work


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("widths", WIDTHS)
def test_the_gradient_is_that_of_backprop_to_the_last_bit(
    widths: str, backend: str, dtype: str, fast: bool
) -> None:
    problem = mlp(WIDTHS[widths], backend=backend, dtype=dtype)
    wanted, value, _ = computed(problem, "backprop", fast=fast)
    for hyper in every_plan(len(WIDTHS[widths]) - 1):
        prepared = gradmark.get_method("checkpointed_backprop", fast=fast, **hyper).prepare(problem)
        for _ in range(2):  # the second call finds the buffers of the first
            found = prepared(problem.parameters)
            assert np.array_equal(flat(found.gradient), wanted), hyper
            assert float(to_numpy(found.value)) == value


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("name", COMPOSITE)
def test_layers_made_of_layers_and_masks_are_computed_again_alike(name: str, backend: str) -> None:
    problem = gradmark.get_problem(name, backend=backend, **COMPOSITE[name])
    for draw in (None, problem.draw(5)):
        wanted, value, _ = computed(problem, "backprop", draw)
        for hyper in every_plan(len(steps_of(problem)))[:5]:
            found, loss, _ = computed(problem, "checkpointed_backprop", draw, **hyper)
            assert np.array_equal(found, wanted) and loss == value


@pytest.mark.parametrize("backend", ["numpy", "array_api_strict"])
@pytest.mark.parametrize("chain", CHAINS)
def test_any_chain_of_layers_is_cut_where_it_may_be(chain: str, backend: str) -> None:
    """Layers that share parameters, that come before all parameters, and several activations in a row."""
    pytest.importorskip(backend, reason=f"{backend} is not installed here")
    problem = network(chain, Arrays(backend))
    for fast in (True, False):
        wanted, _, _ = computed(problem, "backprop", fast=fast)
        for hyper in every_plan(len(steps_of(problem))):
            assert np.array_equal(computed(problem, "checkpointed_backprop", fast=fast, **hyper)[0], wanted)


@pytest.mark.parametrize("name", COMPOSITE)
def test_torch_checkpoint_has_the_gradient_of_autograd_with_any_number_of_segments(name: str) -> None:
    problem = gradmark.get_problem(name, backend="torch", **COMPOSITE[name])
    wanted, value, _ = computed(problem, "autograd")
    for segments in range(1, len(steps_of(problem)) + 1):
        found, loss, _ = computed(problem, "torch_checkpoint", segments=segments)
        assert np.array_equal(found, wanted) and loss == value


@pytest.mark.parametrize(("backend", "fast"), [("numpy", True), ("numpy", False), ("torch", True)])
def test_a_draw_of_other_rows_is_used_and_counted_by_its_rows(backend: str, fast: bool) -> None:
    problem = mlp(WIDTHS["any"], backend=backend)
    usual, _, whole = computed(problem, "checkpointed_backprop", fast=fast)
    prepared = gradmark.get_method("checkpointed_backprop", fast=fast).prepare(problem)
    for draw in (problem.default_draw.rows(2, 5), problem.default_draw, problem.default_draw.rows(0, 1)):
        found = prepared(problem.parameters, draw=draw)
        wanted, _, _ = computed(at_draw(problem, draw), "backprop", fast=fast)
        assert np.array_equal(flat(found.gradient), wanted)
        assert found.work.forward == pytest.approx(whole.forward * draw.count / 7)
    assert np.array_equal(flat(prepared(problem.parameters).gradient), usual)


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("widths", WIDTHS)
def test_the_passes_made_are_those_claimed_and_those_that_torch_counts(widths: str, fast: bool) -> None:
    problem = mlp(WIDTHS[widths], backend="torch")
    first = problem.layers[0].layer.flops(7)
    for hyper in every_plan(len(WIDTHS[widths]) - 1):
        method = gradmark.get_method("checkpointed_backprop", fast=fast, **hyper)
        prepared = method.prepare(problem)
        with FlopCounterMode(display=False) as flops, counting() as counted:
            work = prepared(problem.parameters).work
        assert work == method.claims.work(problem) == counted.total()
        products = (work.forward + 2) * problem.flops - first
        # A bias gradient is a product with ones in buffers: one vector product for each layer.
        beside = 2 * 7 * sum(WIDTHS[widths][1:]) if fast else 0
        assert products - 1 <= flops.get_total_flops() <= products + beside + 1


def test_torch_runs_again_what_torch_checkpoint_claims() -> None:
    for name, sizes in {"mlp": {"widths": (6,) * 8}, **COMPOSITE}.items():
        sizes = {"data": "synthetic", "batch": 8, **sizes} if name == "mlp" else sizes
        problem: Any = gradmark.get_problem(name, backend="torch", **sizes)
        for segments in (1, 2, 3):
            method = gradmark.get_method("torch_checkpoint", segments=segments)
            assert method.prepare(problem)(problem.parameters).work.forward == pytest.approx(
                method.claims.work(problem).forward, rel=1e-12
            )
            if name != "mlp":
                continue
            with FlopCounterMode(display=False) as flops:
                method.prepare(problem)(problem.parameters)
            products = (method.claims.work(problem).forward + 2) * problem.flops
            assert flops.get_total_flops() == pytest.approx(products - problem.layers[0].layer.flops(8))


@pytest.mark.parametrize("widths", WIDTHS)
def test_all_that_is_allocated_is_the_arena_with_the_gradient_in_it(widths: str) -> None:
    problem = mlp(WIDTHS[widths], batch=700)
    steps = steps_of(problem)
    for hyper in every_plan(len(steps)):
        method: Any = gradmark.get_method("checkpointed_backprop", **hyper)
        tracemalloc.start()
        try:
            prepared = method.prepare(problem)
            traced = tracemalloc.take_snapshot().traces
        finally:
            tracemalloc.stop()
        allocated = sum(trace.size for trace in traced if trace.domain == np.lib.tracemalloc_domain)
        assert allocated == 8 * numbers_allocated(problem, method.plan(steps), steps)
        for array in prepared(problem.parameters).gradient.values():
            assert array.flags.c_contiguous and whole(array).nbytes == allocated
            assert (array.ctypes.data - whole(array).ctypes.data) % ALIGNMENT == 0


def whole(array: Any) -> Any:
    """The array that it is a view of."""
    return array if array.base is None else whole(array.base)


def test_without_segments_the_states_and_two_deltas_are_all_there_is() -> None:
    """At the first step back: all states but the outputs, two deltas, the gradient of a layer."""
    problem = mlp((8,) * 31, batch=16)
    steps = steps_of(problem)
    method: Any = gradmark.get_method("checkpointed_backprop", segments=1)
    assert numbers_allocated(problem, method.plan(steps), steps) == (29 + 2) * 16 * 8 + 8 * 8 + 8


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_the_gradient_for_other_rows_outlives_the_call_and_its_arena(backend: str) -> None:
    problem = mlp(WIDTHS["any"], backend=backend)
    prepared = gradmark.get_method("checkpointed_backprop").prepare(problem)
    found = prepared(problem.parameters, draw=problem.default_draw.rows(2, 5)).gradient
    wanted = flat(found).copy()
    prepared(problem.parameters)
    prepared(problem.parameters, draw=problem.default_draw.rows(0, 3))
    assert np.array_equal(flat(found), wanted) and list(found) == list(problem.parameters)


STATE = 512 * 1024
"""Bytes of one activation below: 2048 rows of 64 float32."""


def narrow(depth: int, backend: str = "numpy") -> Any:
    return mlp((64,) * (depth + 1), batch=2048, dtype="float32", backend=backend)


def peak(problem: Any, name: str, **hyper: Any) -> float:
    """Of preparation and call, the gradient with it; in activations."""
    method = gradmark.get_method(name, **hyper)
    method.prepare(problem)(problem.parameters)

    def make() -> Any:
        prepared = method.prepare(problem)
        return lambda: prepared(problem.parameters)

    return peak_bytes(make, problem.arrays).bytes / STATE


def by_formula(problem: Any, **hyper: Any) -> float:
    """The arena, in activations."""
    method: Any = gradmark.get_method("checkpointed_backprop", **hyper)
    steps = steps_of(problem)
    return 4 * numbers_allocated(problem, method.plan(steps), steps) / STATE


def test_peak_memory_is_the_arena_and_grows_like_the_square_root_of_the_depth() -> None:
    for depth in (16, 64):
        problem = narrow(depth)
        states, found = states_held(depth, best_segments([1] * depth)), by_formula(problem)
        assert states + 1 <= found <= states + 2 + 1  # with a gradient of at most two activations
        assert found <= peak(problem, "checkpointed_backprop") <= found + 1
        # Without buffers a product and what a derivative is made of; the gradient.
        assert states - 1 <= peak(problem, "checkpointed_backprop", fast=False) <= states + 6 + 1 + 2
        assert peak(problem, "backprop") >= depth


def test_revolve_holds_as_many_states_as_it_is_given_at_any_depth() -> None:
    for depth in (16, 48):
        problem, hyper = narrow(depth), {"schedule": "revolve", "states": 4}
        gradient = 4 * size(problem.parameters) / STATE
        # Beside those stored: one that runs ahead, one beside it, two deltas.
        assert by_formula(problem, **hyper) <= 4 + 2 + 2 + gradient
        assert peak(problem, "checkpointed_backprop", **hyper) <= by_formula(problem, **hyper) + 1
        assert peak(problem, "checkpointed_backprop", fast=False, **hyper) <= 4 + 2 + 3 + 1 + gradient


def test_less_memory_is_held_than_by_torch_checkpoint_with_the_same_segments() -> None:
    """And less is run again; with parameters that are nothing beside states, and with as many numbers."""
    for problem in (narrow(24, "torch"), mlp((512,) * 25, batch=512, dtype="float32", backend="torch")):
        for segments in (4, 6):
            ours = peak(problem, "checkpointed_backprop", segments=segments)
            assert ours < peak(problem, "torch_checkpoint", segments=segments)
            work, torchs = (
                gradmark.get_method(name, segments=segments).claims.work(problem)
                for name in ("checkpointed_backprop", "torch_checkpoint")
            )
            assert work.forward < torchs.forward


@pytest.mark.parametrize(
    ("hyper", "message"),
    [
        ({"segments": 0}, "checkpointed_backprop: `segments=0` must be an integer of at least 1"),
        ({"segments": 2.0}, "`segments=2.0` must be an integer of at least 1"),
        ({"schedule": "revolve", "states": 0}, "`states=0` must be an integer of at least 1"),
        ({"schedule": "revolve", "states": True}, "`states=True` must be an integer"),
        ({"schedule": "binomial"}, "unknown schedule `binomial`: known schedules: revolve, uniform"),
        (
            {"states": 3},
            "`states=3` belongs to the schedule revolve: leave it out, or choose schedule=revolve",
        ),
        ({"schedule": "revolve", "segments": 3}, "`segments=3` belongs to the schedule uniform"),
    ],
)
def test_a_hyper_parameter_that_makes_no_sense_is_refused(hyper: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        gradmark.get_method("checkpointed_backprop", **hyper)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["checkpointed_backprop", "torch_checkpoint"])
def test_more_segments_than_steps_are_refused_with_the_reason(name: str) -> None:
    problem = mlp((5, 4, 3), backend="torch")
    assert gradmark.get_method(name, segments=2).supports(problem) is None
    method = gradmark.get_method(name, segments=3)
    assert "`segments=3` are more than its 2 steps" in method.supports(problem)
    with pytest.raises(UsageError, match="cannot do mlp: `segments=3` are more than its 2 steps"):
        method.prepare(problem)
    with pytest.raises(UsageError, match=f"{name}: `segments=0` must be an integer"):
        gradmark.get_method(name, segments=0)


def test_jax_is_refused_because_its_memory_is_not_ours() -> None:
    pytest.importorskip("jax", reason="jax is not installed here")
    for name in ("checkpointed_backprop", "reversible_backprop"):
        reason = gradmark.get_method(name).supports(mlp((5, 4, 3), backend="jax"))
        assert reason == "it runs on numpy, torch, not on the jax backend"
