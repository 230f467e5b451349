"""The rules by which dual numbers differentiate the functions of NumPy.

Analytic functions are differentiated by complex steps, their gradients once more by differences of these in
longdouble; what NumPy has no complex form of has an analytic twin in the table. Functions that are linear in
pieces are differentiated by differences, which make no rounding errors at multiples of 1/8.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

from gradmark.arrays import epsilon
from methods.forward.dual_numbers import derivative, gradient, jvp
from tests.methods.cases import COMPLEX_STEP

Function = Callable[[Any], Any]
# Sums of at most a dozen numbers, a few functions deep.
ROUNDINGS = 64
# The step of second differences in longdouble: truncation of its square, rounding of epsilon over it.
STEP = 1e-6

M = np.array([[2.0, 1.0, 0.5], [0.25, 3.0, 1.0], [1.0, 0.5, 4.0]])
ANALYTIC: dict[str, Function] = {
    "arithmetic": lambda x: (2 - x) * x / (1 + x) + x**3 - 3 / x + (-x) ** 2 + (+x) ** -1,
    "powers": lambda x: x**x + 2**x + x**0.5 + np.power(x, M[:2]) + x**0 + np.float64(3) * x,
    "exponentials": lambda x: np.exp(x) + np.exp2(x) + np.expm1(x) * np.square(x),
    "logarithms": lambda x: np.log(x) + np.log2(x) - np.log10(x) * np.log1p(x),
    "roots": lambda x: np.sqrt(x) + np.reciprocal(x),
    "trigonometry": lambda x: np.sin(x) * np.cos(x) + np.tan(x),
    "inverse trigonometry": lambda x: np.arcsin(x) * np.arccos(x) + np.arctan(x),
    "hyperbolic": lambda x: np.sinh(x) * np.cosh(x) + np.tanh(x),
    "inverse hyperbolic": lambda x: np.arcsinh(x) * np.arccosh(x + 1.5) + np.arctanh(x),
    "sums": lambda x: np.sum(x) * x.sum(axis=0) + np.mean(x, axis=1, keepdims=True) * x.mean(),
    "products": lambda x: np.prod(x, axis=1)[:, None] * np.cumprod(x) + x.prod(),
    "cumulative sums": lambda x: np.cumsum(x)[None, :] * np.cumsum(x * x, axis=-1)[1, 0] + x.cumsum(0)[0, 1],
    "moments": lambda x: np.average(x * x, axis=1, weights=M[:2]) + np.average(x),
    "matmul": lambda x: (x @ M) @ (x.T @ x) + x[0] @ M + M[0] @ M @ x.T[:, 0] + (x * x) @ M[1] @ x,
    "batches of matmul": lambda x: np.matmul(x[:, None, :], np.stack([x.T, M @ x.T])) @ x[0, :2],
    "vectors": lambda x: (
        np.dot(x[0], x[1]) * np.inner(x, x) + np.vdot(M[:2], x) + np.outer(x[0], x[1])[:2, :2]
    ),
    "dot of more axes": lambda x: np.dot(x.reshape(1, 2, 3), np.stack([x.T, x.T * 2])),
    "tensordot": lambda x: np.tensordot(x, x * x, axes=([0], [0])) + np.tensordot(M, x, axes=(1, 1)) @ x,
    "einsum": lambda x: np.einsum("ij,kj,k->ik", x, x * x, x[:, 0]) + np.einsum("...j,ij", x, x),
    "indexing": lambda x: x[1, ::-1] * x[0, [2, 0, 0]] + x[[0, 1, 1], [2, 2, 0]] ** 2 + x[..., None, 1][0],
    "masks": lambda x: x[x > 0.4] ** 2 if x.dtype.kind == "f" else x[x.real > 0.4] ** 2,
    "index arrays apart": lambda x: (x.reshape(2, 3, 1) * x[0])[[0, 1], :, [2, 1]],
    "joining": lambda x: (
        np.concatenate([x, M, x * x]) @ np.hstack([x[0], x[1]])[:3] + np.append(x, [1, 2])[0]
    ),
    "stacking": lambda x: np.stack([x, x * x], axis=1) * np.vstack([x[0], x[1]])[:, None] + np.ones((2, 3)),
    "columns": lambda x: np.column_stack([x[0], x[1] ** 2, M[0]]) @ M,
    "norms": lambda x: np.sqrt(np.sum(x * x)) * np.diff(x, axis=1) + np.trace(x @ x.T),
    "iteration": lambda x: sum((row * row for row in x), start=0.0) * len(x),
}
IN_FLOAT64: dict[str, Function] = {
    "solving": lambda x: np.linalg.solve(x @ x.T + M[:2, :2], x) + np.linalg.solve(M, x[0] * x[1]),
    "inverses": lambda x: np.linalg.inv(x @ x.T + M[:2, :2]) * np.linalg.det(x @ x.T + M[:2, :2]),
    "error functions": lambda x: special.erf(x) * special.erfc(x * x),
}
# What is not analytic, or has no complex form, beside what it is here.
TWINS: dict[str, tuple[Function, Function]] = {
    "angles": (lambda x: np.arctan2(x[0], x[1]) + np.hypot(x[0], x[1]), lambda x: _angle(x[0], x[1])),
    "logaddexp": (
        lambda x: np.logaddexp(x[0], x[1]) + np.logaddexp2(x[0], x[1]),
        lambda x: np.log(np.exp(x[0]) + np.exp(x[1])) + np.log2(2 ** x[0] + 2 ** x[1]),
    ),
    "cube root": (np.cbrt, lambda x: x ** (np.longdouble(1) / 3)),
    "degrees": (lambda x: np.deg2rad(x) + np.degrees(x * x), lambda x: x * _degree() + x * x / _degree()),
    "remainders": (lambda x: np.remainder(x, 0.29 * x[0, 0]) + np.fmod(x, 0.3), lambda x: _remainders(x)),
    "variance": (
        lambda x: x.var(axis=0) + np.std(x, ddof=1),
        lambda x: ((x - x.mean(axis=0)) ** 2).sum(axis=0) / 2 + np.sqrt(((x - x.mean()) ** 2).sum() / 5),
    ),
    "norm": (
        lambda x: np.linalg.norm(x) * np.linalg.norm(x, axis=1) + np.linalg.norm(x[0], 3),
        lambda x: np.sqrt((x * x).sum()) * np.sqrt((x * x).sum(axis=1)) + (x[0] ** 3).sum() ** (_one() / 3),
    ),
}
SPECIAL: dict[str, tuple[Function, Function]] = {
    "sigmoids": (
        lambda x: special.expit(x) + special.log_expit(x) + special.ndtr(x),
        lambda x: 1 / (1 + np.exp(-x)) - np.log1p(np.exp(-x)) + special.erfc(-x / np.sqrt(2)) / 2,
    ),
    "slogdet": (
        lambda x: np.linalg.slogdet(x @ x.T + M[:2, :2])[1],
        lambda x: np.log(np.linalg.det(x @ x.T + M[:2, :2])),
    ),
}
LINEAR: dict[str, Function] = {
    "shapes": lambda x: x.reshape(3, 2).T + np.ravel(x)[None, :3] + x.flatten()[3] + x.reshape((6,))[5],
    "order of axes": lambda x: np.swapaxes(x, 0, 1) - np.moveaxis(x[None], (0, 2), (2, 0))[:, :, 0],
    "transpose": lambda x: np.transpose(x[None, :, :], (2, 0, 1)) + np.expand_dims(x.mT, 1),
    "axes of length 1": lambda x: (
        np.squeeze(x[:, None], 1) + np.atleast_2d(x) + np.broadcast_to(x[0], (2, 3))
    ),
    "moving": lambda x: np.roll(x, 1, axis=1) + np.flip(x) + np.tile(x[:1], (2, 1)) - np.rot90(x, 2),
    "repeating": lambda x: np.repeat(x, 2, axis=0)[:2] + np.take(x, [1, 1], axis=0) + x.take([0, 1], axis=0),
    "triangles": lambda x: (
        np.tril(x) + 2 * np.triu(x, 1) + np.diag(x[:, 0]) @ M[:2] + np.diagonal(x)[:, None]
    ),
    "padding": lambda x: np.pad(x, 1, constant_values=3.0) + np.pad(x, 1, mode="edge"),
    "splitting": lambda x: np.split(x, 3, axis=1)[1] + sum(np.unstack(x, axis=1)) + x[:, 1:].sum(),
    "choosing": lambda x: np.where(x > 0.5, 2 * x, -x) + np.where(x > 0.5, 1.0, x[0]),
    "select": lambda x: np.select([x > 1, x > 0.5], [x, 2 * x], -x),
    "absolute": lambda x: np.abs(x - 0.6) + np.fabs(x) + np.copysign(x, -1.0),
    "extremes": lambda x: (
        np.maximum(x, 0.6) * 1.0 + np.minimum(x[0], x[1]) + np.fmax(0.1, x) - np.fmin(x, x[0])
    ),
    "the largest": lambda x: np.max(x) + x.min(axis=0) - np.max(x, axis=1, keepdims=True) + np.amin(x),
    "clipping": lambda x: np.clip(x, 0.3, 0.9) + x.clip(min=0.7),
    "sorting": lambda x: np.sort(x, axis=1) * np.array([1, 2, 3]) + np.sort(x, axis=None)[2],
    "rounding": lambda x: x + np.floor(8 * x) + np.round(x) + np.sign(x) + x // 0.3,
    "reductions of ufuncs": lambda x: np.add.reduce(x) + np.maximum.reduce(x, axis=0),
    "constants": lambda x: (
        x + np.zeros_like(x) + np.ones_like(x) + np.full_like(x, 3) + np.full_like(x, x[0, 0])
    ),
    "parts": lambda x: np.real(x) + 2 * x.real + np.conjugate(x) + np.copy(x),
    "booleans": lambda x: x * (x > 0.5) + (x == x[0]) + np.isfinite(x) + np.argmax(x),
}


def _one() -> Any:
    return np.longdouble(1)


def _degree() -> Any:
    return np.deg2rad(_one())


def _angle(a: Any, b: Any) -> Any:
    return np.arctan(a / b) + np.sqrt(a * a + b * b)


def _remainders(x: Any) -> Any:
    floors = np.floor(x.real / (0.29 * x.real[0, 0]))
    return x - floors * 0.29 * x[0, 0] + x - np.trunc(x.real / 0.3) * 0.3


def point(dtype: str = "longdouble") -> Any:
    return np.array([[0.3125, 0.46875, 0.203125], [0.71875, 0.59375, 0.84375]], dtype)


def complex_step(function: Function, x: Any) -> Any:
    """The Jacobian (*shape of the result, *shape of x)."""
    columns = []
    for index in np.ndindex(x.shape):
        moved = x + 0j
        moved[index] += 1j * COMPLEX_STEP
        columns.append(np.imag(function(moved)) / COMPLEX_STEP)
    return np.stack(columns, axis=-1).reshape(*columns[0].shape, *x.shape)


def differences(function: Function, x: Any, step: float) -> Any:
    columns = []
    for index in np.ndindex(x.shape):
        moved = np.zeros_like(x)
        moved[index] = step
        columns.append((function(x + moved) - function(x - moved)) / (2 * step))
    return np.stack(columns, axis=-1).reshape(*columns[0].shape, *x.shape)


def assert_near(found: Any, wanted: Any, slack: float) -> None:
    assert np.shape(found) == np.shape(wanted)
    assert np.linalg.norm(np.ravel(found - wanted)) <= slack * np.linalg.norm(np.ravel(wanted))


ALL = {name: (f, f, "longdouble") for name, f in ANALYTIC.items()}
ALL |= {name: (f, f, "float64") for name, f in IN_FLOAT64.items()}
ALL |= {name: (*pair, "longdouble") for name, pair in TWINS.items()}
ALL |= {name: (*pair, "float64") for name, pair in SPECIAL.items()}


@pytest.mark.parametrize("name", ALL)
def test_the_derivative_of_a_function_is_that_of_complex_steps(name: str) -> None:
    function, twin, widest = ALL[name]
    for dtype in (widest, "float64", "float32"):
        x = point(dtype)
        found = gradient(function, x)
        assert_near(found, complex_step(twin, x.astype(widest)), ROUNDINGS * epsilon(dtype))
        assert found.dtype == np.asarray(function(x)).dtype
        value, _ = jvp(function, x, np.ones_like(x))
        np.testing.assert_array_equal(value, function(x))


@pytest.mark.parametrize("name", [name for name, (_, _, widest) in ALL.items() if widest == "longdouble"])
def test_second_derivatives_by_nesting_are_differences_of_complex_steps(name: str) -> None:
    function, twin, _ = ALL[name]
    x = point()
    wanted = differences(lambda at: complex_step(twin, at), x, STEP)
    slack = 1e3 * (STEP**2 + epsilon("longdouble") / STEP)
    found = gradient(lambda at: gradient(function, at), x)
    assert_near(found, wanted, slack) if np.any(np.abs(wanted) > slack) else np.testing.assert_allclose(
        found, 0, atol=slack
    )


@pytest.mark.parametrize("name", LINEAR)
def test_functions_that_are_linear_in_pieces_have_the_slope_of_their_piece(name: str) -> None:
    function = LINEAR[name]
    for dtype in ("float64", "float32"):
        x = point(dtype)
        found = gradient(function, x)
        assert found.dtype == np.asarray(function(x)).dtype
        # With numbers that are no multiples of powers of two, differences round by an epsilon over the step.
        np.testing.assert_allclose(found, differences(function, x, 2.0**-8), atol=2**10 * epsilon(dtype))
        assert not np.any(gradient(lambda at: gradient(function, at), x))


def test_powers_have_derivatives_where_logarithms_have_none() -> None:
    for power, wanted in ((0, 0.0), (1, 1.0), (2, 0.0), (3.0, 0.0), (np.array(2.0), 0.0)):
        assert derivative(lambda x: x**power, 0.0) == wanted  # noqa: B023
    assert derivative(lambda x: derivative(lambda y: y**2, x), 0.0) == 2
    assert derivative(lambda x: 0.0**x, 2.0) == 0
    np.testing.assert_array_equal(gradient(np.prod, [0.0, 2.0, 3.0]), [6, 0, 0])


def test_at_a_kink_the_derivative_is_that_of_the_left_branch() -> None:
    """As relu'(0) = 0 in the problems; functions made of several kinks then have one branch's derivative."""
    zero = 0.0
    assert derivative(lambda x: np.maximum(x, 0), zero) == derivative(lambda x: np.maximum(0, x), zero) == 0
    assert derivative(lambda x: np.minimum(x, 0), zero) == derivative(lambda x: np.minimum(0, x), zero) == 1
    assert derivative(np.abs, zero) == -1
    assert derivative(lambda x: np.maximum(x, 0.01 * x), zero) == 0.01
    assert (
        derivative(lambda x: np.clip(x, 0, 1), zero) == 0 and derivative(lambda x: np.clip(x, 0, 1), 1.0) == 1
    )
    sigmoid = derivative(lambda x: np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x))), zero)
    assert sigmoid == 0.25
    assert derivative(lambda x: np.maximum(x, 0) + np.expm1(np.minimum(x, 0)), zero) == 1
