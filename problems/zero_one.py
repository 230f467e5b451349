"""The share of rows that are classified wrongly, as a loss: what people want, and no gradient knows of."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from problems.layers.branches import real_part


@dataclass(frozen=True)
class ZeroOne:
    """1/B times the number of rows whose largest output is not where the largest target is.

    That is 1 less the accuracy. It is constant but for jumps, so its gradient is zero; that of the loss
    smoothed with search noise is not. Of equal outputs the first counts as the largest.
    """

    arrays: Arrays

    def value(self, outputs: Array, draw: Draw) -> Array:
        """The loss, shape () or (N,)."""
        return self.arrays.xp.mean(self.row_losses(outputs, draw), axis=-1)

    def row_losses(self, outputs: Array, draw: Draw) -> Array:
        """0 or 1, shape (..., rows). Connected with the outputs: a graph has a derivative, of zero."""
        return self._wrong(outputs, self._class(draw.arrays["targets"]))

    def row_differences(self, outputs: Array, draw: Draw, changes: Array) -> Array:
        """0, 1 or -1: nothing cancels in the subtraction."""
        return self.row_losses(outputs + changes, draw) - self.row_losses(outputs, draw)

    def unit_differences(self, outputs: Array, draw: Draw, change: float) -> Array:
        """0, 1 or -1 for each output that changes alone."""
        label = self._class(draw.arrays["targets"])
        one = self.arrays.array(change * np.eye(outputs.shape[-1]))
        moved = self._wrong(outputs[..., None, :] + one, label[:, None])
        return moved - self._wrong(outputs, label)[..., None]

    def pullback(self, outputs: Array, draw: Draw) -> Array:
        """Zero."""
        return 0 * outputs

    def pushforward(self, outputs: Array, draw: Draw, tangents: Array) -> Array:
        """Zero, shape (K,)."""
        return 0 * self.arrays.xp.sum(tangents, axis=(-2, -1))

    def value_and_pullback_into(self, outputs: Any, draw: Draw, d_outputs: Any) -> Any:
        """The loss, with zero written into `d_outputs`."""
        d_outputs[...] = 0
        return self.value(outputs, draw)

    def _class(self, rows: Array) -> Array:
        return self.arrays.xp.argmax(real_part(self.arrays.xp, rows), axis=-1)

    def _wrong(self, outputs: Array, label: Array) -> Array:
        zero = 0 * self.arrays.xp.sum(outputs, axis=-1)
        return self.arrays.xp.where(self._class(outputs) == label, zero, zero + 1)
