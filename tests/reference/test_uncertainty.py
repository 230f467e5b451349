"""What a reference says of its own error is true."""

from typing import Any

import numpy as np
import pytest

from gradmark import from_function, get_problem
from gradmark.arrays import epsilon
from gradmark.measuring.norms import norm
from gradmark.reference import best_reference, closed_form, complex_step, differences, point, pullback
from gradmark.reference.point import Point, widest_point
from gradmark.reference.rounding import with_rounding
from tests.reference.truths import TRUTHS, decimals, distance

KINDS = {"closed form": closed_form, "complex step": complex_step, "differences": differences}
CASES = [(name, size, seed) for name in TRUTHS for size in (2, 5, 40) for seed in range(4)]
wider = pytest.mark.skipif(not point.longdouble_is_wider(), reason="longdouble is float64 here")


def widest(name: str, **sizes: Any) -> Point:
    return widest_point(get_problem(name, **sizes), None, None)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "size", "seed"), CASES)
def test_the_error_is_within_the_stated_uncertainty(
    name: str, size: int, seed: int, kind: str, dtype: str
) -> None:
    at = widest(name, size=size, seed=seed, dtype=dtype)
    found = KINDS[kind].estimate(at)
    truth = TRUTHS[name](decimals(at.numbers["x"]))
    assert distance(found.gradient["x"], truth) <= found.uncertainty["x"]


def test_the_uncertainty_of_few_numbers_is_not_left_to_luck() -> None:
    """Two numbers may happen to round well just in the arithmetic that their rounding is measured in."""
    for seed in range(300):
        at = widest("rosenbrock", size=2, seed=seed)
        found = closed_form.estimate(at)
        error = distance(found.gradient["x"], TRUTHS["rosenbrock"](decimals(at.numbers["x"])))
        assert error <= found.uncertainty["x"] / 4


@wider
@pytest.mark.parametrize(("kind", "most"), [("closed form", 64), ("complex step", 64)])
@pytest.mark.parametrize("name", ["quadratic", "log_sum_exp"])
def test_the_uncertainty_of_exact_references_is_some_tens_of_longdouble_roundings(
    name: str, kind: str, most: int
) -> None:
    # One to four roundings, and a safety factor of 16.
    found = KINDS[kind].estimate(widest(name, size=40))
    assert found.uncertainty["x"] <= most * epsilon("longdouble") * norm(found.gradient["x"])


@wider
@pytest.mark.parametrize("name", TRUTHS)
def test_differences_in_longdouble_are_good_to_twelve_digits_and_say_so(name: str) -> None:
    # Rounding 1e-19 over steps of 1e-2 to 1e-5 of the parameters' size.
    found = differences.estimate(widest(name, size=10))
    assert found.uncertainty["x"] <= 1e-12 * norm(found.gradient["x"])


@pytest.mark.parametrize(
    "activation", ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "gelu"]
)
@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_pullback_complex_step_and_differences_agree_within_what_they_say(activation: str, loss: str) -> None:
    at = widest("mlp", widths=(6, 5, 3), data="synthetic", activation=activation, loss=loss, batch=7)
    one = pullback.estimate(at)
    for module in (complex_step, differences):
        other = module.estimate(at)
        for name in at.parameters:
            apart = norm(one.gradient[name] - other.gradient[name])
            assert apart <= one.uncertainty[name] + other.uncertainty[name]


def test_cancellation_inside_a_formula_is_part_of_the_uncertainty() -> None:
    """(1e8 + x) - 1e8 has lost eight digits when it is done, in every precision."""
    problem = from_function(lambda x: np.sum(x**2), np.random.default_rng(0).standard_normal(20))
    at = widest_point(problem, None, None)

    def careless(where: Point) -> dict[str, Any]:
        x = np.asarray(where.parameters["x"])
        return {"x": (2 * ((x + 1e8) - 1e8)).astype(np.longdouble)}

    found = with_rounding(careless, at)
    error = distance(found.gradient["x"], [2 * number for number in decimals(at.numbers["x"])])
    assert error <= found.uncertainty["x"]
    assert found.uncertainty["x"] >= 1e7 * at.epsilon
    assert found.uncertainty["x"] <= 200 * error  # the safety factor, and four nearby points


@pytest.mark.parametrize("name", TRUTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_where_longdouble_is_no_wider_float64_is_used_and_said(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(point, "longdouble_is_wider", lambda: False)
    at = widest(name, size=5)
    assert at.dtype == "float64"
    found = KINDS[kind].estimate(at)
    truth = TRUTHS[name](decimals(at.numbers["x"]))
    assert distance(found.gradient["x"], truth) <= found.uncertainty["x"]
    assert found.uncertainty["x"] > epsilon("float64") * norm(found.gradient["x"])
    assert best_reference(get_problem(name, size=5)).name == "closed form in float64"


def test_each_array_has_an_uncertainty_in_proportion_to_itself() -> None:
    problem = from_function(
        lambda p: np.sum(np.sin(p["small"])) * 1e-6 + np.sum(np.sin(p["large"])) * 1e6,
        {"small": np.linspace(0, 1, 50), "large": np.linspace(0, 1, 50)},
    )
    found = best_reference(problem)
    assert found.uncertainty["small"] < 1e-11 * found.uncertainty["large"]


def test_the_total_uncertainty_is_the_root_of_the_squares() -> None:
    found = best_reference(get_problem("mlp", widths=(4, 3, 2), data="synthetic", batch=3))
    assert found.total_uncertainty == pytest.approx(float(np.hypot.reduce(list(found.uncertainty.values()))))
