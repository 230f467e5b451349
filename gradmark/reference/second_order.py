"""Second derivatives of the loss: H v and H, as differences of an independent gradient, or of the loss.

The gradient is the problem's closed form or the complex step of its loss; both are exact to rounding, so that
extrapolated differences of them lose few digits. Where neither is possible, mixed second differences of the
loss are extrapolated.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradmark.measuring.norms import norm
from gradmark.random import generator
from gradmark.reference import closed_form, complex_step, cost, pullback
from gradmark.reference.asked import Asked
from gradmark.reference.ladder import STEPS, slopes
from gradmark.reference.point import Numbers, Point
from gradmark.reference.rounding import Computed, with_rounding
from gradmark.reference.slope import noise_level
from gradmark.reference.vector_slope import MIXED, basis, mixed_slope, unit_of

Gradients = Callable[[Point, Any], Any]
"""The gradients at points given as the rows of a matrix: another matrix, shape (points, P)."""
_HELD = 2**20
"""Numbers that are held at once."""
_RUNGS = 10
"""Steps from 2^-3 to 2^-21 of the parameters' size: a gradient is exact enough for the first of them."""
_ROUNDINGS = 16.0
"""Roundings that add up: the methods of this repository stay below two on networks of two layers."""
_NEARBY = 2
_NEAR = 2.0**-10
_NOISE = 4.0
"""Epsilons of the largest entry that a gradient's rounding is taken to be."""


def by_closed_form(asked: Asked) -> Computed:
    """Differences of the closed form."""
    return _differenced(asked, _each(closed_form.gradient))


def by_complex_step(asked: Asked) -> Computed:
    """Differences of the complex step's gradient."""
    return _differenced(asked, complex_step.gradients)


def by_pullback(asked: Asked) -> Computed:
    """Differences of the layers' own pullback, which methods share."""
    return _differenced(asked, _each(pullback.gradient))


def gradients_at(asked: Asked) -> Gradients | None:
    """The gradients at many points, from the most exact that is possible; None where nothing is."""
    ways: list[tuple[Callable[[Asked], str | None], Gradients]] = [
        (no_closed_form, _each(closed_form.gradient)),
        (no_complex_step, complex_step.gradients),
        (no_pullback, _each(pullback.gradient)),
    ]
    return next((gradients for impossible, gradients in ways if impossible(asked) is None), None)


def no_closed_form(asked: Asked) -> str | None:
    """It needs a formula."""
    return closed_form.impossible(asked.point) or _too_much(asked, 3)


def no_complex_step(asked: Asked) -> str | None:
    """It needs complex arithmetic, and a gradient's evaluations for each difference."""
    return _too_much(asked, asked.parameters, complex_numbers=True) or complex_step.impossible(asked.point)


def no_pullback(asked: Asked) -> str | None:
    """It needs layers."""
    return pullback.impossible(asked.point) or _too_much(asked, 3)


def no_differences(asked: Asked) -> str | None:
    """It needs time: a mixed difference for each entry."""
    entries = asked.parameters if asked.want == "hvp" else asked.parameters * (asked.parameters + 1) // 2
    return cost.too_long(asked.point, MIXED * entries, cost.LAST_RESORT)


def by_differences(asked: Asked) -> Computed:
    """Mixed second differences of the loss."""
    point, level = asked.point, noise_level(asked.point)
    units = [unit for _, _, unit in basis(point)]

    def row(direction: Mapping[str, Any], columns: list[Numbers]) -> list[tuple[Any, float]]:
        return [mixed_slope(point, direction, column, level) for column in columns]

    if asked.want == "hvp":
        value, error = np.array(row(asked.direction, units), np.longdouble).T
        named = split(point, value), split(point, error)
    else:
        full = np.zeros((2, len(units), len(units)), np.longdouble)
        for i, unit in enumerate(units):
            full[:, i, i:] = full[:, i:, i] = np.array(row(unit, units[i:]), np.longdouble).T
        named = blocks(point, full[0]), blocks(point, full[1])
    return Computed(named[0], {name: norm(array) for name, array in named[1].items()}, point.dtype)


def _too_much(asked: Asked, evaluations: int, *, complex_numbers: bool = False) -> str | None:
    directions = 1 if asked.want == "hvp" else asked.parameters
    many = directions * 2 * _RUNGS * evaluations
    return cost.too_long(asked.point, many, cost.LIMIT, complex_numbers=complex_numbers)


