"""The whole gradient from directional derivatives: one along each basis direction."""

from collections.abc import Callable
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.parameters import Parameters
from methods.forward.slopes import Along


def along_basis(
    arrays: Arrays, parameters: Parameters, along: Along, chunk: Callable[[int], int]
) -> tuple[Array, dict[str, Array]]:
    """The loss, and its derivative along every basis direction: the gradient.

    One array moves at a time, so that nothing before it carries tangents; ``chunk(n)`` of the n directions of
    an array go together, and no more one-hot tangents than these exist at once.
    """
    xp, value, gradient = arrays.xp, None, {}
    for name, x in parameters.items():
        slopes, number = [], _numbers(x)
        together = max(1, min(number, chunk(number)))
        for start in range(0, number, together):
            tangents = one_hot(arrays, x, start, min(together, number - start))
            value, slope = along({name: tangents})
            slopes.append(slope)
        gradient[name] = xp.reshape(xp.concat(slopes), tuple(x.shape)) if slopes else xp.zeros_like(x)
    return value, gradient


def one_hot(arrays: Arrays, x: Array, start: int, number: int) -> Array:
    """Basis directions `start` to `start + number` - 1 of the space of `x`, shape (number, *shape of x)."""
    xp = arrays.xp
    unit: Any = xp.eye(number, _numbers(x), k=start, dtype=x.dtype, device=x.device)
    return xp.reshape(unit, (number, *x.shape))


def _numbers(x: Array) -> int:
    number = 1
    for length in x.shape:
        number *= length
    return number
