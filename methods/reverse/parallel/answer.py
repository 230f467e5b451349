"""From what the workers computed, one flat tensor, to an estimate."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.method import Estimate
from gradmark.parameters import size
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import Work, count

Read = Callable[[Problem, Draw, Any], Estimate]
"""``read(problem, draw, flat)``: an estimate, of what the workers computed."""
NARROW = ("bfloat16", "float16")


def sum_dtype(dtype: str) -> str:
    """The dtype in which the workers' parts are added: float32 for 16-bit numbers, else their own."""
    return "float32" if dtype in NARROW else dtype


def numbers_out(parameters: Mapping[str, Array]) -> int:
    """How many numbers the workers return: the gradient, and the loss after it."""
    return size(parameters) + 1


def views(flat: Any, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Any]:
    """The parts of a flat gradient by name, without a copy."""
    start, named = 0, {}
    for name, shape in shapes.items():
        stop = start + math.prod(shape)
        named[name] = flat[start:stop].reshape(shape)
        start = stop
    return named


def shapes_of(parameters: Mapping[str, Array]) -> dict[str, tuple[int, ...]]:
    """The shapes by name."""
    return {name: tuple(array.shape) for name, array in parameters.items()}


def estimate(problem: Problem, draw: Draw, flat: Any) -> Estimate:
    """The estimate of a flat gradient in the problem's kind of array, with the loss after it.

    Passes made in other processes cannot be counted here, so they are declared: one each way over the rows.
    """
    rows = share_of_rows(problem, draw)
    count(forward=rows, pullback=rows)
    flat = carried(problem, flat)
    value = flat[-1].clone() if problem.arrays.backend == "torch" else flat[-1]
    work = Work(forward=rows, pullback=rows, declared=True)
    return Estimate(views(flat, shapes_of(problem.parameters)), value, work)


def carried(problem: Problem, flat: Any) -> Any:
    """What the workers computed on the problem's device and in its dtype."""
    arrays = problem.arrays
    return flat.to(device=arrays.device, dtype=arrays.dtype_object) if arrays.backend == "torch" else flat
