"""Node tangents of dense chains in NumPy or torch buffers allocated once: `node_tangent.py`'s fast sibling.

With z_l = h_{l-1} W_l^T + b_l and h_l = sigma_l(z_l) for l = 1..L, outputs z_L and g = dL/dz_L, the ends are

    S_L = g,   S_{L-1} = (g W_L) * sigma'_{L-1}:

the last layer is contracted with the slope of the loss first, because a tangent that crosses it has one
number left. In front of it the tangents t of all units i of layer l are pushed on. The first affine map takes
them without a matrix product, t[row, i, :] = W_{l+1}[:, i] * sigma'_{l+1}[row, :]; each further one is one
product for all rows and units, up to z_{L-1}, where t . S_{L-1} is what the loss does. The factor
sigma'_l[row, i], which all of a tangent has in common, comes last; then dW_l = S_l^T h_{l-1}.
"""

from contextlib import nullcontext
from typing import Any

from gradmark.arrays import Array
from gradmark.criterion import InPlaceCriterion
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.work import Work, count
from methods.forward.structured.levels import Level, Library, levels_of, library_of

_TOGETHER = {"cpu": 2**17, "cuda": 2**26}
"""Numbers of tangents at once. On a CPU they cross all layers while they are in the second-level cache: from
1e3 to 1e6 parameters nothing from 2**13 to 2**21 was more than 14 % faster, and few 7 %. On a GPU they fill
it."""


def prepare_on_chain(problem: Problem, portable: Prepared) -> Prepared:
    """The prepared function; a draw of another number of rows goes to `portable`."""
    library, rows = library_of(problem), problem.default_draw.count
    levels = levels_of(problem, library)
    ends = _Ends(problem, library, levels)
    sweeps = _sweeps(problem, library, levels, ends)
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
            value = ends(h, draw)
            for sweep in sweeps:
                sweep()
            for level in levels:
                level.contract()
        count(forward=1, tangent=work.tangent)
        return Estimate(result, value, work)

    return gradient


class _Ends:
    """The loss, and S of the last two levels; `before` is g W_L = dL/dh_{L-1}."""

    def __init__(self, problem: Problem, library: Library, levels: list[Level]) -> None:
        self.criterion: Any = problem.criterion
        self.in_place = isinstance(problem.criterion, InPlaceCriterion)
        self.library, self.last = library, levels[-1]
        self.inner = levels[-2] if len(levels) > 1 else None
        self.before = None if self.inner is None else library.empty(*self.inner.z.shape)

    def __call__(self, outputs: Array, draw: Draw) -> Array:
        """The loss."""
        last, inner = self.last, self.inner
        if self.in_place:
            value = self.criterion.value_and_pullback_into(outputs, draw, last.s)
        else:
            value = self.criterion.value(outputs, draw)
            last.s[...] = self.criterion.pullback(outputs, draw)
        if inner is not None:
            self.library.product(last.s, last.own["weight"], self.before)
            self.library.multiply(self.before, inner.slope, inner.s)
        return value


def _sweeps(problem: Problem, library: Library, levels: list[Level], ends: _Ends) -> list["_Sweep"]:
    """One for each level but the last two; they share two buffers."""
    crossed, rows = levels[1:-1], problem.default_draw.count
    if not crossed:
        return []
    widest = rows * max(level.units for level in crossed)
    most = _TOGETHER["cuda" if problem.arrays.device.startswith("cuda") else "cpu"]
    together = min(max(1, most // widest), max(level.units for level in levels[:-2]))
    room = [library.empty(together * widest) for _ in range(2)]
    slopes = [*(crossed[-1].s for _ in levels[:-3]), ends.before]
    return [
        _Sweep(library, levels[index:-1], slope, _chunks(levels[index:-1], rows, together, room))
        for index, slope in enumerate(slopes)
    ]


class _Sweep:
    """The tangents of one level's units through the levels behind it: writes the level's `s`.

    `slope` is dL/d of where the tangents end: z_{L-1}, or h_{L-1} where only the first map was crossed.
    """

    def __init__(self, library: Library, levels: list[Level], slope: Array, chunks: list[Any]) -> None:
        self.library, self.chunks, self.slope = library, chunks, slope[:, :, None]
        self.level, self.first, *self.further = levels

    def __call__(self) -> None:
        library, level, first = self.library, self.level, self.first
        multiply, product = library.multiply, library.product
        first.turned[...] = first.own["weight"].T
        by_row = first.slope[:, None]
        for turned, out, (t, *views) in self.chunks:
            multiply(turned, by_row, t[0])
            for crossed, after in zip(self.further, views, strict=True):
                product(t[1], crossed.own["weight"].T, after[1])
                t = after
                if crossed is not self.further[-1]:
                    multiply(t[0], crossed.slope[:, None], t[0])
            library.product_by_row(t[0], self.slope, out)
        multiply(level.s, level.slope, level.s)


def _chunks(levels: list[Level], rows: int, together: int, room: list[Any]) -> list[Any]:
    """For some units of the first level at a time: their part of W^T and of s, and room for their tangents.

    The tangents at each level behind it are in one buffer or the other, by row and all in one matrix.
    """
    level, *crossed = levels
    found = []
    for start in range(0, level.units, together):
        stop = min(start + together, level.units)
        many = rows * (stop - start)
        flat = [
            room[index % 2][: many * each.units].reshape(many, each.units)
            for index, each in enumerate(crossed)
        ]
        views = [(matrix.reshape(rows, stop - start, -1), matrix) for matrix in flat]
        found.append((crossed[0].turned[start:stop], level.s[:, start:stop, None], views))
    return found
