"""Divided differences of dense chains in buffers allocated once: `divided_difference.py`'s fast sibling.

With z_l = h_{l-1} W_l^T + b_l and h_l = sigma_l(z_l) for l = 1..L, all units i of layer l change by -s in all
rows. What h_l changes by, dh[row, i], is the same for all that lies behind, so the first affine map takes it
without a matrix product, d[row, i, :] = dh[row, i] W_{l+1}[:, i]; each further one is one product for all
rows and units. Every function passes changes on by its own rule, over the changes where it can.

The last layer is contracted first with what the loss changes by where one output alone does, S_L: the change
of a row's loss is then sum of dh_{L-1} (S_L W_L). That leaves out what two outputs' changes do together,
which is 2^-500 of it (2^-50 in float32): so this is for vanishing steps only.
"""

from contextlib import nullcontext
from typing import Any

from gradmark.arrays import Array
from gradmark.dense_chain import DenseChain
from gradmark.differenced import DifferencedInPlace
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.work import Work, count
from methods.forward.structured.levels import Level, Library, levels_of, library_of

_TOGETHER = {"cpu": 2**15, "cuda": 2**25}
"""Numbers of changes at once: with the room for their denominators they stay in a core's cache."""


def prepare_on_chain(problem: Problem, chain: DenseChain, step: float, portable: Prepared) -> Prepared:
    """The prepared function; a draw of another number of rows goes to `portable`."""
    library, rows = library_of(problem), problem.default_draw.count
    levels = levels_of(problem, chain, library)
    change, criterion = -step, _criterion(problem)
    before = [library.empty(rows, level.units) for level in levels[-2:-1]]
    sweeps = _sweeps(problem, library, levels, change)
    found = {full: level.gradient[name] for level in levels for name, full in level.names}
    result = {name: found[name] for name in problem.parameters}
    work = Work(forward=1 + sum(level.units for level in levels))
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
            h = [draw.arrays["inputs"]]
            for level in levels:
                h.append(level.forward(parameters, h[-1], draw))
            value, last = criterion.value(h[-1], draw), levels[-1]
            last.s[...] = criterion.unit_differences(h[-1], draw, change)
            last.s /= change * rows
            if before:
                library.product(last.s, last.own["weight"], before[0])
            for index, sweep in enumerate(sweeps):
                sweep(draw, h[index + 1 : -1], before[0])
            for level in levels:
                level.contract()
        count(forward=work.forward)
        return Estimate(result, value, work)

    return gradient


def _criterion(problem: Problem) -> Any:
    return problem.criterion


def _sweeps(problem: Problem, library: Library, levels: list[Level], change: float) -> list["_Sweep"]:
    """One for each level but the last; they share two buffers and one for what is worked out on the way."""
    rows = problem.default_draw.count
    widest = rows * max((level.units for level in levels[:-1]), default=1)
    most = _TOGETHER["cuda" if problem.arrays.device.startswith("cuda") else "cpu"]
    together = max(1, most // widest)
    pool = [library.empty(together * widest) for _ in range(3)]
    return [
        _Sweep(library, levels[index:-1], rows, together, pool, change) for index in range(len(levels) - 1)
    ]


class _Sweep:
    """The changes of one level's units, `together` at a time, through the levels behind it: its `s`."""

    def __init__(
        self,
        library: Library,
        levels: list[Level],
        rows: int,
        together: int,
        pool: list[Array],
        change: float,
    ) -> None:
        self.library, self.level, self.behind, self.change = library, levels[0], levels[1:], change
        self.in_place = [_over_changes(each.function) for each in levels]
        units = levels[0].units
        self.dh, self.room = library.empty(rows, units), library.empty(rows, units)
        ends = ((start, min(start + together, units)) for start in range(0, units, together))
        self.chunks = [
            (start, stop, _views(self.behind, rows, stop - start, pool), library.empty(rows, stop - start, 1))
            for start, stop in ends
        ]

    def __call__(self, draw: Draw, h: list[Array], before: Array) -> None:
        """`h` are the values behind the levels, `before` what the loss changes by, by one of the last."""
        library, level = self.library, self.level
        self.dh[...] = self.change
        _passed_on(level, self.in_place[0], h[0], self.dh, self.room, draw)
        if not self.behind:
            library.multiply(self.dh, before, level.s)
        else:
            self.behind[0].turn()
            for chunk in self.chunks:
                self._chunk(*chunk, draw, h, before)
        level.s /= self.change

    def _chunk(
        self, start: int, stop: int, views: Any, out: Array, draw: Draw, h: list[Array], before: Array
    ) -> None:
        library, matrix, d = self.library, None, None
        every = zip(self.behind, self.in_place[1:], h[1:], views, strict=True)
        for level, in_place, value, (after, flat, room) in every:
            if matrix is None:
                library.multiply(level.turned[start:stop], self.dh[:, start:stop, None], after)
            else:
                library.product(matrix, level.own["weight"].T, flat)
            _passed_on(level, in_place, value, after, room, draw)
            d, matrix = after, flat
        library.product_by_row(d, before[:, :, None], out)
        self.level.s[:, start:stop] = out[:, :, 0]


def _views(levels: list[Level], rows: int, many: int, pool: list[Array]) -> list[tuple[Array, Array, Array]]:
    """The changes at each of `levels`, in turns in two buffers: by row, and in one matrix; and room."""
    found = []
    for index, level in enumerate(levels):
        numbers, shape = rows * many * level.units, (rows, many, level.units)
        d, room = pool[index % 2][:numbers].reshape(shape), pool[2][:numbers].reshape(shape)
        found.append((d, d.reshape(rows * many, level.units), room))
    return found


def _over_changes(function: Any) -> bool:
    return isinstance(function, DifferencedInPlace) and function.differences_in_place


def _passed_on(level: Level, in_place: bool, h: Array, d: Array, room: Array, draw: Draw) -> None:
    """Write sigma(z + d) - sigma(z) over `d`, of shape (rows, units) or (rows, K, units)."""
    z, slope = level.z, level.slope
    if d.ndim > 2:
        z, h, slope = z[:, None], h[:, None], slope[:, None]
    if in_place:
        level.function.difference_into(h, slope, d, room)
    else:
        d[...] = level.function.difference({}, z, h, d, draw)
