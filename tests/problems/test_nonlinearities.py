"""The activation functions: digits at the extremes, kinks, NaN, complex arguments."""

import math
from typing import Any

import numpy as np
import pytest
import torch

from gradmark.arrays import Arrays, to_numpy
from problems.layers.log1p import log1p
from problems.layers.nonlinearities import NONLINEARITIES

MAGNITUDES = np.array([1e-30, 1e-8, 1e-3, 0.1, 0.5, 1, 2, 5, 10, 20, 36, 50, 88, 100, 300, 700, 1e3, 1e4])
EXTREMES = np.concatenate([-MAGNITUDES[::-1], [0.0], MAGNITUDES])
DTYPES = ["float32", "float64", "longdouble"]
# Errors of exp, log1p and tanh in units in the last place: at most 4 in the vectorised libraries NumPy uses.
LIBRARY = 4

every_function = pytest.mark.parametrize("name", NONLINEARITIES)


def computed(name: str, z: Any, dtype: str = "float64", backend: str = "numpy") -> tuple[Any, Any]:
    """sigma and sigma' at the numbers of `z`."""
    arrays = Arrays(backend, dtype=dtype)
    point, formula = arrays.array(z), NONLINEARITIES[name]
    h = formula.value(arrays, point)
    return to_numpy(h), to_numpy(formula.derivative(arrays, point, h))


def ulps(found: Any, wanted: Any) -> Any:
    """The distance in units in the last place of the dtype of `found`; `wanted` is more exact."""
    return np.abs(found.astype(np.longdouble) - wanted) / np.spacing(np.abs(wanted).astype(found.dtype))


@every_function
@pytest.mark.parametrize("dtype", DTYPES)
def test_nothing_overflows_up_to_ten_thousand(name: str, dtype: str) -> None:
    if dtype not in NONLINEARITIES[name].dtypes["numpy"]:
        pytest.skip(f"{name} has no {dtype}")
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        value, slope = computed(name, EXTREMES, dtype)
    assert value.dtype == slope.dtype == np.dtype(dtype)
    assert np.all(np.isfinite(value)) and np.all(np.isfinite(slope))
    assert np.all(slope >= -0.13)  # gelu falls, down to -0.1290 at z = -sqrt(2); the others never do
    assert np.all(slope <= 1.13)


@every_function
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_nothing_overflows_on_torch_either(name: str, dtype: str) -> None:
    value, slope = computed(name, EXTREMES, dtype, "torch")
    assert np.all(np.isfinite(value)) and np.all(np.isfinite(slope))


@every_function
@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_nan_stays_nan(name: str, backend: str) -> None:
    pytest.importorskip(backend, reason=f"{backend} is not installed here")
    value, _ = computed(name, [math.nan, 1.0], backend=backend)
    assert np.isnan(value[0]) and not np.isnan(value[1])


# In longdouble exp(1e4) is finite, so these plain formulas lose nothing relative to their value.
def exact_sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def exact_sigmoid_slope(z: Any) -> Any:
    return 1 / (2 + np.exp(z) + np.exp(-z))


def exact_softplus(z: Any) -> Any:
    return np.where(z > 0, z, 0) + np.log1p(np.exp(-np.abs(z)))


def exact_elu(z: Any) -> Any:
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def exact_elu_slope(z: Any) -> Any:
    return np.exp(np.minimum(z, 0))


