"""Layers that pass on finite changes: protocols for divided differences. Nobody inherits from these."""

from typing import Protocol, runtime_checkable

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.layer import Layer, Own


@runtime_checkable
class Differenced(Layer, Protocol):
    """A layer that can pass on finite changes of input and parameters without cancellation."""

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """f(p + dp, x + dx) - f(p, x), to the relative accuracy of the changes and not of y = f(p, x).

        Real numbers only. Changes carry one leading axis, and so does what is returned; None stands for zero,
        as in `pushforward`. Nothing is subtracted that is nearly equal: changes far below the spacing of
        numbers at x pass as exactly as large ones (Kahan and Fateman 1985; Reps and Rall 2003).
        """


@runtime_checkable
class DifferencedInPlace(Differenced, Protocol):
    """A layer that acts on each number by itself and can write what it changes by over the change."""

    @property
    def differences_in_place(self) -> bool:
        """Whether it has that form on its backend."""

    def difference_into(self, y: Array, slope: Array, d: Array, room: Array) -> None:
        """Write sigma(x + d) - sigma(x) over `d`, whose numbers are at most 1 in size.

        `y` is sigma(x) and `slope` sigma'(x), which broadcast against `d`; `room` is of its shape.
        """
