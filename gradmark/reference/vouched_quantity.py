"""Whether a Jacobian, a product with it, or a second derivative agrees with the function along directions.

As in `gradmark.reference.vouch`: one direction for each array, and some through all of them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradmark.measuring.norms import norm
from gradmark.reference.asked import Asked
from gradmark.reference.first_order import outputs_slope
from gradmark.reference.point import Numbers, random_direction
from gradmark.reference.rounding import Computed
from gradmark.reference.slope import noise_level
from gradmark.reference.vector_slope import mixed_slope
from gradmark.reference.vouch import ALLOWED, LUCK, Unreliable

_THROUGH_ALL = 2
Checked = tuple[str, dict[str, float]]
"""Words for people, and for each array of the quantity the error that the check could not have seen."""


def by_outputs(asked: Asked, found: Computed) -> Checked:
    """Compare with differences of the outputs along directions. Raises `Unreliable` for a mismatch."""
    left = {}
    for name, direction in _directions(asked):
        expected, size = _along(asked, found, direction)
        slope, error = outputs_slope(asked, direction)
        if asked.want == "vjp":
            slope, error = np.sum(asked.direction * slope), np.sum(np.abs(asked.direction) * error)
        own = _own(found, direction)
        left[name] = _compared(asked, name, expected - slope, norm(np.ravel(error)) + own, size)
    return _words("differences of the outputs", found, left), _by_array(found, left)


def by_mixed_differences(asked: Asked, found: Computed) -> Checked:
    """Compare a^T H b with mixed differences of the loss. Raises `Unreliable` for a mismatch."""
    point, left = asked.point, {}
    level, shapes = noise_level(point), {name: array.shape for name, array in point.numbers.items()}
    other = asked.direction if asked.want == "hvp" else random_direction(shapes, 9)
    for name, direction in _directions(asked):
        value, error = mixed_slope(point, direction, other, level)
        if asked.want == "hvp":
            parts = [direction[key] * found.gradient[key] for key in direction]
        else:
            parts = [
                _contracted(_contracted(found.gradient[f"{one}, {two}"], other[two]), direction[one])
                for one in direction
                for two in other
            ]
        size = float(sum(np.sum(np.abs(part)) for part in parts))
        own = _own(found, direction) * (norm(_flat(other)) if asked.want == "hessian" else 1.0)
        left[name] = _compared(asked, name, sum(np.sum(part) for part in parts) - value, error + own, size)
    return _words("second differences of the loss", found, left), _by_array(found, left)


def _directions(asked: Asked) -> Iterator[tuple[str, Numbers]]:
    """The direction that was asked for where that is all, else random ones; by a name for each."""
    if asked.want == "jvp":
        yield "outputs", asked.direction
        return
    shapes = {name: array.shape for name, array in asked.point.numbers.items()}
    for index, (name, shape) in enumerate(shapes.items()):
        yield name, random_direction({name: shape}, 5, index)
    for index in range(_THROUGH_ALL):
        yield f"all {index}", random_direction(shapes, 4, index)


def _along(asked: Asked, found: Computed, direction: Numbers) -> tuple[Any, float]:
    """What the quantity says of the outputs along `direction`, and how large its parts are."""
    if asked.want == "jvp":
        return found.gradient["outputs"], norm(found.gradient["outputs"])
    if asked.want == "vjp":
        parts = [np.sum(direction[name] * found.gradient[name]) for name in direction]
    else:
        parts = [_contracted(found.gradient[name], direction[name]) for name in direction]
    return sum(parts), float(sum(norm(part) for part in parts))


def _contracted(array: Any, direction: Any) -> Any:
    """The sum over the last axes, which are those of `direction`."""
    return np.tensordot(array, direction, axes=direction.ndim)


def _own(found: Computed, direction: Numbers) -> float:
    """What the quantity's own uncertainty may be along `direction`."""
    return float(np.hypot.reduce(list(found.uncertainty.values()))) * norm(_flat(direction))


def _flat(named: Numbers) -> Any:
    return np.concatenate([np.ravel(array) for array in named.values()])


def _compared(asked: Asked, name: str, difference: Any, known: float, size: float) -> float:
    """The error that may be left; `Unreliable` where the difference is more than is known to be possible."""
    mismatch = norm(np.atleast_1d(difference))
    if not mismatch <= ALLOWED * known + LUCK * asked.point.epsilon * size:
        raise Unreliable(f"along a direction ({name}) it is {mismatch:.2g} of {size:.2g} off differences")
    return mismatch + known


def _by_array(found: Computed, left: dict[str, float]) -> dict[str, float]:
    """Of each array; of those that have no direction of their own (of a Hessian) the largest."""
    return {name: left.get(name, max(left.values())) for name in found.gradient}


def _words(what: str, found: Computed, left: dict[str, float]) -> str:
    size = norm(np.array([norm(array) for array in found.gradient.values()]))
    closeness = f", to {max(left.values()) / size:.0e} of the norm" if size > 0 else ""
    many = f"{len(left)} directions" if len(left) > 1 else "a direction"
    return f"{what} along {many}{closeness}"
