"""Mirrored particles that walk through an unrolled problem, a window of steps at each call.

    g_hat = 1/(2 M sigma) sum over M pairs of d w,
    d = what the steps of this call add to f(x + sigma e) - f(x - sigma e)

f is the loss of a particle's state at the end of the call. How e is drawn, and with which w it counts, makes
the method. Over the calls of one unroll, d adds up to the difference after the last step, and so do the
estimates to one of the whole.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from gradmark.arrays import Array
from gradmark.claims import Claims, Exactness, Target
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.method import Estimate, Method, Prepared, Want, unsupported
from gradmark.noise import WeightedSum
from gradmark.parameters import Parameters, detached, finished, ravel
from gradmark.population import members_per_chunk
from gradmark.problem import Problem
from gradmark.work import counting
from methods.evolution.calling import against_moves, black_box_claims
from methods.evolution.unrolled.walking import Walk

Moves = Callable[[int, int], tuple[Array, Array]]
"""``moves(start, stop)``: e and w of those pairs, both of shape (stop - start, P)."""


@dataclass(frozen=True)
class Particles:
    """What a call of `method` with so many `pairs` gives to the next one, as ``state``.

    `calls` were made so far, and `position` steps of the present unroll: 0 between two, when nothing else
    is held. `ahead` and `behind` are the states at x + sigma e and x - sigma e with the pairs as leading
    axis, `apart` (M,) how far their losses are apart, `noise` what the method holds of its noise, and
    `rows` how many the draw has.
    """

    method: str
    pairs: int
    calls: int = 0
    position: int = 0
    ahead: Any = None
    behind: Any = None
    apart: Array | None = None
    noise: Any = None
    rows: int | None = None


@dataclass(frozen=True)
class Stretch:
    """The steps `start` to `stop` - 1 that a call makes with the particles that were there `before`.

    `ends` says whether the unroll does. `first` is the number of its first move in the endless sequence of a
    seed: no two calls have the same moves, not even with the same seed.
    """

    before: Particles
    start: int
    stop: int
    ends: bool

    @property
    def first(self) -> int:
        """After all moves of the calls before."""
        return self.before.calls * self.before.pairs


Estimator = Callable[[Parameters, Draw, int, Stretch], tuple[Parameters, Particles]]


def prepared(problem: Problem, fresh: Particles, window: int | None, estimate: Estimator) -> Prepared:
    """``estimate(point, draw, seed, stretch)`` as the function that a method prepares.

    `fresh` is the state before the first call.
    """
    horizon = problem.unroll.horizon if problem.unroll else 0

    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        draw = draw or problem.default_draw
        before = fresh if state is None else _checked(state, fresh, draw, horizon)
        stop = horizon if window is None else min(before.position + window, horizon)
        stretch = Stretch(before, before.position, stop, ends=stop == horizon)
        with counting() as work:
            result, after = estimate(detached(parameters), draw, seed, stretch)
        return Estimate(finished(result), None, work.total(), state=after)

    return gradient


def walked(
    walk: Walk, problem: Problem, point: Parameters, draw: Draw, moves: Moves, sigma: float, stretch: Stretch
) -> tuple[Parameters, Particles]:
    """The estimate above, and the particles after the stretch; a chunk of pairs at a time."""
    xp, (x, unravel) = problem.arrays.xp, ravel(point, problem.arrays.xp)
    before, total, held = stretch.before, WeightedSum(problem.arrays, x.shape[0]), []
    steps = (stretch.start, stretch.stop)
    chunk = members_per_chunk(problem, draw, x.shape[0])
    for start in range(0, before.pairs, chunk):
        part = slice(start, min(start + chunk, before.pairs))
        e, w = moves(part.start, part.stop)
        ahead, above = walk(unravel(x + sigma * e), _part(before.ahead, part), draw, *steps)
        behind, below = walk(unravel(x - sigma * e), _part(before.behind, part), draw, *steps)
        apart = above - below
        total.add(apart if before.apart is None else apart - before.apart[part], w)
        if not stretch.ends:
            held.append((ahead, behind, apart))
    after = Particles(before.method, before.pairs, before.calls + 1)
    if held:
        ahead, behind, apart = (_joined(xp, parts) for parts in zip(*held, strict=True))
        after = replace(after, position=stretch.stop, rows=draw.count)
        after = replace(after, ahead=ahead, behind=behind, apart=apart)
    return unravel(total.divided(2 * before.pairs * sigma)), after


def unrolled_claims(exactness: Exactness, target: Target, pairs: int, window: int | None) -> Claims:
    """Of an estimate that takes as many calls as an unroll has windows; None: one."""
    claims = replace(black_box_claims(exactness, target, 2 * pairs), reads=frozenset({"loss", "unroll"}))
    if window is None:
        return claims

    def calls(problem: Problem) -> int:
        return math.ceil(problem.unroll.horizon / window) if problem.unroll else 1

    return replace(claims, calls=calls)


def against_unrolled(method: Method, problem: Problem, want: Want) -> str | None:
    """Why the problem cannot be done, in words; None where it can."""
    if reason := unsupported(method, problem, want):
        return reason
    if problem.unroll is None:
        return f"{problem.call.name} is not unrolled in time: gaussian_es does the same for one step"
    if not problem.population:
        return f"{problem.call.name} takes no population, which particles are"
    return against_moves(problem)


def _checked(state: Any, fresh: Particles, draw: Draw, horizon: int) -> Particles:
    """The state that a call was given."""
    owner = (fresh.method, fresh.pairs)
    if not isinstance(state, Particles) or (state.method, state.pairs) != owner:
        raise UsageError(
            f"{fresh.method}: `state` must be the state of an answer of {fresh.method} with pairs="
            f"{fresh.pairs}, or None, which begins."
        )
    if state.rows not in (None, draw.count):
        raise UsageError(
            f"{fresh.method}: the particles of `state` have {state.rows} rows and the draw has {draw.count}: "
            "keep the draw until the unroll has ended."
        )
    if state.position >= horizon:
        raise UsageError(
            f"{fresh.method}: `state` is at step {state.position} and the unroll has {horizon}: its "
            "particles are of another problem."
        )
    return state


def _part(state: Any, part: slice) -> Any:
    """Of those pairs; None stays."""
    if isinstance(state, tuple):
        return tuple(array[part, ...] for array in state)
    return None if state is None else state[part, ...]


def _joined(xp: Any, parts: Any) -> Any:
    """States, or numbers, of all pairs."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], tuple):
        return tuple(xp.concat(list(each)) for each in zip(*parts, strict=True))
    return xp.concat(list(parts))
