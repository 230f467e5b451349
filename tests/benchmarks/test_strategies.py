"""Evolution strategies in the speed tables: what stands beside them is right, and limits are told by name."""

import numpy as np
import pytest

import gradmark
from benchmarks.speed import by_hand, evolution, scales
from benchmarks.speed.estimated import Found, Way
from gradmark.arrays import installed
from gradmark.measuring.interval import Interval
from gradmark.measuring.time import Timing
from tests.methods.cases import flat


@pytest.mark.parametrize("make", [by_hand.vmapped, by_hand.looped, by_hand.replayed])
def test_what_people_write_in_torch_has_the_error_of_mirrored_gaussian_moves(make: object) -> None:
    """|g_hat - g|^2 is (P + 1) |g|^2 / M in the mean; half of that is five deviations away."""
    problem = gradmark.get_problem(
        "mlp", widths=(4, 6, 1), data="synthetic", loss="mse", batch=5, backend="torch", dtype="float32"
    )
    assert float(by_hand.loss_of(problem)(problem.parameters)) == pytest.approx(
        float(problem.loss(problem.parameters))
    )
    g = flat(gradmark.get_method("backprop").prepare(problem)(problem.parameters).gradient)
    errors = []
    for seed in range(5):
        found = flat(make(problem, 100, 0.01)(seed))  # type: ignore[operator]
        errors.append(np.sum((found - g) ** 2) / (g @ g))
    law = (g.size + 1) / 100
    assert law / 2 < np.mean(errors) < 2 * law


@pytest.mark.skipif(not installed("evosax"), reason="evosax is not installed here")
def test_the_scale_of_a_peer_is_that_of_its_formula() -> None:
    """GuidedES adds up its pairs. Five standard errors: a false alarm in a million."""
    from evosax.algorithms import GuidedES

    formula = 32 * (0.5 / scales.SIZE + 0.5 * float(scales.gradient()[0]) ** 2)
    along = scales._evosax_steps(GuidedES, {}, 1_000)
    found = scales._scale("GuidedES", along, formula, "")
    assert abs(found.mean - formula) < 5 * found.error < 0.1
    assert found.off < -100


def test_each_limit_is_told_for_what_was_measured_and_for_nothing_else() -> None:
    def found(name: str, seconds: float, held: float = 1.0) -> Found:
        way = Way(name, name.split()[-1], lambda problem: lambda seed: {}, 256)
        return Found(way, _timing(seconds), Interval(0.43, 0.42, 0.44), 1e-4, held)

    names = {"low_rank_es numpy": 1.0, "spsa torch": 8.0, "mezo torch": 6.0, "MeZO's loop": 30.0}
    cell = {name: found(name, seconds) for name, seconds in names.items()}
    plain = {f"inference {backend}": _timing(4.0) for backend in ("numpy", "torch")}
    assert evolution.fastest(cell) == "low_rank_es numpy"
    few = {bound.what: bound.verdict for bound in evolution.limits("1e5", cell, plain)}
    assert sorted(few.values()) == ["MISSED", "met", "met"]
    assert few["P = 1e5: mezo torch in times of plain inference on torch"] == "MISSED"
    cell["evosax_open_es jax"] = found("evosax_open_es jax", 21.0, held=30.0)
    more = {bound.what: bound.verdict for bound in evolution.limits("1e5", cell, plain)}
    assert more["P = 1e5: times as fast as evosax_open_es jax"] == "met"
    assert more["evosax's peak memory by that of low_rank_es numpy"] == "MISSED"


def _timing(seconds: float) -> Timing:
    return Timing((seconds,) * 6, 1, seconds)
