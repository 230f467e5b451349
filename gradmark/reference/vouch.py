"""Whether a gradient agrees with the loss along random directions, before anyone is judged by it.

For a random direction v the number v.(g - f') is spread as widely as ||g - f'|| is large, for any P.
There is one direction for each array, which names the array that is wrong, and some through all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.measuring.norms import norm
from gradmark.reference import complex_step
from gradmark.reference.point import Numbers, Point, random_direction
from gradmark.reference.rounding import Computed, with_rounding
from gradmark.reference.witness import Direction, Witness

ALLOWED = 4.0
"""Mismatches in units of the stated uncertainties. An error of 4 units escapes three directions with a
probability of (2 Phi(1) - 1)^3 if it is to look smaller than one, and a true gradient is not rejected."""
_THROUGH_ALL = 3
LUCK = 16.0
"""Epsilons of the gradient's own norm: what rounding may be where it was measured to be less by luck."""


class Unreliable(Exception):
    """A computation that cannot serve as a reference here; the message says why."""


@dataclass(frozen=True)
class Vouch:
    """`words` for people; `left` is, for each array, the error that the check could not have seen."""

    words: str
    left: dict[str, float]


def by_differences(witness: Witness, estimate: Computed) -> Vouch:
    """Compare with the differences along the witness's directions. Raises `Unreliable` for a mismatch."""
    slopes = dict(enumerate(zip(witness.directions, witness.slopes, strict=True)))
    found = {str(i): (d, s.value[0], float(s.error[0])) for i, (d, s) in slopes.items()}
    return _compared("differences", witness.spot, estimate, found)


def by_differences_of_each_array(witness: Witness, estimate: Computed) -> Vouch:
    """Compare with differences along one direction of each array. Raises `Unreliable` for a mismatch."""
    directions = _of_each_array(witness)
    found = {name: (direction, witness.slope(direction)) for name, direction in directions.items()}
    values = {name: (d, s.value[0], float(s.error[0])) for name, (d, s) in found.items()}
    return _compared("differences", witness.spot, estimate, values)


def by_complex_step(witness: Witness, estimate: Computed) -> Vouch:
    """Compare with the complex step along each array and through all. Raises `Unreliable` for a mismatch."""
    directions = _of_each_array(witness) | {
        f"all {index}": random_direction(witness.shapes, 4, index) for index in range(_THROUGH_ALL)
    }

    def compute(point: Point) -> Numbers:
        return {name: complex_step.slope(point, direction) for name, direction in directions.items()}

    slopes = with_rounding(compute, witness.spot)
    found = {name: (directions[name], slopes.gradient[name], slopes.uncertainty[name]) for name in directions}
    return _compared("the complex step", witness.spot, estimate, found)


def _of_each_array(witness: Witness) -> dict[str, Direction]:
    shapes = witness.shapes.items()
    return {name: random_direction({name: shape}, 5, index) for index, (name, shape) in enumerate(shapes)}


def _compared(
    what: str, spot: Point, estimate: Computed, found: Mapping[str, tuple[Direction, Any, float]]
) -> Vouch:
    left = {}
    for name, (direction, slope, error) in found.items():
        expected = sum(np.sum(direction[key] * estimate.gradient[key]) for key in direction)
        size = float(np.hypot.reduce([norm(estimate.gradient[key]) for key in direction]))
        own = float(np.hypot.reduce([estimate.uncertainty[key] for key in direction]))
        mismatch, tolerance = abs(float(expected - slope)), ALLOWED * (error + own)
        if not mismatch <= tolerance + LUCK * spot.epsilon * size:
            raise Unreliable(
                f"along a direction through {_arrays(direction)} it gives {float(expected):.6g}, and {what} "
                f"{float(slope):.6g} +- {error:.1g}"
            )
        left[name] = mismatch + error
    return Vouch(
        _words(what, spot, estimate, left), {name: left[name] for name in estimate.gradient if name in left}
    )


def _arrays(direction: Direction) -> str:
    return f"`{next(iter(direction))}`" if len(direction) == 1 else "all parameters"


def _words(what: str, spot: Point, estimate: Computed, left: Mapping[str, float]) -> str:
    size = norm(np.array([norm(array) for array in estimate.gradient.values()]))
    rows = f" on {spot.draw.count} rows" if spot.draw.arrays else ""
    closeness = f", to {max(left.values()) / size:.0e} of the norm" if size > 0 else ""
    return f"{what} along {len(left)} directions{rows}{closeness}"
