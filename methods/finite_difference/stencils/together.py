"""What the slopes of an array err together, seen by moving all of its coordinates together.

Steps are measured along a few coordinates, and any other may have a jump or a kink inside of its step. So the
finished slopes g have to foretell the loss along directions v of random signs: what they miss there is
r(k) = f(x + k v) - f(x) - g (k v). Differences of r, of two orders more than those of the slopes, are the sum
of v_i e_i over their errors e_i, and its mean square over the signs the sum of (v_i e_i)^2. A kink at the
point itself is missed by no symmetric slope: it is what of r is even and grows like k,
sum of a_k (r(k) + r(-k)) over sum of a_k k, where the weights a_k of the differences cancel all even powers.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Array, to_numpy
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.population import evaluator, members_per_chunk
from gradmark.problem import Problem
from methods.finite_difference import steps
from methods.finite_difference.stencils.weights import Stencil, central, pairs

_DIRECTIONS = 4
"""A jump in one coordinate is seen along any; the mean of four squares is hardly ever a tenth of what is
expected where all coordinates err alike."""


@dataclass(frozen=True)
class Missed:
    """The root mean square, over directions, of what the slopes miss and of half of the jump of a kink.

    `of_slopes` and `of_kinks` are in the unit of a slope, and so are `noises`, the standard deviations of the
    two for losses with noise of standard deviation 1.
    """

    of_slopes: float
    of_kinks: float
    noises: tuple[float, float]


Watch = Callable[[Parameters, Draw, str, Array, Array, Any], Missed | None]
"""``watch(parameters, draw, name, h, slopes, value)``: of the array `name`; `value` is the loss there."""


def evaluations(problem: Problem, stencil: Stencil) -> int:
    """How many evaluations are made beside that at the point."""
    arrays = sum(1 for x in problem.parameters.values() if math.prod(x.shape))
    return arrays * _DIRECTIONS * len(_finer(stencil).offsets)


def watching(problem: Problem, stencil: Stencil) -> Watch:
    """The function that watches slopes which `stencil` gave."""
    losses_at, ahead = _losses(problem), pairs(_finer(stencil))
    factors = np.asarray([[sign * k] for k, _ in ahead for sign in (1, -1)])

    def watch(
        parameters: Parameters, draw: Draw, name: str, h: Array, slopes: Array, value: Any
    ) -> Missed | None:
        x, step, g = (_numbers(each).ravel() for each in (parameters[name], h, slopes))
        if not x.size:
            return None
        v, missed = _moves(x, np.abs(step), problem.bounds, len(ahead)), []
        for signs in _signs(x.size):
            moved = x + factors * (signs * v)
            there, losses = losses_at(parameters, draw, name, moved.reshape(-1, *parameters[name].shape))
            missed.append(losses - _numbers(value) - (there.reshape(moved.shape) - x) @ g)
        unit = float(np.min(v[v > 0], initial=np.inf))
        return _summed(np.stack(missed).reshape(_DIRECTIONS, -1, 2), ahead, unit)

    return watch


def _numbers(array: Any) -> Any:
    return np.asarray(to_numpy(array), np.longdouble)


def _finer(stencil: Stencil) -> Stencil:
    """Symmetric differences of two orders more."""
    return central(max(stencil.order, 2) + 2)


def _signs(size: int) -> Any:
    return np.random.default_rng(size).choice((-1.0, 1.0), (_DIRECTIONS, size))


def _moves(x: Any, h: Any, bounds: tuple[float, float] | None, reach: int) -> Any:
    """Within the steps; so short that noise over them is what it is in the norm of all slopes.

    Entries on a bound stay where they are.
    """
    moves = h * min(0.5, 1 / math.sqrt(x.size))
    return np.maximum(steps.within(np, moves, x, bounds, reach), 0)


def _losses(problem: Problem) -> Callable[[Parameters, Draw, str, Any], tuple[Any, Any]]:
    """The arrays as rounded and the losses there, with `name` replaced by each of many."""
    arrays, evaluate = problem.arrays, evaluator(problem)

    def losses_at(parameters: Parameters, draw: Draw, name: str, members: Any) -> tuple[Any, Any]:
        chunk, there, losses = members_per_chunk(problem, draw, math.prod(members.shape[1:])), [], []
        for start in range(0, len(members), chunk):
            some = arrays.array(members[start : start + chunk])
            there.append(_numbers(some))
            with np.errstate(all="ignore"):
                losses.append(_numbers(evaluate({name: some}, parameters, draw)))
        return np.concatenate(there), np.concatenate(losses)

    return losses_at


def _summed(missed: Any, ahead: list[tuple[int, float]], unit: float) -> Missed | None:
    """From what is missed, of shape (directions, offsets, 2) for both signs; None where nothing is finite.

    Errors that jumps make in coordinates of different steps are taken to be of the shortest, `unit`.
    """
    missed = missed[np.all(np.isfinite(missed), axis=(1, 2))]
    if not len(missed) or unit == np.inf:
        return None
    k, a = (np.asarray(each, np.float64) for each in zip(*ahead, strict=True))
    odd, even = (missed[..., 0] - missed[..., 1]) @ (a / (2 * k)), (missed[..., 0] + missed[..., 1]) @ a
    along = 2 * float(a @ k)
    noises = math.sqrt(2 * np.sum((a / (2 * k)) ** 2)), math.sqrt(2 * np.sum(a**2) + 4) / along
    of_slopes, of_kinks = (float(np.sqrt(np.mean(each**2))) / unit for each in (odd, even / along))
    return Missed(of_slopes, of_kinks, (noises[0] / unit, noises[1] / unit))
