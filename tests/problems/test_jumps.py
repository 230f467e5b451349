"""Losses that jump: units that fire or not, networks of signs, and the share of wrong answers."""

from typing import Any

import numpy as np
import pytest
from scipy import integrate, special, stats

import gradmark
from gradmark.arrays import Arrays, to_numpy
from gradmark.errors import UsageError
from gradmark.noise_laws import noise_law
from problems.layers.jumping import ACTIVATIONS, DIFFERENCES
from problems.zero_one import ZeroOne

GAUSSIAN: Any = noise_law("gaussian")
SPHERE: Any = noise_law("sphere")
SMALL: dict[str, Any] = {"widths": (5, 6, 3), "data": "synthetic", "batch": 8}
EXACT = {
    "numpy": ("backprop", "dual_numbers", "complex_step", "central_difference", "node_difference"),
    "torch": ("backprop", "autograd", "checkpointed_backprop"),
    "jax": ("jax_grad",),
}


def built(name: str, **sizes: Any) -> Any:
    return gradmark.get_problem(name, **sizes)


@pytest.mark.parametrize(
    ("backend", "method"), [(backend, name) for backend, names in EXACT.items() for name in names]
)
def test_exact_methods_give_the_zero_that_the_gradient_is(backend: str, method: str) -> None:
    pytest.importorskip(backend, reason=f"{backend} is not installed here")
    kinds = (("sign", "zero_one"), ("tanh", "zero_one"), ("sign", "cross_entropy"))
    for activation, loss in kinds if backend != "jax" else kinds[:1]:  # which compiles for a second each
        problem = built("mlp", activation=activation, loss=loss, backend=backend, **SMALL)
        assert problem.smoothness == "discontinuous"
        found = gradmark.get_method(method).prepare(problem)(problem.parameters).gradient
        sizes = {name: float(np.max(np.abs(to_numpy(array)))) for name, array in found.items()}
        # What is behind the signs is a linear model, which has a gradient.
        zero = [name for name in sizes if loss == "zero_one" or name.startswith("layers.0")]
        assert {name: sizes[name] for name in sizes if sizes[name] == 0} == dict.fromkeys(zero, 0.0)


@pytest.mark.parametrize("name", ["deep_mlp", "resnet_mlp", "convnet"])
def test_other_networks_may_jump_too(name: str) -> None:
    problem = built(name, activation="sign", loss="zero_one")
    assert problem.smoothness == "discontinuous"
    errors = problem.batch * float(problem.loss(problem.parameters))
    assert errors == pytest.approx(round(errors), abs=1e-9) and 0 < errors <= problem.batch


def test_a_network_without_hidden_units_does_not_jump_where_its_loss_does_not() -> None:
    sizes = {**SMALL, "widths": (5, 3), "activation": "sign"}
    assert built("mlp", loss="mse", **sizes).smoothness == "smooth"
    assert built("mlp", loss="zero_one", **sizes).smoothness == "discontinuous"


def test_the_sign_is_that_of_numpy_and_passes_on_what_is_no_number(everywhere: Arrays) -> None:
    z = np.array([-3.0, -1e-300, 0.0, 1e-300, 2.0, np.nan])
    found = ACTIVATIONS["sign"].value(everywhere, everywhere.array(z))
    np.testing.assert_array_equal(to_numpy(found), np.sign(z))
    change = everywhere.array(np.array([[6.0, 2e-300, 1.0, -1e-300, -1.0, 0.0]]))
    moved = DIFFERENCES["sign"](everywhere, everywhere.array(z), change)
    np.testing.assert_array_equal(to_numpy(moved)[0, :5], [2, 2, 1, -1, 0])


def test_the_share_of_wrong_answers_is_one_less_the_accuracy(everywhere: Arrays) -> None:
    if everywhere.backend == "jax":
        pytest.skip("it would compile for seconds what the test of exact methods has")
    problem = built(
        "mlp",
        loss="zero_one",
        widths=(64, 10),
        backend=everywhere.backend,
        device=everywhere.device,
        batch=100,
    )
    outputs, targets = (
        to_numpy(array)
        for array in (problem.outputs(problem.parameters), problem.default_draw.arrays["targets"])
    )
    wrong = np.mean(np.argmax(outputs, axis=1) != np.argmax(targets, axis=1))
    assert float(problem.loss(problem.parameters)) == pytest.approx(wrong, rel=1e-14)


