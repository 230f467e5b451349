"""Each layer by itself: its three passes against complex steps, differences, torch and each other."""

import numpy as np
import pytest
import torch

from gradmark.arrays import Arrays, to_numpy
from gradmark.errors import UsageError
from gradmark.layer import Affine, Elementwise, ElementwiseInPlace, NamedLayer
from gradmark.structure import pulls_several
from problems.layers.activation import Activation
from problems.layers.dense import Dense
from problems.layers.nonlinearities import NONLINEARITIES
from tests.problems.numeric import central_difference, complex_step, jacobian
from tests.problems.scenarios import all_scenarios
from tests.problems.scenarios.case import ROWS, UNITS, Case

# Roundings in one number of a layer's output or derivative, beside the sums: gelu's erfc loses z^2 / 2 more.
ROUNDINGS = 32
SCENARIOS = all_scenarios()
every_layer = pytest.mark.parametrize("name", SCENARIOS)
every_pushforward = pytest.mark.parametrize("name", [n for n, each in SCENARIOS.items() if each.pushforward])


def case_of(name: str, arrays: Arrays | None = None) -> Case:
    return Case(SCENARIOS[name], arrays)


@every_layer
def test_a_layer_is_told_by_the_members_it_has(name: str) -> None:
    layer = case_of(name).layer
    assert isinstance(layer, Affine) == (name in ("dense", "linear"))
    assert isinstance(layer, Elementwise) == (name in NONLINEARITIES)


@every_layer
def test_the_shape_of_the_output_is_known_beforehand(name: str) -> None:
    case, scenario = case_of(name), SCENARIOS[name]
    shape = scenario.shape if scenario.inputs is None else np.shape(scenario.inputs)
    assert case.layer.output_shape(shape) == case.dy.shape


@every_layer
def test_pullback_is_the_transposed_jacobian_times_dy(name: str) -> None:
    case = case_of(name)
    found = case.pullback()
    for key, columns in jacobian(case, case.at).items():
        wanted = (columns.T @ case.dy.ravel()).reshape(case.at[key].shape)
        # Every term of the sum is rounded a few times, and so is each sum of at most NUMBERS terms.
        slack = np.maximum(np.abs(columns), 1).T @ np.abs(case.dy.ravel())
        error = np.abs(found.get(key, np.zeros_like(wanted)) - wanted)
        assert np.all(
            error <= (case.numbers + ROUNDINGS) * case.arrays.epsilon * slack.reshape(wanted.shape)
        ), key


@every_pushforward
def test_pushforward_is_the_jacobian_times_the_tangents(name: str) -> None:
    case = case_of(name)
    once, twice = case.pushforward(*case.at)
    wanted = complex_step(case, case.at, case.direction)
    slack = sum(
        np.abs(columns) @ np.abs(case.direction[key].ravel())
        for key, columns in jacobian(case, case.at).items()
    )
    bound = (case.numbers + ROUNDINGS) * case.arrays.epsilon * (1 + slack.reshape(wanted.shape))
    assert np.all(np.abs(once - wanted) <= bound)
    assert np.all(np.abs(twice - 2 * wanted) <= 2 * bound)


@every_pushforward
def test_pushforward_agrees_with_central_differences(name: str) -> None:
    case = case_of(name)
    wanted, bound = central_difference(case, case.at, case.direction, case.arrays.epsilon)
    # The bound is worth something only if it is near what differences can reach, epsilon^(2/3).
    assert np.max(bound) < 1e3 * case.arrays.epsilon ** (2 / 3)
    assert np.all(np.abs(case.pushforward(*case.at)[0] - wanted) <= bound)


@every_pushforward
def test_pullback_and_pushforward_are_transposes_of_each_other(name: str) -> None:
    """<dy, J d> = <J^T dy, d>: needs no other derivative, so it holds where no oracle reaches."""
    case = case_of(name)
    ahead = case.dy * case.pushforward(*case.at)[0]
    back = {key: case.direction[key] * array for key, array in case.pullback().items()}
    slack = np.sum(np.abs(ahead)) + sum(np.sum(np.abs(array)) for array in back.values())
    difference = np.sum(ahead) - sum(np.sum(array) for array in back.values())
    assert abs(difference) <= (case.numbers + ROUNDINGS) * case.arrays.epsilon * slack


