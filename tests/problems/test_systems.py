"""Systems that evolve in time: their known answers, and that every backend steps in the same way."""

import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, linalg

import gradmark
from gradmark.arrays import Arrays, to_numpy
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.noise_laws import noise_law
from gradmark.reference import best_reference
from tests.methods.cases import complex_steps, relative_error

SIGMA = 0.02
GAUSSIAN: Any = noise_law("gaussian")
SIGNS: Any = noise_law("rademacher")
SYSTEMS: dict[str, tuple[str, dict[str, Any]]] = {
    "logistic_map": ("logistic_map", {"horizon": 5}),
    "influence, last": ("influence_balancing", {"horizon": 30}),
    "influence, every": ("influence_balancing", {"horizon": 30, "counted": "every"}),
    "contact_cliff": ("contact_cliff", {"batch": 16}),
    "lqr": ("lqr", {"horizon": 10}),
    "cart_pole": ("cart_pole", {"horizon": 10}),
    "cart_pole, falling": ("cart_pole", {"horizon": 10, "cost": "falling", "gusts": 200.0}),
}
SMOOTH = [name for name in SYSTEMS if name not in ("contact_cliff", "cart_pole, falling")]
# Of one number on its way through ten steps, beside the sums over rows.
ROUNDINGS = 500
every_system = pytest.mark.parametrize("name", SYSTEMS)


def built(name: str, **sizes: Any) -> Any:
    return gradmark.get_problem(name, **sizes)


def system(name: str, arrays: Arrays | None = None, **sizes: Any) -> Any:
    factory, own = SYSTEMS[name]
    where = arrays or Arrays()
    return built(factory, **{**own, **sizes}, backend=where.backend, device=where.device, dtype=where.dtype)


def value(problem: Any, name: str, number: float) -> float:
    """The loss at another value of the one parameter."""
    return float(problem.loss({name: np.array([number])}))


def normal_density(u: Any) -> Any:
    return np.exp(-u * u / 2) / math.sqrt(2 * math.pi)


@every_system
def test_every_backend_computes_the_same_for_one_and_for_a_population(name: str, everywhere: Arrays) -> None:
    here, numpy = system(name, everywhere), system(name)
    random = np.random.default_rng(0)
    first = next(iter(numpy.parameters))
    moved = numpy.parameters[first] * random.uniform(0.9, 1.1, (3, *numpy.parameters[first].shape))
    wanted = [numpy.loss({**numpy.parameters, first: each}) for each in moved]
    found = here.loss({**here.parameters, first: everywhere.array(moved)})
    slack = ROUNDINGS * everywhere.epsilon
    np.testing.assert_allclose(to_numpy(found), wanted, rtol=slack)
    np.testing.assert_allclose(to_numpy(here.loss(here.parameters)), numpy.loss(numpy.parameters), rtol=slack)


@every_system
def test_stepping_through_time_ends_at_the_loss_of_any_draw(name: str) -> None:
    problem = system(name)
    unroll, draw = problem.unroll, problem.draw(3)
    parameters = {key: np.stack([array, 1.1 * array]) for key, array in problem.parameters.items()}
    state = unroll.initial(parameters, draw)
    parts: list[Any] = [0.0]
    for t in range(unroll.horizon):
        state = unroll.step(parameters, state, draw, t)
        parts.append(unroll.loss(parameters, state, draw))
    np.testing.assert_array_equal(parts[-1], problem.loss(parameters, draw))
    assert parts[-1].shape == (2,)
    assert problem.outputs(problem.parameters, draw).shape == (draw.count, 1)
    if "every" in name:  # a sum of positive parts: what each step adds is its own
        assert np.all(np.diff(np.stack(parts[1:]), axis=0) >= 0)


@pytest.mark.parametrize("name", ["influence, last", "influence, every", "contact_cliff", "lqr"])
def test_the_closed_form_agrees_with_complex_steps_on_any_draw(name: str) -> None:
    problem = system(name, Arrays(dtype="longdouble"))
    draw = problem.draw(5)
    exact = complex_steps(problem, draw)
    assert (
        relative_error(problem.closed_form(problem.parameters, draw), exact)
        < ROUNDINGS * np.finfo(np.longdouble).eps
    )


