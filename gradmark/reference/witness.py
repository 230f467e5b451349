"""What differences of the loss say about a point, before any gradient is computed there."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gradmark.reference import cost
from gradmark.reference.ladder import Slopes
from gradmark.reference.point import Point, random_direction
from gradmark.reference.slope import EVALUATIONS, noise_level, slope

Direction = Mapping[str, Any]
THROUGH_ALL = 2
"""Directions through all arrays that differences are taken along."""
_KINK = 8.0
"""Errors of the slope that the two sides must differ by to be called a kink."""


@dataclass(frozen=True)
class Witness:
    """Slopes of the loss along random directions at `point`, by differences over a ladder of steps."""

    point: Point

    @cached_property
    def spot(self) -> Point:
        """The point on as many of its rows as the checks can afford: most often all."""
        return self.point.first_rows(cost.rows_within_limit(self.point, (THROUGH_ALL + 1) * EVALUATIONS))

    @cached_property
    def noise(self) -> float:
        """The noise of the loss at the spot."""
        return noise_level(self.spot)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the parameters."""
        return {name: array.shape for name, array in self.point.numbers.items()}

    @cached_property
    def directions(self) -> list[Direction]:
        """Random directions that move every entry of every array."""
        return [random_direction(self.shapes, 3, index) for index in range(THROUGH_ALL)]

    @cached_property
    def slopes(self) -> list[Slopes]:
        """The derivative of the loss along each of `directions`."""
        return [self.slope(direction) for direction in self.directions]

    def slope(self, direction: Direction) -> Slopes:
        """The derivative of the loss along one direction."""
        return slope(self.spot, direction, self.noise)

    def kink(self) -> str | None:
        """Why the loss is not differentiable here, in words; None where it is.

        Every direction crosses the kink; so all must show it, and chance alone does not show it twice.
        """
        jumps = [float(found.jump[0]) for found in self.slopes]
        if all(jump > _KINK * float(found.error[0]) for jump, found in zip(jumps, self.slopes, strict=True)):
            found = self.slopes[0]
            return (
                f"along a random direction its slope is {float(found.value[0]):.3g} on the average, and "
                f"jumps by {jumps[0]:.3g} at the point"
            )
        return None
