"""The losses at the end of a network. Each is a mean over the rows of the draw.

mse is one half of the squared error summed over the outputs: for outputs y and targets t of shape (B, n) it
is 1/(2B) sum (y - t)^2, which is n/2 times what torch calls mse_loss.

Where every row has T positions (a transformer), the outputs have a row for each of them, the targets are of
shape (B, T, n), and the mean is over the B T positions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Criterion
from problems.layers.branches import real_part


@dataclass(frozen=True)
class MeanSquaredError:
    """1/(2B) sum over rows and outputs of (y - t)^2; gradient (y - t) / B."""

    arrays: Arrays

    def value(self, outputs: Array, draw: Draw) -> Array:
        """The loss, shape () or (N,)."""
        return self.arrays.xp.mean(self.row_losses(outputs, draw), axis=-1)

    def row_losses(self, outputs: Array, draw: Draw) -> Array:
        """1/2 sum over outputs of (y - t)^2, shape (..., rows)."""
        xp, residual = self.arrays.xp, outputs - _targets(self.arrays.xp, draw)
        return 0.5 * xp.sum(residual * residual, axis=-1)

    def row_differences(self, outputs: Array, draw: Draw, changes: Array) -> Array:
        """sum of d (y - t + d / 2)."""
        xp, residual = self.arrays.xp, outputs - _targets(self.arrays.xp, draw)
        return xp.sum(changes * (residual + 0.5 * changes), axis=-1)

    def unit_differences(self, outputs: Array, draw: Draw, change: float) -> Array:
        """d (y - t + d / 2)."""
        return change * (outputs - _targets(self.arrays.xp, draw) + 0.5 * change)

    def pullback(self, outputs: Array, draw: Draw) -> Array:
        """(y - t) / B."""
        return (outputs - _targets(self.arrays.xp, draw)) / outputs.shape[-2]

    def pushforward(self, outputs: Array, draw: Draw, tangents: Array) -> Array:
        """sum of (y - t) dy / B."""
        return _dot(self.arrays.xp, self.pullback(outputs, draw), tangents)

    def value_and_pullback_into(self, outputs: Any, draw: Draw, d_outputs: Any) -> Any:
        """The loss, with (y - t) / B written into `d_outputs`."""
        library = np if self.arrays.backend == "numpy" else self.arrays.xp
        rows = outputs.shape[0]
        library.subtract(outputs, _targets(library, draw), out=d_outputs)
        residual = d_outputs.reshape(-1)
        value = library.dot(residual, residual) / (2 * rows)
        d_outputs /= rows
        return value


@dataclass(frozen=True)
class CrossEntropy:
    """1/B sum over rows of -sum_k t_k log softmax(y)_k, for targets t that sum to one.

    The gradient is (softmax(y) - t) / B. With d = y - max y the loss of a row is log sum exp d - sum t d,
    which neither overflows nor cancels for logits of 1e4.
    """

    arrays: Arrays

    def value(self, outputs: Array, draw: Draw) -> Array:
        """The loss, shape () or (N,)."""
        return self.arrays.xp.mean(self.row_losses(outputs, draw), axis=-1)

    def row_losses(self, outputs: Array, draw: Draw) -> Array:
        """-sum over outputs of t log softmax(y), shape (..., rows)."""
        xp = self.arrays.xp
        d = self._shifted(outputs)
        return xp.log(xp.sum(xp.exp(d), axis=-1)) - xp.sum(_targets(xp, draw) * d, axis=-1)

    def row_differences(self, outputs: Array, draw: Draw, changes: Array) -> Array:
        """log1p(sum of softmax(y) expm1(d)) - sum of t d.

        In a row that holds a |d| above 1 the two values of log sum exp are subtracted: the sum may be near -1
        there, and they differ by no less than they are rounded by.
        """
        xp, d = self.arrays.xp, self._shifted(outputs)
        moved = xp.sum(_targets(xp, draw) * changes, axis=-1)
        near = xp.max(xp.abs(changes), axis=-1) <= 1
        small = xp.expm1(xp.where(near[..., None], changes, 0 * changes))
        e = xp.exp(d)
        total = xp.sum(e, axis=-1)
        after = self._shifted(d + changes)
        top = xp.max(d + changes, axis=-1)
        far = top + xp.log(xp.sum(xp.exp(after), axis=-1)) - xp.log(total)
        return xp.where(near, xp.log1p(xp.sum(e * small, axis=-1) / total), far) - moved

    def unit_differences(self, outputs: Array, draw: Draw, change: float) -> Array:
        """log1p(softmax(y) expm1(d)) - t d."""
        xp = self.arrays.xp
        e = xp.exp(self._shifted(outputs))
        p = e / xp.sum(e, axis=-1, keepdims=True)
        return xp.log1p(p * xp.expm1(xp.full_like(p, change))) - change * _targets(xp, draw)

    def pullback(self, outputs: Array, draw: Draw) -> Array:
        """(softmax(y) - t) / B."""
        xp = self.arrays.xp
        e = xp.exp(self._shifted(outputs))
        return (e / xp.sum(e, axis=-1, keepdims=True) - _targets(xp, draw)) / outputs.shape[-2]

    def pushforward(self, outputs: Array, draw: Draw, tangents: Array) -> Array:
        """sum of (softmax(y) - t) dy / B."""
        return _dot(self.arrays.xp, self.pullback(outputs, draw), tangents)

    def value_and_pullback_into(self, outputs: Any, draw: Draw, d_outputs: Any) -> Any:
        """The loss, with (softmax(y) - t) / B written into `d_outputs`."""
        library = np if self.arrays.backend == "numpy" else self.arrays.xp
        targets, d, rows = _targets(library, draw), d_outputs, outputs.shape[0]
        library.subtract(outputs, library.amax(outputs, -1)[:, None], out=d)
        picked = library.dot(targets.reshape(-1), d.reshape(-1))
        library.exp(d, out=d)
        total = d.sum(-1)
        value = (library.log(total).sum() - picked) / rows
        total *= rows
        d /= total[:, None]
        # Targets are scaled in a temporary as small as the outputs.
        d -= targets / rows
        return value

    def _shifted(self, outputs: Array) -> Array:
        xp = self.arrays.xp
        return outputs - xp.max(real_part(xp, outputs), axis=-1, keepdims=True)


def _targets(xp: Any, draw: Draw) -> Array:
    """The targets with one row for each row of the outputs."""
    targets = draw.arrays["targets"]
    return targets if targets.ndim == 2 else xp.reshape(targets, (-1, targets.shape[-1]))


def _dot(xp: Any, gradient: Array, tangents: Array) -> Array:
    return xp.sum(gradient * tangents, axis=(-2, -1))


LOSSES: dict[str, Callable[[Arrays], Criterion]] = {"mse": MeanSquaredError, "cross_entropy": CrossEntropy}
