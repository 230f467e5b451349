"""Multi-head self-attention: every position of a sequence reads from the others (Vaswani et al. 2017)."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import NamedLayer, Own
from problems.layers.chain import Chain
from problems.layers.dense import Dense
from problems.layers.softmax import softmax, softmax_difference, through_softmax


@dataclass(frozen=True)
class Attention:
    """y is the context that each position reads: for each head softmax(q k^T / sqrt(n)) v. No parameters.

    x is (rows T, 3 width), T being `positions`: q, k and v side by side, of which each of the `heads` has
    n = width / heads units; y is (rows T, width). The softmax is over the positions read from; with `causal`
    only the position itself and those before it are.

    pullback, with S = q k^T / sqrt(n) and A = softmax(S): dv = A^T dy, dA = dy v^T,
    dS = A * (dA - sum(A dA)), where the sum over a row of A dA is that over a row of y dy, which is shorter
    (Dao et al. 2022); dq = dS k / sqrt(n), dk = dS^T q / sqrt(n).
    pushforward: dS = (dq k^T + q dk^T) / sqrt(n), dA = A * (dS - sum(A dS)), dy = dA v + A dv.
    """

    width: int
    heads: int
    positions: int
    causal: bool
    arrays: Arrays

    @property
    def _scale(self) -> float:
        return 1 / sqrt(self.width // self.heads)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """What is read from where depends on q, k and v alone."""
        return {}

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """(rows T, width)."""
        return input_shape[0], self.width

    def widest(self, input_shape: tuple[int, int]) -> int:
        """The scores of all heads."""
        return input_shape[0] * self.heads * self.positions

    def flops(self, rows: int) -> float:
        """The products q k^T and A v, whose masked half is computed too."""
        return 4.0 * rows * self.positions * self.width

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """Twice as many."""
        return 2 * self.flops(rows) if input_gradient else 0.0

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """y, and ((q, k, v), A, y)."""
        q, k, v = qkv = self._by_head(x, 3)
        a = softmax(self.arrays, self._scores(q, k))
        y = self._joined(self.arrays.xp.matmul(a, v))
        return y, (qkv, a, y)

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx, which is dq, dk and dv side by side."""
        if not input_gradient:
            return None, {}
        xp, ((q, k, v), a, y) = self.arrays.xp, saved
        (dc,) = self._by_head(dy, 1)
        da = xp.matmul(dc, xp.matrix_transpose(v))
        if self.arrays.itemsize < 4:
            ds = through_softmax(self.arrays, a, da)
        else:
            products = xp.reshape(dy * y, (*y.shape[:-1], self.heads, -1))
            (sums,) = self._by_head(xp.sum(products, axis=-1), 1)
            ds = a * (da - sums)
        dq = xp.matmul(ds, k) * self._scale
        dk = xp.matmul(xp.matrix_transpose(ds), q) * self._scale
        dv = xp.matmul(xp.matrix_transpose(a), dc)
        return self._joined(dq, dk, dv), {}

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy, along tangents of q, k and v."""
        if dx is None:
            return None
        xp, ((q, k, v), a, _) = self.arrays.xp, saved
        dq, dk, dv = self._by_head(dx, 3)
        ds = xp.matmul(dq, xp.matrix_transpose(k)) + xp.matmul(q, xp.matrix_transpose(dk))
        da = through_softmax(self.arrays, a, ds * self._scale)
        return self._joined(xp.matmul(da, v) + xp.matmul(a, dv))

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dS = (dq (k + dk)^T + q dk^T) / sqrt(n), dA that of the softmax, dy = dA (v + dv) + A dv."""
        if dx is None:
            return None
        xp, (q, k, v), (dq, dk, dv) = self.arrays.xp, self._by_head(x, 3), self._by_head(dx, 3)
        scores = self._scores(q, k)
        ds = xp.matmul(dq, xp.matrix_transpose(k + dk)) + xp.matmul(q, xp.matrix_transpose(dk))
        da = softmax_difference(self.arrays, scores, ds * self._scale)
        return self._joined(xp.matmul(da, v + dv) + xp.matmul(softmax(self.arrays, scores), dv))

    def _scores(self, q: Array, k: Array) -> Array:
        """S, masked. q is scaled and not S, which must not be a product alone: see `softmax`."""
        return self._masked(self.arrays.xp.matmul(q * self._scale, self.arrays.xp.matrix_transpose(k)))

    def _by_head(self, z: Array, parts: int) -> tuple[Array, ...]:
        """(..., rows T, parts heads n) as `parts` arrays (..., rows heads, T, n): a matrix for each head."""
        xp, lead, units = self.arrays.xp, z.shape[:-2], z.shape[-1] // (parts * self.heads)
        z = xp.reshape(z, (*lead, -1, self.positions, parts, self.heads, units))
        first = len(lead)
        # The axes after the leading ones are rows, T, parts, heads, n.
        order = (first + 2, *range(first), *(first + axis for axis in (0, 3, 1, 4)))
        z = xp.reshape(xp.permute_dims(z, order), (parts, *lead, -1, self.positions, units))
        return tuple(z[part, ...] for part in range(parts))

    def _joined(self, *parts: Array) -> Array:
        """The transpose of `_by_head`: the parts side by side, as (..., rows T, parts width)."""
        xp, lead = self.arrays.xp, parts[0].shape[:-3]
        first = len(lead)
        order = (*range(first), *(first + axis for axis in (0, 2, 1, 3)))
        shape = (*lead, -1, self.heads, *parts[0].shape[-2:])
        swapped = [xp.permute_dims(xp.reshape(part, shape), order) for part in parts]
        return xp.reshape(xp.concat(swapped, axis=-2), (*lead, -1, len(parts) * self.width))

    def _masked(self, scores: Array) -> Array:
        """`scores` with minus infinity where a position would read from a later one."""
        if not self.causal:
            return scores
        xp, square = self.arrays.xp, scores[(*(0,) * (scores.ndim - 2), ...)]
        seen = xp.tril(xp.ones_like(square, dtype=xp.bool))
        return xp.where(seen, scores, xp.full_like(square, -xp.inf))


def self_attention(width: int, heads: int, positions: int, causal: bool, arrays: Arrays) -> Chain:
    """y = C W_o^T + b_o, C being the `Attention` of q, k and v, the three thirds of x W^T + b, as one layer.

    x and y are (rows T, width). W and b are three maps stacked, so that all nodes are those of two dense
    layers. Parameters are named as in torch.nn.MultiheadAttention.
    """
    into, out = Dense(width, 3 * width, arrays, parts=3), Dense(width, width, arrays)
    core = Attention(width, heads, positions, causal, arrays)
    return Chain((NamedLayer("in_proj_", into), NamedLayer("", core), NamedLayer("out_proj", out)), arrays)
