"""How far to step along a direction v, of all parameters or of some: typical sizes over v.

    h = b (s . |v|) / (v . v)

with b the step for a coordinate of size 1 and s the sizes of the coordinates (`by_dtype`): |x| / |v|, where
each size counts as much as v has of its coordinate (Brown and Saad 1990, "Hybrid Krylov methods for nonlinear
systems of equations", SIAM J. Sci. Stat. Comput. 11; Knoll and Keyes 2004, J. Comput. Phys. 193, compare
others). What x moves by does not depend on the length of v. The coordinates of a Jacobian move alone: s are
their `lengths` there, so that h is the step of a gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.errors import UsageError
from gradmark.parameters import Parameters
from methods.finite_difference.steps.by_dtype import Rule, wanted, wanted_alone
from methods.finite_difference.steps.room import inward, resolved


@dataclass(frozen=True)
class Rays:
    """K lines x + t u through a point, u being K directions in `units`, whose largest entries are 1.

    `units` holds flat arrays, shape (K, numbers of x), for those parameters that move and have numbers;
    `longest`, shape (K,), is what the directions were divided by. A direction of zeros stays what it is.
    """

    arrays: Arrays
    point: Parameters
    units: Parameters
    longest: Array

    def steps(self, coordinates: Parameters) -> Array:
        """h in units of u, shape (K,), from the steps of all `coordinates` (b s); 1 along zeros."""
        xp = self.arrays.xp
        return self._over_square(lambda name, u: xp.reshape(coordinates[name], (1, -1)) * xp.abs(u))

    def distance(self, right: Parameters, left: Parameters) -> Array:
        """How many times u the members `right` are from `left`, as rounded; 1 along zeros."""
        xp = self.arrays.xp
        return self._over_square(lambda name, u: xp.reshape(right[name] - left[name], u.shape) * u)

    def moves(self, t: Array) -> dict[str, Array]:
        """t u, shape (K, *shape of x), for K numbers t."""
        xp = self.arrays.xp
        return {
            name: xp.reshape(xp.reshape(t, (-1, 1)) * u, (-1, *self.point[name].shape))
            for name, u in self.units.items()
        }

    def moved(self, t: Array) -> dict[str, Array]:
        """The members x + t u."""
        return {name: self.point[name][None, ...] + move for name, move in self.moves(t).items()}

    def slopes(self, differences: Array, distance: Array) -> Array:
        """The `differences`, shape (K, ...), over K distances along u: derivatives along the directions."""
        xp, beside = self.arrays.xp, (-1, *(1,) * (differences.ndim - 1))
        return differences / xp.reshape(distance, beside) * xp.reshape(self.longest, beside)

    def room(self, bounds: tuple[float, float], side: int) -> Array:
        """How far t may go to a `side` until an entry is on a bound, shape (K,)."""
        xp: Any = self.arrays.xp

        def until(name: str, u: Array) -> Array:
            x, still = xp.reshape(self.point[name], (1, -1)), u == 0
            left = xp.where(side * u > 0, bounds[1] - x, x - bounds[0])
            left = left / xp.where(still, xp.ones_like(u), xp.abs(u))
            return xp.min(xp.where(still, xp.full_like(u, float("inf")), left), axis=1)

        return reduce(xp.minimum, [until(name, u) for name, u in self.units.items()])

    def within(self, h: Array, bounds: tuple[float, float] | None, reach: int) -> Array:
        """The step `h`, so short that `reach` of them are half the way to the nearer bound."""
        if bounds is None:
            return h
        nearer = self.arrays.xp.minimum(self.room(bounds, 1), self.room(bounds, -1))
        self._check_room(
            nearer,
            bounds,
            "a central difference steps to both sides: use forward_difference, which steps inward",
        )
        return self.arrays.xp.minimum(h, nearer / (2 * reach))

    def towards(self, h: Array, bounds: tuple[float, float] | None, sign: int) -> Array:
        """The one-sided step `h` with `sign`, or with the other where a bound is in the way."""
        if bounds is None:
            return sign * h
        here, there = (self.room(bounds, side) / 2 for side in (sign, -sign))
        self._check_room(
            self.arrays.xp.maximum(here, there), bounds, "v leaves it to both sides: move it inside"
        )
        return inward(self.arrays.xp, h, here, there, sign)

    def _check_room(self, room: Array, bounds: tuple[float, float], why: str) -> None:
        if bool(self.arrays.xp.any(room <= 0)):
            names = ", ".join(f"`{name}`" for name in self.units)
            raise UsageError(
                f"an entry of {names} lies on a bound of the domain {bounds}, or beyond, and {why}."
            )

    def _over_square(self, term: Callable[[str, Array], Array]) -> Array:
        """The sum of terms over that of u^2."""
        xp = self.arrays.xp
        some, squared = self._squared
        found = xp.where(some, self._sum(term) / squared, xp.ones_like(squared))
        return xp.astype(found, self.arrays.dtype_object)

    @cached_property
    def _squared(self) -> tuple[Array, Array]:
        """Whether u moves at all, and u^2, 1 where it does not."""
        squared = self._sum(lambda name, u: u * u)
        some = squared > 0
        return some, self.arrays.xp.where(some, squared, self.arrays.xp.ones_like(squared))

    def _sum(self, term: Callable[[str, Array], Array]) -> Array:
        """Over all entries of each line; half precision ends at 65504, so not in that."""
        xp: Any = self.arrays.xp
        wide = xp.float32 if self.arrays.itemsize < 4 else None
        return reduce(xp.add, [xp.sum(term(name, u), axis=1, dtype=wide) for name, u in self.units.items()])


def coordinate_steps(
    arrays: Arrays, point: Parameters, rule: Rule, step: float | None, *, alone: bool = False
) -> dict[str, Array]:
    """The step of each coordinate: `step`, or the rule times its size, or its length where it moves `alone`.

    None is so short that rounding would swallow it.
    """
    of, some = wanted_alone if alone else wanted, {n: x for n, x in point.items() if 0 not in x.shape}
    return {name: resolved(arrays, x, of(arrays, x, rule, step)) for name, x in some.items()}


def rays(arrays: Arrays, point: Parameters, tangents: Parameters) -> Rays | None:
    """The lines through `point` along K `tangents`; None where what moves has no numbers."""
    xp: Any = arrays.xp
    moving = {
        name: xp.reshape(array, (array.shape[0], -1))
        for name, array in tangents.items()
        if 0 not in array.shape
    }
    if not moving:
        return None
    largest = reduce(xp.maximum, [xp.max(xp.abs(array), axis=1) for array in moving.values()])
    longest = xp.where(largest > 0, largest, xp.ones_like(largest))
    units = {name: array / xp.reshape(longest, (-1, 1)) for name, array in moving.items()}
    return Rays(arrays, point, units, longest)
