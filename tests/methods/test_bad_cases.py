"""Losses that are no friend of differences: each gets an honest answer, with its error, or one sentence."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradmark

PLAIN = ("forward_difference", "backward_difference", "central_difference", "stencil_difference")
ESTIMATING = ("richardson", "adaptive_difference")
EVERY = (*PLAIN, *ESTIMATING, "complex_step")
# What differences of a smooth loss of size one are off by at most: first order, with a step of eps^(1/2).
CLOSE = 1e-6


def estimate(name: str, function: Callable[..., Any], at: Any, **known: Any) -> Any:
    problem = gradmark.from_function(function, at, **known)
    with np.errstate(invalid="ignore"):
        return gradmark.get_method(name).prepare(problem)(problem.parameters)


def error(answer: Any, exact: Any) -> float:
    found = np.concatenate([array.ravel() for array in answer.gradient.values()])
    return float(np.linalg.norm(found - np.asarray(exact, np.float64)))


SMOOTH: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "exp": (lambda x: np.sum(np.exp(x)), np.exp),
    "wave": (lambda x: np.sum(np.sin(10 * x)), lambda x: 10 * np.cos(10 * x)),
    "cubic": (lambda x: np.sum(x**3), lambda x: 3 * x**2),
    "peak": (lambda x: np.sum(1 / (1 + 25 * x * x)), lambda x: -50 * x / (1 + 25 * x * x) ** 2),
    "small beside a constant": (lambda x: 1e3 + np.sum(np.tanh(x)), lambda x: 1 / np.cosh(x) ** 2),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ESTIMATING)
def test_an_error_estimate_covers_nineteen_of_twenty_errors_and_is_not_far_above_them(
    name: str, dtype: str
) -> None:
    covered, above = [], []
    for function, gradient in SMOOTH.values():
        for size in (1, 6):
            for seed in range(20):
                at = np.random.default_rng(seed).standard_normal(size).astype(dtype)
                answer = estimate(name, function, at)
                true = error(answer, gradient(at.astype(np.float64)))
                covered.append(answer.error >= true)
                above.append(answer.error / max(true, 1e-300))
    assert np.mean(covered) >= 0.95
    # Twice two standard deviations, as the least of several estimates is taken, and errors may be lucky.
    assert np.median(above) <= 30


KINKED = {
    "at the point": (lambda x: np.sum(np.abs(x)), [0.0, 1.0], [1.0, 1.0]),
    "inside of all steps": (lambda x: np.sum(np.maximum(x, 0)), [1e-7, 1.0], [1.0, 1.0]),
    "inside of the long ones": (lambda x: np.sum(np.abs(x)), [1e-2, 1.0], [1.0, 1.0]),
    "a cusp": (lambda x: np.sum(np.sqrt(np.abs(x))), [0.0, 1.0], [1.0, 0.5]),
}


@pytest.mark.parametrize("kink", KINKED)
@pytest.mark.parametrize("name", ESTIMATING)
def test_a_kink_inside_the_steps_makes_the_estimate_large(name: str, kink: str) -> None:
    # At the point any slope from -1 to 1 is one, of the cusp none: the far end must be covered too.
    function, at, exact = KINKED[kink]
    answer = estimate(name, function, np.array(at), smoothness="kinked")
    assert answer.error >= error(answer, exact)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", ESTIMATING)
def test_an_error_estimate_covers_the_kinks_of_nineteen_of_twenty_points(name: str, dtype: str) -> None:
    covered = []
    for seed in range(60):
        at = np.random.default_rng(seed).standard_normal(4).astype(dtype)
        # Some entries are so near to zero that it is inside of some or all of their steps.
        at *= np.asarray([1, 0.1, 0.01, 0.001], dtype)
        answer = estimate(name, lambda x: np.sum(np.maximum(x, 0) * np.exp(x)), at, smoothness="kinked")
        wide = at.astype(np.float64)
        covered.append(answer.error >= error(answer, np.where(wide > 0, (1 + wide) * np.exp(wide), 0)))
    assert np.mean(covered) >= 0.95


@pytest.mark.parametrize("name", ESTIMATING)
def test_the_noise_of_a_loss_is_in_the_estimate(name: str) -> None:
    for seed in range(20):
        random = np.random.default_rng(seed)
        answer = estimate(name, lambda x, r=random: np.sum(x * x) + 1e-4 * r.standard_normal(), np.ones(2))
        assert error(answer, [2, 2]) <= answer.error <= 1
    single = estimate(name, lambda x: np.float64(np.sum(np.exp(x.astype(np.float32)))), np.ones(2))
    assert error(single, [np.e, np.e]) <= single.error <= 0.01


EDGED = {
    "log": (lambda x: np.sum(np.log(x)), [1e-9, 1.0], [1e9, 1.0]),
    "sqrt": (lambda x: np.sum(np.sqrt(x)), [1e-12, 1.0], [5e5, 0.5]),
    "power": (lambda x: np.sum(x**1.5), [0.0, 1.0], [0.0, 1.5]),
    "arcsin": (lambda x: np.sum(np.arcsin(x)), [1 - 1e-10, 0.5], [70710.6781, 1.1547]),
}


@pytest.mark.parametrize("edge", EDGED)
@pytest.mark.parametrize("name", EVERY)
def test_a_step_over_the_edge_of_a_domain_is_answered_in_a_sentence_or_not_taken(
    name: str, edge: str
) -> None:
    function, at, exact = EDGED[edge]
    try:
        answer = estimate(name, function, np.array(at))
    except gradmark.UsageError as sentence:
        assert name != "adaptive_difference"
        assert "finite at the point and not a step beside it, along an entry of `x`" in str(sentence)
        return
    assert all(np.all(np.isfinite(array)) for array in answer.gradient.values())
    if name in ESTIMATING:
        assert answer.error >= error(answer, exact)


@pytest.mark.parametrize("name", EVERY)
def test_bounds_keep_differences_inside(name: str) -> None:
    at = np.array([1e-3, 1.0])
    answer = estimate(name, lambda x: np.sum(np.log(x)), at, bounds=(0.0, np.inf))
    assert error(answer, 1 / at) <= 0.5 * 1e3
    if name in ESTIMATING:
        assert error(answer, 1 / at) <= answer.error <= 1


@pytest.mark.parametrize("name", EVERY)
def test_huge_parameters_are_moved_by_more_than_their_spacing(name: str) -> None:
    answer = estimate(name, lambda x: np.sum(np.log(x)), np.array([1e20, 3e20]))
    assert error(answer, [1e-20, 1e-20 / 3]) <= 1e-20 * 1e-4


@pytest.mark.parametrize("name", [*PLAIN, "richardson"])
def test_a_step_below_the_spacing_of_numbers_is_lengthened(name: str) -> None:
    problem = gradmark.from_function(lambda x: np.sum(x), np.array([1e20, 2.0]))
    answer = gradmark.get_method(name, step=1e-30).prepare(problem)(problem.parameters)
    # The loss rounds, to a few spacings of itself, over steps of one spacing.
    assert abs(answer.gradient["x"][0] - 1) <= 1


@pytest.mark.parametrize("name", EVERY)
def test_one_parameter_and_arrays_of_nothing(name: str) -> None:
    assert error(estimate(name, lambda x: x**3, np.array(2.0)), [12]) <= 12 * CLOSE
    answer = estimate(
        name,
        lambda p: np.sum(p["none"] ** 2) + np.sum(p["two"] ** 2),
        {"none": np.zeros((0, 3)), "two": np.ones(2)},
    )
    assert answer.gradient["none"].shape == (0, 3)
    assert error(answer, [2, 2]) <= CLOSE
    assert estimate(name, lambda x: np.sum(x**2), np.zeros(0)).gradient["x"].shape == (0,)


class ByValue:
    """A function that remembers what it returned for its last argument, of which it keeps no copy."""

    def __init__(self) -> None:
        self.last, self.value = np.zeros(0), 0.0

    def __call__(self, x: Any) -> Any:
        if not self.same(x):
            self.last, self.value = x, np.sum(x**3)
        return self.value

    def same(self, x: Any) -> bool:
        return bool(np.array_equal(x, self.last))


class ByIdentity(ByValue):
    """The same, and an argument is its last one if it is that very object."""

    def same(self, x: Any) -> bool:
        return x is self.last


@pytest.mark.parametrize("kind", [ByValue, ByIdentity])
@pytest.mark.parametrize("name", EVERY)
def test_a_function_that_remembers_its_argument_is_differentiated_all_the_same(
    name: str, kind: type[ByValue]
) -> None:
    try:
        answer = estimate(name, kind(), np.array([1.0, 2.0]))
    except gradmark.UsageError as sentence:
        # The point itself in complex numbers equals the point: the value of the real one comes back.
        assert name == "complex_step" and "does not carry complex128" in str(sentence)
        return
    assert error(answer, [3, 12]) <= 12 * CLOSE


@pytest.mark.parametrize("name", EVERY)
def test_a_function_that_writes_into_its_argument_beside_the_point_spoils_nothing(name: str) -> None:
    def clipped(x: Any) -> Any:
        x[np.abs(x) > 1] = 1.0
        return np.sum(x * x)

    at = np.array([1.0, 0.5, 0.25])
    answer = estimate(name, clipped, at, smoothness="kinked")
    assert at.tolist() == [1.0, 0.5, 0.25]
    found = answer.gradient["x"]
    assert abs(found[1] - 1) + abs(found[2] - 0.5) <= CLOSE
    # The first entry is at the kink that it makes.
    assert -CLOSE <= found[0] <= 2 + CLOSE


def test_a_function_that_writes_into_its_argument_at_the_point_is_refused() -> None:
    def doubling(p: Any) -> Any:
        p["b"] *= 2
        return np.sum(p["a"]) + np.sum(p["b"])

    with pytest.raises(gradmark.UsageError, match="`function` writes into its argument b: let it work on"):
        gradmark.from_function(doubling, {"a": np.ones(2), "b": np.ones(2)})


def test_integers_and_mixed_dtypes_are_refused() -> None:
    with pytest.raises(gradmark.UsageError, match="real floating numbers, not int64: convert it to"):
        gradmark.from_function(lambda x: np.sum(x**2), np.array([1, 2]))
    mixed = {"a": np.ones(2, np.float32), "b": np.ones(2)}
    with pytest.raises(gradmark.UsageError, match="mixes backends, devices or dtypes"):
        gradmark.from_function(lambda p: np.sum(p["a"]) + np.sum(p["b"]), mixed)


NOT_ANALYTIC = {
    "vdot": lambda x: np.vdot(x, x),
    "conj": lambda x: np.sum(x * np.conj(x)),
    "one factor in ten": lambda x: np.sum(x * x) + 0.1 * np.sum(x * np.conj(x)),
    "the real part, and 0i": lambda x: np.sum(np.real(x) ** 2) + 0 * np.sum(x),
    "a size": lambda x: np.sum(np.abs(x) * x),
}


@pytest.mark.parametrize("loss", NOT_ANALYTIC)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_complex_step_refuses_what_is_not_analytic(loss: str, dtype: str) -> None:
    for seed in range(5):
        at = np.random.default_rng(seed).standard_normal(6).astype(dtype)
        with pytest.raises(gradmark.UsageError, match="something in it is not analytic"):
            estimate("complex_step", NOT_ANALYTIC[loss], at)


ANALYTIC = {
    "a branch at the real part": lambda x: np.sum(np.where(np.real(x) > 0, x, 0.0)),
    "steep": lambda x: np.sum(np.tanh(1e3 * x)),
    "nearly a minimum": lambda x: np.sum((x - 1) ** 4) + 1e3,
    "a mean": lambda x: np.mean(np.exp(3 * x)),
}


@pytest.mark.parametrize("loss", ANALYTIC)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_complex_step_refuses_nothing_else(loss: str, dtype: str) -> None:
    for seed in range(20):
        at = np.random.default_rng(seed).standard_normal(6).astype(dtype)
        at[0] = 0.0 if seed % 2 else 1.0
        estimate("complex_step", ANALYTIC[loss], at)


APART = {"two": [1e20, 1.0], "most are large": [1e20, 1e20, 0.5], "one is": [1e4, 0.1, 0.3, 0.7, 0.2, 0.4]}
MEASURED = [(name, rule) for name in PLAIN for rule in ("dtype", "noise", "gill", "shi")]


@pytest.mark.parametrize("at", APART)
@pytest.mark.parametrize(("name", "rule"), [*MEASURED, ("richardson", ""), ("adaptive_difference", "")])
def test_a_small_entry_beside_large_ones_has_a_step_of_its_own(name: str, rule: str, at: str) -> None:
    for dtype in (np.float64, np.float32):
        point = np.array(APART[at], dtype)
        problem = gradmark.from_function(lambda x: np.log(x[0]) + np.sin(x[-1]), point)
        method = gradmark.get_method(name, **({"rule": rule} if rule else {}))
        answer = method.prepare(problem)(problem.parameters)
        missed = abs(answer.gradient["x"][-1] - np.cos(np.float64(point[-1])))
        # First order in a step of the root of epsilon; rounding of log(1e20) = 46 over it.
        assert missed <= 50 * np.sqrt(np.finfo(dtype).eps)
        assert answer.error is None or answer.error <= 500 * np.sqrt(np.finfo(dtype).eps)


@pytest.mark.parametrize(("name", "rule"), MEASURED)
def test_numbers_whose_powers_are_beyond_the_dtype_are_moved(name: str, rule: str) -> None:
    for size in (1e300, 1e-300):
        problem = gradmark.from_function(lambda x, s=size: np.sum(np.exp(x / s)), np.array([size, -size]))
        answer = gradmark.get_method(name, rule=rule).prepare(problem)(problem.parameters)
        np.testing.assert_allclose(answer.gradient["x"] * size, np.exp([1, -1]), rtol=1e-6)


@pytest.mark.parametrize("name", ["central_difference", "stencil_difference", "richardson"])
def test_beyond_a_bound_two_sided_differences_refuse(name: str) -> None:
    problem = gradmark.from_function(lambda x: np.sum(x**3), np.array([0.1, 0.5]), bounds=(0.0, 1.0))
    with pytest.raises(gradmark.UsageError, match=r"lies on a bound of the domain .*, or beyond"):
        gradmark.get_method(name).prepare(problem)({"x": np.array([-1.0, 0.5])})


@pytest.mark.parametrize("name", PLAIN)
def test_a_loss_of_fewer_digits_than_its_parameters_is_refused_or_measured(name: str) -> None:
    problem = gradmark.from_function(lambda x: np.sum(np.exp(x)).astype(np.float32), np.zeros(2))
    with pytest.raises(gradmark.UsageError, match="the loss comes in float32 and its parameters are float64"):
        gradmark.get_method(name).prepare(problem)(problem.parameters)
    answer = gradmark.get_method(name, rule="noise").prepare(problem)(problem.parameters)
    assert error(answer, [1, 1]) <= answer.error <= 0.1


def test_the_complex_step_of_subnormal_numbers_is_a_number() -> None:
    answer = estimate("complex_step", lambda x: np.sum(2 * x), np.array([5e-324, 1e-310]))
    assert answer.gradient["x"].tolist() == [2, 2]


@pytest.mark.parametrize("rule", ["noise", "gill", "shi"])
def test_rules_have_an_answer_where_the_loss_is_finite_at_the_point_alone(rule: str) -> None:
    problem = gradmark.from_function(lambda x: np.sum(np.where(x == 0.5, x, np.nan)), np.array([0.5, 0.5]))
    with pytest.raises(gradmark.UsageError, match="finite at the point and not a step beside it"):
        gradmark.get_method("central_difference", rule=rule).prepare(problem)(problem.parameters)


def test_a_peer_whose_estimates_miss_the_error_in_float32_refuses_it() -> None:
    peer, single = gradmark.get_method("scipy_jacobian"), gradmark.get_problem("rosenbrock", dtype="float32")
    assert peer.supports(single) == "its error estimates are too small in float32: give it float64"
    assert peer.supports(single.to(dtype="float64")) is None


MEASURING = [(name, rule) for name in PLAIN for rule in ("noise", "gill", "shi")]
BROKEN: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "a jump": (lambda y, c: 1.0 * (y > c), lambda y, c: 0.0),
    "a kink": (lambda y, c: np.abs(y - c), lambda y, c: np.sign(y - c)),
}


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "rule"), MEASURING)
def test_a_jump_or_a_kink_in_a_coordinate_along_which_no_step_was_measured_is_in_the_estimate(
    name: str, rule: str, dtype: str, broken: str
) -> None:
    (function, slope), covered = BROKEN[broken], []
    for seed in range(10):
        random = np.random.default_rng(seed)
        at, place = random.standard_normal(60).astype(dtype), int(random.integers(60))
        # From far inside of every step to beyond it, on both sides.
        away = 10 ** random.uniform(-9 if dtype == "float64" else -4.5, -1)
        break_at = np.asarray(at[place] + random.choice([-1, 1]) * away, dtype)
        answer_to = gradmark.from_function(
            lambda x, i=place, c=break_at: np.sum(np.sin(x)) + function(x[i], c).astype(x.dtype), at
        )
        answer = gradmark.get_method(name, rule=rule).prepare(answer_to)(answer_to.parameters)
        exact = np.cos(at.astype(np.float64))
        exact[place] += slope(at[place], break_at)
        covered.append(error(answer, exact) <= answer.error)
    assert all(covered)


@pytest.mark.parametrize(("name", "rule"), MEASURING)
def test_a_kink_at_the_point_itself_is_in_the_estimate(name: str, rule: str) -> None:
    at = np.append(0.0, np.linspace(-1, 1, 40))
    problem = gradmark.from_function(lambda x: np.sum(np.sin(x)) + np.abs(x[0]), at)
    answer = gradmark.get_method(name, rule=rule).prepare(problem)(problem.parameters)
    # Any slope from 0 to 2 is one there, and the far end of them must be covered.
    ends = [np.append(end, np.cos(at[1:])) for end in (0.0, 2.0)]
    assert max(error(answer, end) for end in ends) <= max(answer.error, 2.0 * (name[:4] in ("forw", "back")))


@pytest.mark.parametrize(("name", "rule"), [*MEASURING, ("richardson", ""), ("adaptive_difference", "")])
def test_a_slope_that_the_rounding_of_the_loss_swallows_is_in_the_estimate(name: str, rule: str) -> None:
    for dtype, constants in ((np.float64, (1e16, 1e20, 1e30)), (np.float32, (1e8, 1e12, 1e30))):
        for constant in constants:
            problem = gradmark.from_function(
                lambda x, c=constant: x.dtype.type(c) + np.sum(x), np.ones(3, dtype)
            )
            method = gradmark.get_method(name, **({"rule": rule} if rule else {}))
            answer = method.prepare(problem)(problem.parameters)
            assert answer.error is not None and error(answer, np.ones(3)) <= answer.error