@every_layer
def test_forward_and_pullback_agree_with_torch_autograd(name: str) -> None:
    case = case_of(name, Arrays())
    leaves = {key: torch.tensor(array, requires_grad=True) for key, array in case.at.items()}
    given = [] if "x" in leaves else [torch.tensor(SCENARIOS[name].inputs)]
    y = SCENARIOS[name].torch(*given, *leaves.values())
    wanted = torch.autograd.grad(y, list(leaves.values()), torch.tensor(case.dy))
    slack = (case.numbers + ROUNDINGS) * case.arrays.epsilon
    np.testing.assert_allclose(case(case.at), y.detach().numpy(), rtol=slack, atol=slack)
    found = case.pullback()
    for key, array in zip(leaves, wanted, strict=True):
        np.testing.assert_allclose(found.get(key, 0 * array), array, rtol=slack, atol=slack, err_msg=key)


@every_layer
def test_every_backend_computes_the_same(name: str, everywhere: Arrays) -> None:
    if everywhere.backend not in SCENARIOS[name].backends:
        pytest.skip(f"{name} does not run on {everywhere.backend}")
    here, numpy = case_of(name, everywhere), case_of(name, Arrays())
    slack = (numpy.numbers + ROUNDINGS) * numpy.arrays.epsilon
    np.testing.assert_allclose(here(here.at), numpy(numpy.at), rtol=slack, atol=slack)
    if SCENARIOS[name].pushforward:
        moved = numpy.pushforward(*numpy.at)
        np.testing.assert_allclose(here.pushforward(*here.at), moved, rtol=slack, atol=slack)
    wanted = numpy.pullback()
    for key, array in here.pullback().items():
        np.testing.assert_allclose(array, wanted[key], rtol=slack, atol=slack, err_msg=key)


@every_pushforward
@pytest.mark.parametrize("scale", [1, 30])
def test_a_change_of_order_one_is_the_difference_of_two_values(name: str, scale: int) -> None:
    case = case_of(name)
    found, moved = case.difference(scale)
    for member, change in enumerate(found):
        before, after = case(case.at), case({key: at + moved[key][member] for key, at in case.at.items()})
        slack = np.max(np.abs(before)) + np.max(np.abs(after))
        assert np.all(np.abs(change - (after - before)) <= _tolerance(case) * slack)


@every_pushforward
def test_a_change_below_the_spacing_of_numbers_keeps_its_digits_on_every_backend(
    name: str, everywhere: Arrays
) -> None:
    """It is the pushforward of it: the next term of the series is 2^-60 times as large."""
    if everywhere.backend not in SCENARIOS[name].backends:
        pytest.skip(f"{name} does not run on {everywhere.backend}")
    case, scale = case_of(name, everywhere), 2.0**-60
    found, _ = case.difference(scale)
    once = scale * case_of(name, Arrays()).pushforward(*case.at)[0]
    slack = _tolerance(case) * np.max(np.abs(once))
    assert np.all(np.abs(found[0] - once) <= slack)
    assert np.all(np.abs(found[1] + once / 2) <= slack)


def _tolerance(case: Case) -> float:
    return float((case.numbers + ROUNDINGS) * case.arrays.epsilon)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "array_api_strict"])
@pytest.mark.parametrize("name", NONLINEARITIES)
def test_a_nonlinearity_changes_by_cases_on_either_side_of_zero_and_where_it_is_flat(
    name: str, backend: str
) -> None:
    """From z to z + d for both far out, on one side, across, onto and off the kink; d tiny, and larger."""
    if backend not in SCENARIOS[name].backends:
        pytest.skip(f"{name} does not run on {backend}")
    arrays, wide = Arrays(backend), "longdouble" if name != "gelu" else "float64"
    z = np.array([-700.0, -20, -3, -1, -0.5, -1e-3, 0, 0, 1e-3, 0.5, 1, 3, 20, 700])
    own = Activation(name, arrays)
    for d in (1e-9, 0.2, 0.3, 0.999, 1.5, 4, 1400):
        for sign in (1, -1):
            moved = np.full((1, z.size), sign * d)
            found = to_numpy(own.difference({}, arrays.array(z[None]), None, arrays.array(moved[None]), None))
            formula, here = NONLINEARITIES[name], Arrays(dtype=wide)
            far, near = (formula.value(here, each.astype(wide)) for each in (z.astype(wide) + sign * d, z))
            # The oracle subtracts, in `wide`; the sum z + d itself is rounded.
            slack = 16 * arrays.epsilon * (np.abs(far - near) + np.spacing(np.abs(z)) + min(d, 1))
            slack += 4 * here.epsilon * (np.abs(far) + np.abs(near))
            assert np.all(np.abs(found[0, 0] - (far - near)) <= slack), (d, sign)