def _differenced(asked: Asked, gradients: Gradients) -> Computed:
    """Differences of a gradient; uncertain by what the ladder shows, and by measured rounding."""
    errors: dict[str, float] = {}

    def compute(point: Point) -> Numbers:
        values, found = _derivative(asked.at(point), gradients)
        if point is asked.point:
            errors.update({name: norm(array) for name, array in found.items()})
        return values

    rounded = with_rounding(compute, asked.point, nearby=False)
    bounds = {name: max(bound, errors[name]) for name, bound in rounded.uncertainty.items()}
    return Computed(rounded.gradient, bounds, rounded.dtype)


def sensitivity(asked: Asked, found: Computed) -> dict[str, float]:
    """What rounding does to each array of an exact computation, in epsilons: a bound on the 2-norm.

    The differences' own rounding is larger than that of a computation without differences, and says nothing
    about it. So the condition is measured: by how much the quantity changes where all parameters change by a
    small share. Sums over all of its parts round in proportion to the whole.
    """
    point = asked.point if asked.point.narrower is None else asked.point.to("float64")
    gradients = gradients_at(asked.at(point))
    whole = norm(flat(found.gradient))
    if gradients is None:
        return dict.fromkeys(found.gradient, _ROUNDINGS * whole)
    change = dict.fromkeys(found.gradient, 0.0)
    for index in range(_NEARBY):
        random = generator(0, "judge", 10, index)
        near = {n: a * (1 + _NEAR * random.uniform(-1, 1, a.shape)) for n, a in point.numbers.items()}
        values, _ = _derivative(asked.at(point.at(near)), gradients)
        change = {name: max(change[name], norm(values[name] - found.gradient[name])) for name in change}
    return {name: _ROUNDINGS * (moved / _NEAR + whole) for name, moved in change.items()}


def _derivative(asked: Asked, gradients: Gradients) -> tuple[Numbers, Numbers]:
    """The quantity and the ladder's errors, some directions at a time."""
    point = asked.point
    directions = flat(asked.direction)[None] if asked.want == "hvp" else np.eye(asked.parameters)
    here = flat(point.numbers)
    centre = gradients(point, here[None])[0]
    level = _NOISE * point.epsilon * float(np.max(np.abs(centre)))
    chunk, parts = max(1, _HELD // (_RUNGS * here.size)), []
    for start in range(0, len(directions), chunk):
        some = directions[start : start + chunk]
        steps = STEPS[:_RUNGS, None] * [unit_of(point, split(point, each)) for each in some]
        offsets = steps[:, :, None] * some
        plus, minus = (
            gradients(point, (here + side * offsets).reshape(-1, here.size)).reshape(_RUNGS, -1)
            for side in (1, -1)
        )
        lines = np.tile(centre, len(some)), np.repeat(steps, here.size, axis=1)
        found = slopes(plus, minus, *lines, level)
        parts.append(np.stack([found.value, found.error + found.jump / 2]).reshape(2, len(some), -1))
    value, error = np.concatenate(parts, axis=1)
    if asked.want == "hvp":
        return split(point, value[0]), split(point, error[0])
    return blocks(point, value), blocks(point, error)


def _each(gradient: Callable[[Point], Numbers]) -> Gradients:
    """Gradients at many points, one after the other."""
    return lambda point, many: np.stack([flat(gradient(point.at(split(point, one)))) for one in many]).astype(
        np.longdouble
    )


def flat(named: Mapping[str, Any]) -> Any:
    """Named arrays as one vector."""
    return np.concatenate([np.ravel(array) for array in named.values()])


def split(point: Point, vector: Any) -> Numbers:
    """A vector of the length P as named arrays."""
    parts = np.split(vector, np.cumsum([array.size for array in point.numbers.values()])[:-1])
    named = zip(point.numbers.items(), parts, strict=True)
    return {name: part.reshape(array.shape) for (name, array), part in named}


def blocks(point: Point, matrix: Any) -> Numbers:
    """A matrix of the shape (P, P) as arrays named by two names."""
    sizes = {name: array.size for name, array in point.numbers.items()}
    cuts = np.cumsum(list(sizes.values()))[:-1]
    shapes = {name: array.shape for name, array in point.numbers.items()}
    found = {}
    for one, rows in zip(sizes, np.split(matrix, cuts, axis=0), strict=True):
        for other, block in zip(sizes, np.split(rows, cuts, axis=1), strict=True):
            found[f"{one}, {other}"] = block.reshape(*shapes[one], *shapes[other])
    return found