@pytest.mark.parametrize("name", SMOOTH)
def test_no_array_of_the_gradient_is_degenerate(name: str) -> None:
    reference = best_reference(system(name))
    for key, array in reference.gradient.items():
        assert np.min(np.abs(array)) > 1e6 * reference.uncertainty[key]


@pytest.mark.parametrize(("horizon", "wanted"), [(5, 0.0788), (20, 0.1570)])
def test_the_smoothed_gradient_of_the_logistic_map_is_the_mean_of_its_gradients(
    horizon: int, wanted: float
) -> None:
    """E f(r + sigma e) e / sigma = E f'(r + sigma e), which is a much wilder function."""
    problem = built("logistic_map", horizon=horizon)
    found = problem.smoothed_form(problem.parameters, problem.default_draw, GAUSSIAN, SIGMA)["r"][0]
    assert found == pytest.approx(wanted, abs=5e-5)
    e = np.linspace(-8, 8, 2**17)
    moved = 3.8 + SIGMA * e[:, None] + 1e-30j
    slopes = np.imag(problem.loss({"r": moved})) / 1e-30
    mean = integrate.trapezoid(slopes * normal_density(e), e)
    assert found == pytest.approx(float(mean), rel=1e-6)


@pytest.mark.parametrize(("horizon", "wanted", "spread"), [(60, 0.338, 0.63), (200, 0.452, 0.81)])
def test_a_chaotic_unroll_still_has_its_smoothed_gradient(horizon: int, wanted: float, spread: float) -> None:
    """Mirrored samples of standard deviation `spread`, whose mean lies within five errors of that of 2^20."""
    problem = built("logistic_map", horizon=horizon)
    assert problem.smoothed_form is None
    e = np.random.default_rng(0).standard_normal((2**15, 1))
    above, below = (problem.loss({"r": 3.8 + side * SIGMA * e}) for side in (1, -1))
    samples = (above - below) / (2 * SIGMA) * e[:, 0]
    assert np.std(samples) == pytest.approx(spread, rel=0.05)
    assert abs(np.mean(samples) - wanted) < 5 * spread / 2**7.5


def test_the_gradient_of_a_chaotic_unroll_says_nothing_of_it() -> None:
    e = np.random.default_rng(0).standard_normal((2**14, 1))
    for horizon, sure in ((5, True), (20, False)):
        problem = built("logistic_map", horizon=horizon)
        slopes = np.imag(problem.loss({"r": 3.8 + SIGMA * e + 1e-30j})) / 1e-30
        right = float(np.mean(slopes > 0))
        assert right == 1 if sure else abs(right - 0.5) < 0.03
        assert sure or np.std(slopes) > 50


def test_signs_are_two_points_of_the_logistic_map() -> None:
    problem = built("logistic_map", horizon=7)
    found = problem.smoothed_form(problem.parameters, problem.default_draw, SIGNS, 0.1)["r"][0]
    wanted = (value(problem, "r", 3.9) - value(problem, "r", 3.7)) / 0.2
    assert found == pytest.approx(wanted, rel=1e-13)


def test_influence_balances_to_a_gradient_of_24_and_an_optimum_at_minus_a_sixth() -> None:
    problem = built("influence_balancing")
    draw = problem.default_draw
    assert float(problem.closed_form(problem.parameters, draw)["theta"][0]) == pytest.approx(24, rel=1e-14)
    at_optimum = problem.closed_form({"theta": np.array([-1 / 6])}, draw)["theta"][0]
    assert abs(at_optimum) < 36 * np.finfo(float).eps
    assert value(problem, "theta", -1 / 6) < 1e-28


def test_a_truncated_unroll_of_influence_has_the_wrong_sign() -> None:
    """With the state at rest, where s_1 - 1 = -6 theta - 1 = -4, the last K steps pass on -4 c_K."""
    problem = built("influence_balancing", horizon=60)
    _, along = problem.system.influence()
    assert [float(round(-4 * along[k - 1], 1)) for k in (1, 5, 10, 20)] == [-4, -20, -40, -65.9]
    assert -4 * along[-1] > 20


