"""Node tangents of dense chains in NumPy or torch buffers allocated once: `node_tangent.py`'s fast sibling.

With z_l = h_{l-1} W_l^T + b_l and h_l = sigma_l(z_l) for l = 1..L, outputs z_L and g = dL/dz_L, the ends are

    S_L = g,   S_{L-1} = (g W_L) * sigma'_{L-1}:

the last layer is contracted with the slope of the loss first, because a tangent that crosses it has one
number left. In front of it the tangents t of all units i of layer l are pushed on, up to z_{L-1}, where
t . S_{L-1} is what the loss does. The factor sigma'_l[row, i], which all of a tangent has in common, comes
last. So the first affine map takes tangents without a matrix product: they are the columns of W_{l+1}, in
every row, and behind it t[row, i, :] = W_{l+1}[:, i] * sigma'_{l+1}[row, :]; each further map is one product
for all rows and units. Those of layer L - 2 end where they are the same in every row, and none is written
down: S_{L-2} = (S_{L-1} W_{L-1}) * sigma'_{L-2}, which is what backpropagation multiplies there too.

Then dW_l = S_l^T h_{l-1}.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import pairwise
from typing import Any

from gradmark.arrays import Array
from gradmark.criterion import InPlaceCriterion
from gradmark.dense_chain import DenseChain
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.work import Work, count
from methods.forward.structured.levels import Level, Library, levels_of, library_of

_TOGETHER = {"numpy": 3 * 2**12, "torch": 2**15, "cuda": 2**26}
"""Numbers of tangents at once, in whole rows. They cross all layers while they are in a core's cache; up to
64 units NumPy's products are then of the size (a million multiplications) that OpenBLAS has a faster kernel
for. On a GPU they fill it."""
_OF_A_ROW = 2**18
"""Numbers of the tangents of one row at once, where a row has more: products of 512 units are whole."""

Step = tuple[Callable[..., Any], tuple[Array, ...]]
"""A function and its arguments, of which it writes the last one."""


def prepare_on_chain(problem: Problem, chain: DenseChain, portable: Prepared) -> Prepared:
    """The prepared function; a draw of another number of rows goes to `portable`."""
    library, rows = library_of(problem), problem.default_draw.count
    levels = levels_of(problem, chain, library)
    loss, ends = _loss(problem, levels[-1].s), list(pairwise(levels[:-4:-1]))
    sweeps = _sweeps(problem, library, levels)
    found = {full: level.gradient[name] for level in levels for name, full in level.names}
    result = {name: found[name] for name in problem.parameters}
    work = Work(forward=1, tangent=sum(level.units for level in levels))
    without_graph = problem.arrays.xp.no_grad if problem.arrays.backend == "torch" else nullcontext

    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        draw = draw or problem.default_draw
        if draw.count != rows:
            return portable(parameters, seed, draw=draw)
        with without_graph():
            h = draw.arrays["inputs"]
            for level in levels:
                h = level.forward(parameters, h, draw)
            value = loss(h, draw)
            for behind, level in ends:
                library.product(behind.s, behind.own["weight"], level.s)
                library.multiply(level.s, level.slope, level.s)
            if sweeps:
                for level in levels[1:-1]:
                    level.turn()
            for operation, arguments in sweeps:
                operation(*arguments)
            for level in levels:
                level.contract()
        count(forward=1, tangent=work.tangent)
        return Estimate(result, value, work)

    return gradient


def _loss(problem: Problem, slope: Array) -> Callable[[Array, Draw], Array]:
    """The loss of outputs, which writes its slope."""
    criterion: Any = problem.criterion
    if isinstance(criterion, InPlaceCriterion):
        return lambda outputs, draw: criterion.value_and_pullback_into(outputs, draw, slope)

    def loss(outputs: Array, draw: Draw) -> Array:
        slope[...] = criterion.pullback(outputs, draw)
        return criterion.value(outputs, draw)

    return loss


def _sweeps(problem: Problem, library: Library, levels: list[Level]) -> list[Step]:
    """The tangents of one level after the other, but for the last three; they share two buffers."""
    arrays, rows, crossed = problem.arrays, problem.default_draw.count, levels[1:-1]
    if len(crossed) < 2:
        return []
    widest = max(level.units for level in crossed)
    most = _TOGETHER["cuda" if arrays.device.startswith("cuda") else arrays.backend]
    of_a_row = min(max(1, _OF_A_ROW // widest), max(level.units for level in levels[:-3]))
    together = min(max(1, most // (of_a_row * widest)), rows)
    room = [library.empty(together * of_a_row * widest) for _ in range(2)]
    return [
        step
        for index in range(len(levels) - 3)
        for step in _sweep(library, levels[index:-1], together, of_a_row, room)
    ]


def _sweep(
    library: Library, levels: list[Level], together: int, of_a_row: int, room: list[Array]
) -> Iterator[Step]:
    """The tangents of the first level's units through those behind it: writes the first level's `s`."""
    level = levels[0]
    for rows in _parts(level.s.shape[0], together):
        for units in _parts(level.units, of_a_row):
            yield from _chunk(library, levels, rows, units, room)
    yield library.multiply, (level.s, level.slope, level.s)


def _parts(numbers: int, size: int) -> Iterator[slice]:
    return (slice(start, min(start + size, numbers)) for start in range(0, numbers, size))


def _chunk(
    library: Library, levels: list[Level], rows: slice, units: slice, room: list[Array]
) -> Iterator[Step]:
    """The tangents of some units in some rows: at each level in one buffer or the other, as one matrix and,
    by row, as `t`.

    All arrays are views of buffers, so that nothing is left to be done in a call but these steps.
    """
    level, first, *further = levels
    leading = (rows.stop - rows.start, units.stop - units.start)
    matrix = _matrix(room[0], math.prod(leading), first.units)
    t = matrix.reshape(*leading, first.units)
    yield library.multiply, (first.turned[units], first.slope[rows, None], t)
    for index, crossed in enumerate(further, 1):
        before, matrix = matrix, _matrix(room[index % 2], math.prod(leading), crossed.units)
        t = matrix.reshape(*leading, crossed.units)
        yield library.product, (before, crossed.turned, matrix)
        if crossed is not levels[-1]:
            yield library.multiply, (t, crossed.slope[rows, None], t)
    yield library.product_by_row, (t, levels[-1].s[rows, :, None], level.s[rows, units, None])


def _matrix(room: Array, rows: int, columns: int) -> Array:
    return room[: rows * columns].reshape(rows, columns)