@every_pushforward
def test_tangents_of_single_arrays_add_up_and_none_stands_for_zero(name: str) -> None:
    case = case_of(name)
    whole = case.pushforward(*case.at)
    parts = [part for key in case.at if (part := case.pushforward(key)) is not None]
    slack = (case.numbers + ROUNDINGS) * case.arrays.epsilon * sum(np.max(np.abs(part)) for part in parts)
    assert np.max(np.abs(sum(parts) - whole)) <= slack
    assert case.pushforward() is None


@every_layer
def test_the_gradient_of_the_input_is_left_out_when_nobody_needs_it(name: str) -> None:
    case = case_of(name)
    without, whole = case.pullback(input_gradient=False), case.pullback()
    for key in case.layer.shapes():
        np.testing.assert_array_equal(without[key], whole[key])
    if SCENARIOS[name].input_gradient:
        assert "x" in whole
        assert "x" not in without or name == "offset"  # which has it anyhow: it is dy


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("name", ["dense", "tanh", "relu"])
def test_the_form_in_buffers_computes_the_same(name: str, backend: str) -> None:
    case = case_of(name, Arrays(backend))
    assert case.layer.works_in_place
    own = {key: case.arrays.array(array) for key, array in case.at.items()}
    x, dy = own.pop("x"), case.arrays.array(case.dy)
    wanted_y, wanted = case(case.at), case.pullback()
    y = case.arrays.zeros(case.layer.output_shape((ROWS, UNITS)))
    case.layer.forward_into(own, x, y)
    gradient = {key: case.arrays.zeros(shape) for key, shape in case.layer.shapes().items()}
    dx = case.arrays.zeros((ROWS, UNITS))
    case.layer.pullback_into(own, x, y, dy, dx, gradient)
    slack = (case.numbers + ROUNDINGS) * case.arrays.epsilon
    np.testing.assert_allclose(to_numpy(y), wanted_y, rtol=slack, atol=slack)
    for key, array in {"x": dx, **gradient}.items():
        np.testing.assert_allclose(to_numpy(array), wanted[key], rtol=slack, atol=slack, err_msg=key)
    if isinstance(case.layer, ElementwiseInPlace):
        slope = case.arrays.zeros((ROWS, UNITS))
        case.layer.derivative_into(y, slope)
        np.testing.assert_allclose(to_numpy(slope) * case.dy, wanted["x"], rtol=slack, atol=slack)
    if case.layer.overwrites_input:
        case.layer.forward_into(own, x, x)
        np.testing.assert_array_equal(to_numpy(x), to_numpy(y))


def test_flops_of_a_dense_layer_are_two_for_each_weight_and_row() -> None:
    assert Dense(UNITS, 3, Arrays()).flops(ROWS) == 2 * ROWS * UNITS * 3
    assert Activation("tanh", Arrays()).flops(ROWS) == 0


@pytest.mark.parametrize("arrays", [Arrays("array_api_strict"), Arrays(dtype="longdouble")], ids=str)
def test_gelu_is_refused_where_there_is_no_erfc(arrays: Arrays) -> None:
    with pytest.raises(UsageError, match=r"`gelu` needs a function that \w+ lacks"):
        Activation("gelu", arrays)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@every_layer
def test_a_layer_that_says_so_pulls_several_cotangents_at_once(name: str, backend: str) -> None:
    case = case_of(name, Arrays(backend))
    if backend not in SCENARIOS[name].backends or not pulls_several((NamedLayer("", case.layer),)):
        return
    own, saved = case.kept()
    several = [case.here(factor * case.dy**power) for factor, power in ((1, 1), (-2, 2), (3, 3))]
    each = [case.layer.pullback(own, saved, dy) for dy in several]
    dx, together = case.layer.pullback(own, saved, case.arrays.xp.stack(several))
    for found, wanted in [
        *((together[key], [gradient[key] for _, gradient in each]) for key in together),
        *([] if dx is None else [(dx, [one for one, _ in each])]),
    ]:
        slack = (case.numbers + ROUNDINGS) * case.arrays.epsilon
        for row, one in zip(to_numpy(found), wanted, strict=True):
            np.testing.assert_allclose(row, to_numpy(one), rtol=0, atol=slack * np.max(np.abs(to_numpy(one))))