@pytest.mark.parametrize(
    ("name", "exact", "exact_slope", "roundings"),
    [
        # One exp, then two or three operations of half a unit each; log1p hands the error of exp on.
        ("sigmoid", exact_sigmoid, exact_sigmoid_slope, LIBRARY + 3),
        ("softplus", exact_softplus, exact_sigmoid, 2 * LIBRARY + 1),
        ("elu", exact_elu, exact_elu_slope, LIBRARY),
    ],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_relative_accuracy_at_every_magnitude(
    name: str, exact: Any, exact_slope: Any, roundings: int, dtype: str
) -> None:
    z = EXTREMES.astype(dtype)
    value, slope = computed(name, z, dtype)
    wide = z.astype(np.longdouble)
    assert np.max(ulps(value, exact(wide))) <= roundings
    assert np.max(ulps(slope, exact_slope(wide))) <= roundings


def exact_normal_cdf(z: float) -> Any:
    """Phi(z) in longdouble: its series (terms of one sign) near 0, Laplace's continued fraction beyond."""
    x = abs(np.longdouble(z))
    density = np.exp(-x * x / 2) / np.sqrt(2 * np.arccos(np.longdouble(-1)))
    if x < 3:
        term = total = x
        for odd in range(3, 201, 2):
            term = term * x * x / odd
            total = total + term
        tail = np.longdouble(0.5) - density * total
    else:
        fraction = x
        for k in range(400, 0, -1):
            fraction = x + k / fraction
        tail = density / fraction
    return tail if z < 0 else 1 - tail


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_gelu_keeps_the_digits_that_erfc_can_have(backend: str) -> None:
    """The relative error of exp(-z^2 / 2) is z^2 / 2 roundings of its argument, the least any formula has."""
    pytest.importorskip(backend, reason=f"{backend} is not installed here")
    z = np.array([-30, -10, -5, -3.5, -2, -1, -0.3, -1e-3, 1e-3, 0.3, 1, 2, 3.5, 5, 10, 30])
    value, slope = computed("gelu", z, backend=backend)
    cdf = np.array([exact_normal_cdf(each) for each in z])
    wide = z.astype(np.longdouble)
    density = np.exp(-wide * wide / 2) / np.sqrt(2 * np.pi)
    epsilon = Arrays().epsilon
    relative = (z * z + 4 * LIBRARY) * epsilon
    assert np.all(np.abs(value - wide * cdf) <= relative * np.abs(wide * cdf))
    # Two terms of opposite sign are added for z < 0, so the error is relative to both.
    assert np.all(np.abs(slope - (cdf + wide * density)) <= relative * (cdf + np.abs(wide) * density))


def test_the_slope_of_tanh_is_exact_to_the_resolution_of_one() -> None:
    """1 - h^2 with h within LIBRARY units: an absolute error, which is a large relative one at saturation."""
    _, slope = computed("tanh", EXTREMES)
    wide = EXTREMES.astype(np.longdouble)
    e = np.exp(-2 * np.abs(wide))
    assert np.max(np.abs(slope - 4 * e / (1 + e) ** 2)) <= (2 * LIBRARY + 2) * Arrays().epsilon


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "tanh", "elu", "relu", "leaky_relu", "identity"])
@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "array_api_strict"])
def test_a_complex_step_sees_the_slope_at_every_magnitude(name: str, backend: str) -> None:
    pytest.importorskip(backend, reason=f"{backend} is not installed here")
    z = EXTREMES[np.abs(EXTREMES) <= 300]  # beyond, exp(-|z|) times the step underflows
    step = 1e-20
    complex_arrays = Arrays(backend, dtype="complex128")
    point = complex_arrays.array(z) + 1j * complex_arrays.array(np.full(z.shape, step))
    slope = np.imag(to_numpy(NONLINEARITIES[name].value(complex_arrays, point))) / step
    _, wanted = computed(name, z)
    # sinh and cosh, exp, sin and cos, log1p: some library calls, each within its units.
    slack = 8 * LIBRARY * Arrays().epsilon
    # 1 - h^2 is as exact as 1 is, and so is JAX's complex expm1.
    absolute = name == "tanh" or (name, backend) == ("elu", "jax")
    np.testing.assert_allclose(slope, wanted, rtol=slack, atol=slack if absolute else 0)


@every_function
def test_the_declared_smoothness_is_what_the_slopes_beside_zero_show(name: str) -> None:
    _, slope = computed(name, np.array([-1e-12, 1e-12]))
    # |sigma''| is at most 1 near 0, so a continuous slope changes by 2e-12 at most.
    jumps = abs(slope[1] - slope[0]) > 4e-12
    assert jumps == (NONLINEARITIES[name].smoothness == "kinked")


def test_at_a_kink_the_slope_is_that_of_the_left_branch() -> None:
    assert computed("relu", [0.0])[1] == 0
    assert computed("leaky_relu", [0.0])[1] == 0.01


def test_elu_is_smooth_but_its_second_derivative_jumps_at_zero() -> None:
    """So a central difference across 0 is of first order there, off by h/4, instead of second."""
    errors = []
    for step in (1e-2, 1e-3):
        ahead, behind = (computed("elu", np.array([z]), "longdouble")[0][0] for z in (step, -step))
        errors.append(float(abs((ahead - behind) / (2 * step) - 1)))
    assert errors[0] == pytest.approx(1e-2 / 4, rel=1e-2, abs=0)
    assert math.log10(errors[0] / errors[1]) == pytest.approx(1, abs=1e-2)


@pytest.mark.parametrize("z", [1e-20 + 1e-39j, 4.9e-37 - 7e-45j, 1e-3 + 1e-9j, 1 - 0.5j])
def test_log1p_of_a_complex_number_on_torch_is_that_of_numpy(z: complex) -> None:
    """torch's own gives NaN where the imaginary part is subnormal, as that of exp is for large negative z."""
    arrays = Arrays("torch", dtype="complex64")
    number = arrays.xp.asarray([z], dtype=arrays.dtype_object)
    found, exact = to_numpy(log1p(arrays, number)), np.log1p(to_numpy(number).astype(np.complex128))
    assert found[0].real == pytest.approx(exact[0].real, rel=4 * arrays.epsilon)
    assert found[0].imag == pytest.approx(exact[0].imag, rel=4 * arrays.epsilon)


def test_softplus_of_a_large_negative_complex64_is_finite_on_torch() -> None:
    arrays = Arrays("torch", dtype="complex64")
    number = arrays.xp.asarray([-83.6 - 1e-8j], dtype=arrays.dtype_object)
    assert np.all(np.isfinite(to_numpy(NONLINEARITIES["softplus"].value(arrays, number))))


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "silu"])
def test_on_torch_it_is_one_node_of_the_graph_as_a_user_of_torch_would_have_it(name: str) -> None:
    """A graph of several would make torch's autograd look slow beside methods that read no graph."""
    z = torch.tensor([-1.0, 2.0], requires_grad=True)
    node = NONLINEARITIES[name].value(Arrays("torch", dtype="float32"), z).grad_fn
    assert [type(before).__name__ for before, _ in node.next_functions] == ["AccumulateGrad"]
