"""Products of arrays, which are linear in each factor: d(a b) = da b + a db."""

from typing import Any

import numpy as np

from gradmark.errors import UsageError
from methods.forward.dual_numbers.level import Level
from methods.forward.dual_numbers.rules import UFUNCS, plain, rule


def _matmul(ufunc: Any, a: Any, b: Any, **options: Any) -> Any:
    """a b; vectors are matrices of one row or one column on the way."""
    level = Level((a, b))
    y = np.matmul(level.value(a), level.value(b), **options)
    left = a[None, :] if np.ndim(plain(a)) == 1 else a
    right = b[:, None] if np.ndim(plain(b)) == 1 else b
    axes = max(left.ndim, right.ndim)
    tangents: Any = None
    if level.moves(a):
        tangents = _rows_times(level.lifted(left, axes), level.value(right))
    if level.moves(b):
        part = np.matmul(level.value(left), level.lifted(right, axes))
        tangents = part if tangents is None else tangents + part
    return level.dual(y, np.reshape(tangents, (level.directions, *y.shape)))


def _rows_times(tangents: Any, matrix: Any) -> Any:
    """All rows of all directions as one product, where there is one matrix."""
    if matrix.ndim > 2:
        return np.matmul(tangents, matrix)
    flat = np.matmul(np.reshape(tangents, (-1, tangents.shape[-1])), matrix)
    return np.reshape(flat, (*tangents.shape[:-1], matrix.shape[-1]))


UFUNCS["matmul"] = _matmul
UFUNCS["vecdot"] = lambda ufunc, a, b, **options: np.sum(np.conjugate(a) * b, axis=-1)
UFUNCS["matvec"] = lambda ufunc, a, b, **options: np.matmul(a, b[..., None])[..., 0]
UFUNCS["vecmat"] = lambda ufunc, a, b, **options: np.matmul(np.conjugate(a)[..., None, :], b)[..., 0, :]


@rule(np.dot)
def dot(a: Any, b: Any) -> Any:
    """A product of matrices, of numbers, or over the last axis of a and the last but one of b."""
    axes = np.ndim(plain(a)), np.ndim(plain(b))
    if 0 in axes:
        return np.multiply(a, b)
    return np.matmul(a, b) if max(axes) <= 2 else np.tensordot(a, b, (-1, -min(axes[1], 2)))


@rule(np.inner)
def inner(a: Any, b: Any, /) -> Any:
    """Over the last axis of both."""
    return np.multiply(a, b) if 0 in (np.ndim(plain(a)), np.ndim(plain(b))) else np.tensordot(a, b, (-1, -1))


@rule(np.outer, np.linalg.outer)
def outer(a: Any, b: Any) -> Any:
    """Each number of a times each of b."""
    return np.ravel(a)[:, None] * np.ravel(b)[None, :]


@rule(np.vdot)
def vdot(a: Any, b: Any, /) -> Any:
    """The sum of all products of the conjugate of a with b."""
    return np.sum(np.conjugate(np.ravel(a)) * np.ravel(b))


@rule(np.linalg.vecdot)
def vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The same along one axis."""
    return np.sum(np.conjugate(x1) * x2, axis=axis)


@rule(np.linalg.matmul)
def linalg_matmul(x1: Any, x2: Any, /) -> Any:
    """A product of matrices."""
    return np.matmul(x1, x2)


@rule(np.tensordot, np.linalg.tensordot)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """As a product of matrices: the axes that are summed over last in a and first in b."""
    left, right = np.ndim(plain(a)), np.ndim(plain(b))
    if isinstance(axes, int):
        axes = (range(left - axes, left), range(axes))
    over_a, over_b = ([axis] if isinstance(axis, int) else list(axis) for axis in axes)
    over_a, over_b = [axis % left for axis in over_a], [axis % right for axis in over_b]
    kept_a = [axis for axis in range(left) if axis not in over_a]
    kept_b = [axis for axis in range(right) if axis not in over_b]
    number = int(np.prod([a.shape[axis] for axis in over_a], dtype=int))
    rows = np.reshape(np.transpose(a, (*kept_a, *over_a)), (-1, number))
    columns = np.reshape(np.transpose(b, (*over_b, *kept_b)), (number, -1))
    shape = (*(a.shape[axis] for axis in kept_a), *(b.shape[axis] for axis in kept_b))
    return np.reshape(np.matmul(rows, columns), shape)


@rule(np.einsum)
def einsum(subscripts: str, *operands: Any, optimize: Any = False) -> Any:
    """Each factor's tangents in its place, with one letter more for the directions."""
    if not isinstance(subscripts, str):
        raise UsageError("np.einsum of dual numbers takes its subscripts as one string, such as 'ij,jk->ik'.")
    inputs, output = _subscripts(subscripts.replace(" ", ""))
    level = Level(operands)
    values: list[Any] = [level.value(x) for x in operands]
    y = np.einsum(subscripts, *values, optimize=optimize)
    extra = next(
        letter
        for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        if letter not in subscripts
    )
    tangents: Any = None
    for place, x in enumerate(operands):
        if level.moves(x):
            lettered = [extra + each if number == place else each for number, each in enumerate(inputs)]
            moved = [*values[:place], x.tangents, *values[place + 1 :]]
            part = np.einsum(f"{','.join(lettered)}->{extra}{output}", *moved, optimize=optimize)
            tangents = part if tangents is None else tangents + part
    return level.dual(y, tangents)


def _subscripts(subscripts: str) -> tuple[list[str], str]:
    """The letters of each factor and of the result; not given, these are those that occur once, in order."""
    left, arrow, output = subscripts.partition("->")
    if not arrow:
        letters = left.replace(",", "").replace("...", "")
        once = sorted(letter for letter in set(letters) if letters.count(letter) == 1)
        output = ("..." if "..." in left else "") + "".join(once)
    return left.split(","), output