def test_its_changes_are_those_of_its_values() -> None:
    random, criterion = np.random.default_rng(0), ZeroOne(Arrays())
    y, changes = random.standard_normal((6, 4)), random.standard_normal((3, 6, 4))
    draw = built("mlp", **{**SMALL, "widths": (5, 4), "batch": 6}).default_draw
    rows = criterion.row_losses(y, draw)
    found = criterion.row_differences(y, draw, changes)
    np.testing.assert_array_equal(found, [criterion.row_losses(y + each, draw) - rows for each in changes])
    for unit in range(4):
        moved = y + 1.5 * np.eye(4)[unit]
        wanted = criterion.row_losses(moved, draw) - rows
        np.testing.assert_array_equal(criterion.unit_differences(y, draw, 1.5)[:, unit], wanted)
    assert criterion.pushforward(y, draw, changes).shape == (3,)


def test_a_strategy_finds_the_smoothed_accuracy_of_a_linear_classifier() -> None:
    """Of two classes a row is wrong where the difference of two outputs, a normal number, has a sign.

    With weights W + sigma e it has the mean m = (w_1 - w_0) x + b_1 - b_0 and the deviation s = sigma sqrt(2
    (|x|^2 + 1)), so that P(wrong) = Phi(-+ m / s), whose derivative by w_1 is -+ phi(m / s) x / s. Six errors
    of the mean in each of 8 entries: by chance one time in 10^7.
    """
    problem = built("mlp", widths=(3, 2), loss="zero_one", data="synthetic", batch=5)
    sigma, count = 0.3, 40_000
    weight, bias = problem.parameters.values()
    x, t = problem.default_draw.arrays["inputs"], problem.default_draw.arrays["targets"]
    side = np.where(np.argmax(t, axis=1) == 1, -1.0, 1.0)
    s = sigma * np.sqrt(2 * (np.sum(x * x, axis=1) + 1))
    m = x @ (weight[1] - weight[0]) + bias[1] - bias[0]
    slope = side * stats.norm.pdf(m / s) / s / len(x)
    of_one = np.concatenate([slope @ x, [np.sum(slope)]])
    e = np.random.default_rng(0).standard_normal((count, 2, 4))
    above, below = (
        problem.loss(
            {
                "layers.0.weight": weight + sigma * z * e[..., :3],
                "layers.0.bias": bias + sigma * z * e[..., 3],
            }
        )
        for z in (1, -1)
    )
    samples = ((above - below) / (2 * sigma))[:, None, None] * e
    error = np.std(samples, axis=0) / count**0.5
    assert np.all(np.abs(np.mean(samples, axis=0) - np.stack([-of_one, of_one])) < 6 * error)
    assert np.linalg.norm(of_one) > 20 * np.max(error)


@pytest.mark.parametrize("sigma", [0.05, 0.1, 1.0])
def test_the_smoothed_unit_is_known_for_normal_noise_and_for_the_sphere(sigma: float) -> None:
    """Along the input the noise has a density of one number, which is integrated here; across, mean zero."""
    size = 12
    problem = built("heaviside", size=size)
    theta = problem.parameters["x"]
    a = np.tile([0.5, -1.0, 1.5, -0.5, 1.0, -1.5], 2)
    u = 0.1 / sigma
    assert theta @ a / np.linalg.norm(a) == pytest.approx(0.1, rel=1e-12)
    density = special.gamma(size / 2) / np.sqrt(np.pi * size) / special.gamma((size - 1) / 2)
    densities = {
        "gaussian": (stats.norm.pdf, 12.0),
        "sphere": (lambda e: density * (1 - e * e / size) ** ((size - 3) / 2), size**0.5),
    }
    for law in (GAUSSIAN, SPHERE):
        of_one, end = densities[law.name]
        mean = integrate.quad(lambda e, of_one=of_one: e * of_one(e), -min(u, end), end, epsabs=1e-13)[0]
        found = problem.smoothed_form(problem.parameters, problem.default_draw, law, sigma)["x"]
        np.testing.assert_allclose(found, mean / sigma * a / np.linalg.norm(a), rtol=1e-8, atol=1e-12)
    with pytest.raises(UsageError, match="no closed form for rademacher noise in 12 dimensions"):
        problem.smoothed_form(problem.parameters, problem.default_draw, noise_law("rademacher"), sigma)


def test_a_strategy_finds_what_the_unit_has_no_gradient_of() -> None:
    problem = built("heaviside", size=50)
    exact = problem.closed_form(problem.parameters, problem.default_draw)["x"]
    assert not np.any(exact)
    smooth = problem.smoothed_form(problem.parameters, problem.default_draw, GAUSSIAN, 0.1)["x"]
    method = gradmark.get_method("gaussian_es", pairs=20_000, sigma=0.1)
    found = method.prepare(problem)(problem.parameters, 1).gradient["x"]
    along = found @ smooth / (smooth @ smooth)
    assert along == pytest.approx(1, abs=0.05)
    assert found @ smooth / np.linalg.norm(found) / np.linalg.norm(smooth) > 0.95
