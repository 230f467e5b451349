"""The losses at the end of a network. Each is a mean over the rows of the draw.

mse is one half of the squared error summed over the outputs: for outputs y and targets t of shape (B, n) it is
1/(2B) sum (y - t)^2, which is n/2 times what torch calls mse_loss.
"""

from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from problems.layers.nonlinearities import real_part


@dataclass(frozen=True)
class MeanSquaredError:
    """1/(2B) sum over rows and outputs of (y - t)^2; gradient (y - t) / B."""

    arrays: Arrays

    def value(self, outputs: Array, draw: Draw) -> Array:
        """The loss, shape () or (N,)."""
        xp, residual = self.arrays.xp, outputs - draw.arrays["targets"]
        return 0.5 * xp.mean(xp.sum(residual * residual, axis=-1), axis=-1)

    def pullback(self, outputs: Array, draw: Draw) -> Array:
        """(y - t) / B."""
        return (outputs - draw.arrays["targets"]) / draw.count

    def pushforward(self, outputs: Array, draw: Draw, tangents: Array) -> Array:
        """sum of (y - t) dy / B."""
        return _dot(self.arrays.xp, self.pullback(outputs, draw), tangents)


@dataclass(frozen=True)
class CrossEntropy:
    """1/B sum over rows of -sum_k t_k log softmax(y)_k, for targets t that sum to one; gradient (softmax(y) - t) / B.

    With d = y - max y it is log sum exp d - sum t d, which neither overflows nor cancels for logits of 1e4.
    """

    arrays: Arrays

    def value(self, outputs: Array, draw: Draw) -> Array:
        """The loss, shape () or (N,)."""
        xp = self.arrays.xp
        d = self._shifted(outputs)
        rows = xp.log(xp.sum(xp.exp(d), axis=-1)) - xp.sum(draw.arrays["targets"] * d, axis=-1)
        return xp.mean(rows, axis=-1)

    def pullback(self, outputs: Array, draw: Draw) -> Array:
        """(softmax(y) - t) / B."""
        xp = self.arrays.xp
        e = xp.exp(self._shifted(outputs))
        return (e / xp.sum(e, axis=-1, keepdims=True) - draw.arrays["targets"]) / draw.count

    def pushforward(self, outputs: Array, draw: Draw, tangents: Array) -> Array:
        """sum of (softmax(y) - t) dy / B."""
        return _dot(self.arrays.xp, self.pullback(outputs, draw), tangents)

    def _shifted(self, outputs: Array) -> Array:
        xp = self.arrays.xp
        return outputs - xp.max(real_part(xp, outputs), axis=-1, keepdims=True)


def _dot(xp: Any, gradient: Array, tangents: Array) -> Array:
    return xp.sum(gradient * tangents, axis=(-2, -1))


LOSSES = {"mse": MeanSquaredError, "cross_entropy": CrossEntropy}