def test_the_mean_of_the_gradients_at_a_cliff_has_the_wrong_sign() -> None:
    """V' from the smoothed form without environment noise, against differences of V and the known values."""
    for theta, gradient, pathwise in ((0.95, -4.00, 0.84), (1.0, -7.48, 0.50)):
        still = built("contact_cliff", start=theta, spread=0.0, batch=1)
        found = -still.smoothed_form(still.parameters, still.default_draw, GAUSSIAN, 0.05)["theta"][0]
        assert found == pytest.approx(gradient, abs=5e-3)
        noisy = built("contact_cliff", start=theta, batch=2**16)
        mean = -noisy.closed_form(noisy.parameters, noisy.default_draw)["theta"][0]
        assert mean == pytest.approx(pathwise, abs=5 / 2**9)  # a share has an error below 1/2 / sqrt(rows)
        step = 1e-4

        def reward(at: float) -> float:
            e = np.linspace(-9, (1 - at) / 0.05, 20001)
            return float(integrate.simpson((at + 0.05 * e) * normal_density(e), x=e))

        assert found == pytest.approx((reward(theta + step) - reward(theta - step)) / (2 * step), rel=1e-4)


def test_a_cliff_smoothed_at_a_draw_is_the_mean_over_its_rows() -> None:
    problem = built("contact_cliff", batch=3)
    e = np.linspace(-8, 8, 2**20 + 1)
    found = problem.smoothed_form(problem.parameters, problem.default_draw, GAUSSIAN, 0.03)["theta"][0]
    losses = problem.loss({"theta": 0.95 + 0.03 * e[:, None]})
    wanted = integrate.trapezoid(losses * e * normal_density(e), e) / 0.03
    # Each of three jumps of height 1 is placed to half a step.
    assert found == pytest.approx(float(wanted), abs=3 * (e[1] - e[0]) / 0.03)


def test_the_regulator_of_a_long_horizon_solves_the_lyapunov_equations() -> None:
    problem = built("lqr", horizon=300)
    (a, b), gain, x = problem.system.matrices, problem.parameters["gain"], problem.default_draw
    start = x.arrays["initial"]
    closed = a - b @ gain
    assert np.max(np.abs(np.linalg.eigvals(closed))) < 0.95
    cost = linalg.solve_discrete_lyapunov(closed.T, np.eye(4) + gain.T @ gain)
    second = linalg.solve_discrete_lyapunov(closed, start.T @ start / len(start))
    wanted = (gain + b.T @ cost @ (b @ gain - a)) @ second
    assert relative_error(problem.closed_form(problem.parameters, x), {"gain": wanted}) < 1e-12
    value_there = np.trace(cost @ start.T @ start) / len(start) / 2
    assert float(problem.loss(problem.parameters)) == pytest.approx(value_there, rel=1e-12)


def test_search_noise_and_the_gradient_agree_on_the_regulator() -> None:
    """The mean of 2^13 mirrored samples lies within six of its errors of the gradient, in every entry."""
    problem = system("lqr")
    gain = problem.parameters["gain"]
    e = np.random.default_rng(1).standard_normal((2**13, *gain.shape))
    above, below = (problem.loss({"gain": gain + side * 1e-4 * e}) for side in (1, -1))
    samples = ((above - below) / 2e-4)[:, None, None] * e
    error = np.std(samples, axis=0) / 2**6.5
    exact = problem.closed_form(problem.parameters, problem.default_draw)["gain"]
    assert np.all(np.abs(np.mean(samples, axis=0) - exact) < 6 * error)


def test_cart_and_pole_obey_the_equations_of_motion() -> None:
    """M x'' + m l (phi'' cos - phi'^2 sin) = F, and x'' cos + 4/3 l phi'' = g sin: solved as they stand."""
    problem = built("cart_pole", horizon=1, gusts=3.0)
    draw, system = problem.default_draw, problem.system
    s = np.random.default_rng(0).standard_normal((8, 4))
    state = (s, np.ones((8, 1)), np.zeros((8, 1)))
    moved = system.step(problem.parameters, state, draw, 0)[0]
    push = 10 * np.tanh(s @ problem.parameters["weight"][0] + problem.parameters["bias"])
    for row, after, force, gust in zip(s, moved, push, draw.arrays["gusts"][:, 0], strict=True):
        _, speed, angle, turning = row
        sine, cosine = np.sin(angle), np.cos(angle)
        masses = [[1.1, 0.05 * cosine], [cosine, 4 / 3 * 0.5]]
        forces = [force + gust + 0.05 * turning**2 * sine, 9.8 * sine]
        x_, phi_ = np.linalg.solve(masses, forces)
        np.testing.assert_allclose(after, row + 0.02 * np.array([speed, x_, turning, phi_]), rtol=1e-12)


