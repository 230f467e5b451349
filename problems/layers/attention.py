"""Multi-head self-attention: every position of a sequence reads from the others (Vaswani et al. 2017)."""

from dataclasses import dataclass
from functools import cached_property
from math import sqrt
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Own
from problems.initialisations import Weights
from problems.layers.dense import Dense
from problems.layers.softmax import softmax, softmax_difference, through_softmax


@dataclass(frozen=True)
class SelfAttention:
    """y = C W_o^T + b_o, where each head's part of C is softmax(q k^T / sqrt(n)) v.

    x is (rows T, width), T being `positions`. q, k and v are the three thirds of x W^T + b, and each of the
    `heads` has n = width / heads of their units. The softmax is over the positions read from; with `causal`
    only the position itself and those before it are. Parameters are named as in torch.nn.MultiheadAttention.

    pullback, with S = q k^T / sqrt(n), A = softmax(S) and dC from the out-projection's own pullback:
    dv = A^T dC, dA = dC v^T, dS = A * (dA - sum(A dA)), where the sum over a row of A dA is that over a row
    of C dC, which is shorter (Dao et al. 2022); dq = dS k / sqrt(n), dk = dS^T q / sqrt(n).
    pushforward: dS = (dq k^T + q dk^T) / sqrt(n), dA = A * (dS - sum(A dS)), dC = dA v + A dv.
    """

    width: int
    heads: int
    positions: int
    causal: bool
    arrays: Arrays

    @cached_property
    def _into(self) -> Dense:
        return Dense(self.width, 3 * self.width, self.arrays)

    @cached_property
    def _out(self) -> Dense:
        return Dense(self.width, self.width, self.arrays)

    @property
    def _scale(self) -> float:
        return 1 / sqrt(self.width // self.heads)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """In-projection and out-projection, a matrix and a bias each."""
        lead = {"in_proj_": self._into, "out_proj.": self._out}
        return {
            name + short: shape for name, dense in lead.items() for short, shape in dense.shapes().items()
        }

    def initial(self, random: Any, weights: Weights) -> dict[str, Any]:
        """Four matrices as `weights` draws them, and biases of zero."""
        q, k, v, out = (weights(random, self.width, self.width) for _ in range(4))
        return {
            "in_proj_weight": np.concatenate([q, k, v]),
            "in_proj_bias": np.zeros(3 * self.width),
            "out_proj.weight": out,
            "out_proj.bias": np.zeros(self.width),
        }

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """The shape of x."""
        return input_shape

    def widest(self, input_shape: tuple[int, int]) -> int:
        """q, k and v, or the scores of all heads."""
        return input_shape[0] * max(3 * self.width, self.heads * self.positions)

    def flops(self, rows: int) -> float:
        """Two projections, and the products q k^T and A v, whose masked half is computed too."""
        return self._into.flops(rows) + self._out.flops(rows) + self._inner_flops(rows)

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """Twice as many; the first projection's second product is left out with dx."""
        into = self._into.pullback_flops(rows, input_gradient=input_gradient)
        return into + self._out.pullback_flops(rows) + 2 * self._inner_flops(rows)

    def _inner_flops(self, rows: int) -> float:
        return 4.0 * rows * self.positions * self.width

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """y, and (x, (q, k, v), A, C)."""
        xp = self.arrays.xp
        q, k, v = qkv = self._by_head(self._into.forward(_part(p, "in_proj_"), x, draw)[0], 3)
        # q is scaled and not the scores, which must not be a product alone: see `softmax`.
        a = softmax(self.arrays, self._masked(xp.matmul(q * self._scale, xp.matrix_transpose(k))))
        context = self._joined(xp.matmul(a, v))
        y, _ = self._out.forward(_part(p, "out_proj."), context, draw)
        return y, (x, qkv, a, context)

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx and the gradients of the four parameters."""
        xp, (x, (q, k, v), a, context) = self.arrays.xp, saved
        d_context, out = self._out.pullback(_part(p, "out_proj."), context, dy)
        (dc,) = self._by_head(d_context, 1)
        da = xp.matmul(dc, xp.matrix_transpose(v))
        if self.arrays.itemsize < 4:
            ds = through_softmax(self.arrays, a, da)
        else:
            products = xp.reshape(d_context * context, (*context.shape[:-1], self.heads, -1))
            (sums,) = self._by_head(xp.sum(products, axis=-1), 1)
            ds = a * (da - sums)
        dq = xp.matmul(ds, k) * self._scale
        dk = xp.matmul(xp.matrix_transpose(ds), q) * self._scale
        dv = xp.matmul(xp.matrix_transpose(a), dc)
        dx, into = self._into.pullback(
            _part(p, "in_proj_"), x, self._joined(dq, dk, dv), input_gradient=input_gradient
        )
        return dx, {**_named("in_proj_", into), **_named("out_proj.", out)}

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy, along tangents of x and of the four parameters."""
        xp, (x, (q, k, v), a, context) = self.arrays.xp, saved
        moved = self._into.pushforward(_part(p, "in_proj_"), x, dx, _part(dp or {}, "in_proj_"))
        d_context = None
        if moved is not None:
            dq, dk, dv = self._by_head(moved, 3)
            ds = xp.matmul(dq, xp.matrix_transpose(k)) + xp.matmul(q, xp.matrix_transpose(dk))
            da = through_softmax(self.arrays, a, ds * self._scale)
            d_context = self._joined(xp.matmul(da, v) + xp.matmul(a, dv))
        return self._out.pushforward(_part(p, "out_proj."), context, d_context, _part(dp or {}, "out_proj."))

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dS = (dq (k + dk)^T + q dk^T) / sqrt(n), dA that of the softmax, dC = dA (v + dv) + A dv."""
        xp, (into, into_moved) = self.arrays.xp, (_part(each, "in_proj_") for each in (p, dp or {}))
        moved = self._into.difference(into, x, y, dx, draw, into_moved)
        q, k, v = self._by_head(self._into.forward(into, x, draw)[0], 3)
        scores = self._masked(xp.matmul(q * self._scale, xp.matrix_transpose(k)))
        a, d_context = softmax(self.arrays, scores), None
        if moved is not None:
            dq, dk, dv = self._by_head(moved, 3)
            ds = xp.matmul(dq, xp.matrix_transpose(k + dk)) + xp.matmul(q, xp.matrix_transpose(dk))
            da = softmax_difference(self.arrays, scores, ds * self._scale)
            d_context = self._joined(xp.matmul(da, v + dv) + xp.matmul(a, dv))
        out, out_moved = (_part(each, "out_proj.") for each in (p, dp or {}))
        context = self._joined(xp.matmul(a, v))
        return self._out.difference(out, context, y, d_context, draw, out_moved)

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


def _part(p: Own, lead: str) -> dict[str, Array]:
    """The weight and bias of one projection, as far as they are there."""
    return {short: p[lead + short] for short in ("weight", "bias") if lead + short in p}


def _named(lead: str, own: Own) -> dict[str, Array]:
    return {lead + short: array for short, array in own.items()}
