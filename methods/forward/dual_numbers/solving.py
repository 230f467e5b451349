"""Functions of square matrices: inverses, systems of equations, determinants, norms (Giles 2008)."""

from typing import Any, NamedTuple

import numpy as np

from methods.forward.dual_numbers.level import Level
from methods.forward.dual_numbers.rules import missing, plain, rule


class SignAndLog(NamedTuple):
    """What np.linalg.slogdet returns."""

    sign: Any
    logabsdet: Any


@rule(np.linalg.inv)
def inv(a: Any) -> Any:
    """dY = -Y dA Y."""
    level = Level([a])
    y = np.linalg.inv(a.value)
    return level.dual(y, -np.matmul(np.matmul(y, a.tangents), y))


@rule(np.linalg.solve)
def solve(a: Any, b: Any) -> Any:
    """dX = A^-1 (dB - dA X)."""
    if np.ndim(plain(b)) == 1:
        return np.linalg.solve(a, b[:, None])[..., 0]
    level = Level((a, b))
    matrix = level.value(a)
    x = np.linalg.solve(matrix, level.value(b))
    moved = level.lifted(b, x.ndim) if level.moves(b) else 0
    if level.moves(a):
        moved = moved - np.matmul(level.lifted(a, x.ndim), x)
    return level.dual(x, np.linalg.solve(matrix, moved))


@rule(np.linalg.det)
def det(a: Any) -> Any:
    """d det A = det A trace(A^-1 dA)."""
    level = Level([a])
    y = np.linalg.det(a.value)
    return level.dual(y, y * _trace_of_solution(a))


@rule(np.linalg.slogdet)
def slogdet(a: Any) -> SignAndLog:
    """d log |det A| = trace(A^-1 dA)."""
    level, (sign, y) = Level([a]), np.linalg.slogdet(a.value)
    return SignAndLog(plain(sign), level.dual(y, _trace_of_solution(a)))


def _trace_of_solution(a: Any) -> Any:
    return np.trace(np.linalg.solve(a.value, a.tangents), axis1=-2, axis2=-1)


@rule(np.trace)
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of a diagonal."""
    return np.sum(np.diagonal(a, offset, axis1, axis2), axis=-1)


@rule(np.linalg.norm)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The root of the sum of squares; along one axis, or of a vector, any p-norm."""
    vector = isinstance(axis, int) or (axis is None and x.ndim == 1)
    if ord in (None, "fro") or (ord == 2 and vector):
        return np.sqrt(np.sum(np.abs(x) ** 2 if x.dtype.kind == "c" else x * x, axis=axis, keepdims=keepdims))
    if not vector or ord == 0:
        raise missing(f"np.linalg.norm with ord={ord} of matrices")
    if ord in (np.inf, -np.inf):
        return (np.max if ord > 0 else np.min)(np.abs(x), axis=axis, keepdims=keepdims)
    return np.sum(np.abs(x) ** ord, axis=axis, keepdims=keepdims) ** (1 / np.asarray(ord, x.dtype))
