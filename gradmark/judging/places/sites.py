"""Where a gradient is examined: several points of one problem, each with a draw of its own.

A gradient can be right where it was written down and wrong elsewhere: frozen when it was prepared, wrong for
saturated units, or beside a kink. So each site after the first has other parameters and another draw.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.judging.places.kinks import beside_a_kink
from gradmark.judging.places.saturation import enlarged
from gradmark.measuring.norms import norm
from gradmark.parameters import Parameters
from gradmark.problem import Problem, converted
from gradmark.random import generator
from gradmark.reference import NoReference
from gradmark.remembering import once_for

Numbers = Mapping[str, Any]
BESIDE_A_KINK = "near a kink"
"""The site's name; differences cross the kink there."""
_ENOUGH = 0.25
"""Of the fall that the slope promises: less would let a step overshoot to the other side of a valley."""
_TRIED = 2.0**-10
"""How far the loss is looked at to either side, beside numbers of size 1."""
_SMALL, _LARGE = 2.0**-10, 4.0
"""Powers of two, so that scaling rounds nothing."""
_BLOCK = 3
"""Coordinates in a block of a problem that is one array: every block has another scale than the next."""
_NEARBY = 0.125
"""How far "nearby" is, relative to each number: far enough for a curved loss to have another gradient."""
_HALVINGS = 40
"""2^-40 of the way is back at the start, to what float32 can tell."""


@dataclass(frozen=True)
class Site:
    """A point and a draw, with a `name` such as "as built", "after descent" or "near a kink"."""

    name: str
    parameters: Parameters
    draw: Draw


def sites(problem: Problem, seed: int = 0) -> list[Site]:
    """The places where a method is examined on `problem`; the same ones for the same problem and `seed`.

    "as built" with the problem's own draw; "after descent", where the loss is lower; "saturated", with
    parameters enlarged until half of the units are flat; "near a kink", a tiny distance beside one, or
    "nearby" where there is none; "scales", with arrays (or blocks of coordinates) of size 2^-10 and 4 in
    turn. All lie inside the problem's bounds and have a finite loss.
    """
    return once_for(problem, ("sites", seed), lambda: _sites(problem, seed))


def _sites(problem: Problem, seed: int) -> list[Site]:
    start = {name: np.array(to_numpy(array)) for name, array in problem.parameters.items()}
    built = Site("as built", converted(start, problem.arrays), _copied(problem, problem.default_draw))
    random = generator(seed, "judge", 7)
    place = _place(problem)
    movers: list[tuple[str, Callable[[Draw], Numbers | None]]] = [
        ("after descent", lambda _: _descended(problem, place, built)),
        ("saturated", lambda draw: enlarged(place, start, _copied(place, draw))),
        (
            BESIDE_A_KINK,
            lambda draw: beside_a_kink(place, start, _copied(place, draw), problem.arrays.epsilon),
        ),
        ("nearby", lambda draw: _nearby(start, random)),
        ("scales", lambda draw: _scaled(start)),
    ]
    found = [built]
    for index, (name, move) in enumerate(movers):
        draw = problem.draw(1 + index + len(movers) * seed)
        moved = None if name == "nearby" and found[-1].name == BESIDE_A_KINK else move(draw)
        if moved is not None:
            found.append(Site(name, _pulled_back(problem, start, moved, draw), draw))
    return found


def _place(problem: Problem) -> Problem:
    """Where points are looked for: on NumPy if possible, where no operation has to be compiled first."""
    try:
        return problem.to(backend="numpy", dtype="float64")
    except UsageError:
        return problem


def _copied(problem: Problem, draw: Draw) -> Draw:
    return Draw(converted(draw.arrays, problem.arrays), draw.seed)


def _descended(problem: Problem, place: Problem, built: Site) -> Numbers:
    """One step down the reference gradient, halved until the loss falls enough for it (Armijo 1966)."""
    from gradmark.judging.places.references import reference_at

    start = {name: to_numpy(array) for name, array in built.parameters.items()}
    draw = _copied(place, built.draw)
    try:
        uphill = reference_at(problem, built, frozenset()).gradient
    except NoReference:
        uphill = _random_ascent(place, start, draw)
    slope = norm(np.array([norm(array) for array in uphill.values()]))
    reach = norm(np.array([norm(array) for array in start.values()])) or 1.0
    step, value = reach / (slope or 1.0), _loss(place, start, draw)
    for _ in range(_HALVINGS):
        moved = {name: start[name] - step * uphill[name] for name in start}
        enough = value - _ENOUGH * step * slope**2
        if _inside(problem, moved) and _loss(place, moved, draw) < enough:
            return moved
        step /= 2
    return start


def _random_ascent(problem: Problem, start: Numbers, draw: Draw) -> dict[str, Any]:
    """A random direction that the loss rises along, where nothing better is known."""
    random = generator(0, "judge", 8)
    ahead = {name: random.standard_normal(array.shape) for name, array in start.items()}
    rise = [_loss(problem, {n: start[n] + s * _TRIED * ahead[n] for n in start}, draw) for s in (1, -1)]
    return ahead if rise[0] > rise[1] else {name: -array for name, array in ahead.items()}


def _nearby(start: Numbers, random: np.random.Generator) -> Numbers:
    whole = max((float(np.max(np.abs(array))) for array in start.values()), default=0.0) or 1.0
    return {
        name: array
        + _NEARBY * np.maximum(np.abs(array), _NEARBY * whole) * random.uniform(-1, 1, array.shape)
        for name, array in start.items()
    }


def _scaled(start: Numbers) -> Numbers:
    if len(start) > 1:
        return {name: array * (_LARGE if i % 2 else _SMALL) for i, (name, array) in enumerate(start.items())}
    return {name: array * _blocks(array.size).reshape(array.shape) for name, array in start.items()}


def _blocks(size: int) -> Any:
    return np.where(np.arange(size) // _BLOCK % 2 == 0, _SMALL, _LARGE)


def _pulled_back(problem: Problem, start: Numbers, moved: Numbers, draw: Draw) -> dict[str, Any]:
    """Half of the way back to the start, until it is inside the bounds and the loss is finite."""
    here, share = dict(moved), 1.0
    for _ in range(_HALVINGS):
        if _inside(problem, here) and np.isfinite(_loss(problem, here, draw)):
            break
        share /= 2
        here = {name: start[name] + share * (moved[name] - start[name]) for name in start}
    else:
        here = dict(start)
    return converted(here, problem.arrays)


def _inside(problem: Problem, numbers: Numbers) -> bool:
    if problem.bounds is None:
        return True
    low, high = problem.bounds
    return all(bool(np.all((low < array) & (array < high))) for array in numbers.values())


def _loss(problem: Problem, numbers: Numbers, draw: Draw) -> float:
    with np.errstate(all="ignore"):
        return float(to_numpy(problem.loss(converted(numbers, problem.arrays), draw)))