def test_a_falling_pole_costs_the_steps_since_it_fell_and_has_no_gradient() -> None:
    problem = built("cart_pole", cost="falling")
    costs = 100 * problem.outputs(problem.parameters)
    np.testing.assert_allclose(costs, np.round(costs), atol=1e-9)
    assert 0 < np.mean(costs) < 100 and problem.smoothness == "discontinuous"
    assert np.all(complex_steps(problem, problem.default_draw)["weight"] == 0)
    torch = problem.to(backend="torch")
    found = gradmark.get_method("autograd").prepare(torch)(torch.parameters).gradient
    assert all(bool((array == 0).all()) for array in found.values())


def test_search_noise_sees_the_falling_pole() -> None:
    """The sum of five squared means over their errors: of a zero above 50 one time in 10^9 (chi-square)."""
    problem = built("cart_pole", cost="falling", batch=4)
    random = np.random.default_rng(0)
    e = {name: random.standard_normal((512, *array.shape)) for name, array in problem.parameters.items()}
    above, below = (
        problem.loss({name: array + side * 0.1 * e[name] for name, array in problem.parameters.items()})
        for side in (1, -1)
    )
    samples = (above - below)[:, None] * np.concatenate([e["weight"][:, 0], e["bias"]], axis=1)
    errors = np.std(samples, axis=0) / math.sqrt(512)
    assert np.sum((np.mean(samples, axis=0) / errors) ** 2) > 50


def test_a_draw_is_part_of_the_loss_where_something_is_random() -> None:
    for name in SYSTEMS:
        problem = system(name)
        draw, again = problem.draw(7), problem.draw(7)
        random = bool(draw.arrays)
        assert problem.loss(problem.parameters, draw) == problem.loss(problem.parameters, again)
        differs = problem.loss(problem.parameters, draw) != problem.loss(problem.parameters, problem.draw(8))
        assert bool(differs) == random, name
        if random:
            rows = [problem.loss(problem.parameters, draw.rows(i, i + 1)) for i in range(draw.count)]
            np.testing.assert_allclose(np.mean(rows), problem.loss(problem.parameters, draw), rtol=1e-13)
        assert isinstance(draw, Draw)


@pytest.mark.parametrize(
    ("name", "sizes", "message"),
    [
        ("logistic_map", {"rate": 4.5}, "`rate=4.5` must be a number from 0 to 4"),
        ("logistic_map", {"horizon": 0}, "`horizon=0` must be an integer of at least 1"),
        ("influence_balancing", {"positive": 24}, "`positive=24` is more than the 23 units there are"),
        ("influence_balancing", {"counted": "first"}, "last"),
        ("contact_cliff", {"spread": -1.0}, "`spread=-1.0` must be a number from 0 to 1000"),
        ("lqr", {"states": 0}, "`states=0` must be an integer of at least 1"),
        ("lqr", {"horizon": 10**30}, "choose smaller sizes"),
        ("cart_pole", {"cost": "rising"}, "falling"),
        ("cart_pole", {"batch": 10**12}, "choose smaller sizes"),
        ("cart_pole", {"gusts": math.nan}, "`gusts=nan` must be a number"),
    ],
)
def test_what_does_not_fit_is_said(name: str, sizes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        built(name, **sizes)


def test_where_there_is_no_formula_it_is_said() -> None:
    for name, law, sigma, message in (
        ("logistic_map", GAUSSIAN, 0.1, "take a sigma of at most 0.025"),
        ("logistic_map", noise_law("uniform"), 0.01, "no quadrature for uniform noise"),
        ("contact_cliff", noise_law("uniform"), 0.01, "no closed form for uniform noise"),
    ):
        problem = built(name)
        with pytest.raises(UsageError, match=message):
            problem.smoothed_form(problem.parameters, problem.default_draw, law, sigma)
    with pytest.raises(UsageError, match="has no inputs to open"):
        system("lqr").opened("inputs")
