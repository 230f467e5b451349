"""What stands at the end of a network's layers: protocols for its loss. Nobody inherits from these."""

from typing import Any, Protocol, runtime_checkable

from gradmark.arrays import Array
from gradmark.draw import Draw


class Criterion(Protocol):
    """What the loss does with the outputs of the last layer: ``value`` with its derivative both ways."""

    def value(self, outputs: Array, draw: Draw) -> Array:
        """The mean over rows, shape () or one for each member."""

    def pullback(self, outputs: Array, draw: Draw) -> Array:
        """The gradient of the value with respect to `outputs`, with their shape."""

    def pushforward(self, outputs: Array, draw: Draw, tangents: Array) -> Array:
        """The derivative of the value along `tangents` (K, rows, units): shape (K,)."""


@runtime_checkable
class RowWise(Criterion, Protocol):
    """A criterion whose value is the mean of a loss for each row of the outputs by itself."""

    def row_losses(self, outputs: Array, draw: Draw) -> Array:
        """The loss of each row, shape (..., rows): their mean is the value. Leading axes are kept."""

    def row_differences(self, outputs: Array, draw: Draw, changes: Array) -> Array:
        """What each row's loss changes by where the outputs change by `changes` (K, rows, units): (K, rows).

        Without cancellation, as in `gradmark.differenced.Differenced`.
        """

    def unit_differences(self, outputs: Array, draw: Draw, change: float) -> Array:
        """What each row's loss changes by where one output alone changes by `change`: of `outputs`' shape."""


@runtime_checkable
class InPlaceCriterion(Criterion, Protocol):
    """A criterion that can also write its gradient into a NumPy or torch buffer."""

    def value_and_pullback_into(self, outputs: Array, draw: Draw, d_outputs: Array) -> Any:
        """The value, with its gradient written into `d_outputs`; no population axis."""
