"""Finite changes passed on through layers that are unrolled in time, step by step, without cancellation.

The states of all steps are computed first, in one pass; then the changes, from left to right. Each is a
dataclass of the layer alone, so that JAX compiles its step once for each layer.
"""

from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.layer import Own
from problems.layers.changed import changed
from problems.layers.differences import DIFFERENCES, sigmoid_difference, tanh_difference
from problems.layers.unrolling import (
    Kept,
    before,
    drive_moved,
    driven,
    plus_product,
    time_first,
    time_last,
    times,
    transposed,
    unrolled,
)

NO_DRAW = Draw({})


@dataclass(frozen=True)
class RecurrentDifference:
    """dh_t = phi(z_t + dz_t) - phi(z_t), with dz_t = da_t + dh_{t-1} (U + dU)^T."""

    layer: Any

    def __call__(self, p: Own, x: Array, dx: Array | None, dp: Own | None) -> Array | None:
        """dh_T or all dh_t."""
        xp = self.layer.arrays.xp
        states = self.layer.forward(p, x, NO_DRAW)[1][1]
        z, da, turned = _driven(self.layer, p, x, states, dx, dp)
        if da is None:
            return None
        last, (moved,) = unrolled(self.layer.arrays, self._first, self._next, turned, (z, da))
        return last if self.layer.output == "last" else time_last(xp, moved)

    def _first(self, turned: Array, item: Kept) -> tuple[Array, Kept]:
        dh = DIFFERENCES[self.layer.activation](self.layer.arrays, *item)
        return dh, (dh,)

    def _next(self, turned: Array, dh: Array, item: Kept) -> tuple[Array, Kept]:
        z, da = item
        return self._first(turned, (z, plus_product(self.layer.arrays, (da,), dh, turned)))


@dataclass(frozen=True)
class LSTMDifference:
    """dc_t = df c_{t-1} + (f + df) dc_{t-1} + di g + (i + di) dg, and dh_t = do t + (o + do) dt, t = tanh c.

    The gates' changes are those of sigmoid and tanh at z_t, by dz_t = da_t + dh_{t-1} (U + dU)^T.
    """

    layer: Any

    def __call__(self, p: Own, x: Array, dx: Array | None, dp: Own | None) -> Array | None:
        """dh_T or all dh_t."""
        xp = self.layer.arrays.xp
        kept = self.layer.forward(p, x, NO_DRAW)[1][1:]
        o, c = kept[3:5]
        z, da, turned = _driven(self.layer, p, x, o * xp.tanh(c), dx, dp)
        if da is None:
            return None
        items = (*kept[:5], before(xp, c), z, da)
        (dh, _), moved = unrolled(self.layer.arrays, self._first, self._next, turned, items)
        return dh if self.layer.output == "last" else time_last(xp, moved[0])

    def _first(self, turned: Array, item: Kept) -> tuple[Kept, Kept]:
        return self._gates(item[:6], item[6], item[7], None)

    def _next(self, turned: Array, state: Kept, item: Kept) -> tuple[Kept, Kept]:
        dh, dc = state
        dz = plus_product(self.layer.arrays, item[7:], dh, turned)
        return self._gates(item[:6], item[6], dz, dc)

    def _gates(self, numbers: Kept, z: Array, dz: Array, dc: Array | None) -> tuple[Kept, Kept]:
        arrays, (i, f, g, o, c, earlier) = self.layer.arrays, numbers
        z_i, z_f, z_g, z_o = self.layer.quarters(z)
        d_i, d_f, d_g, d_o = self.layer.quarters(dz)
        di, df, do = (sigmoid_difference(arrays, at, by) for at, by in ((z_i, d_i), (z_f, d_f), (z_o, d_o)))
        moved = df * earlier + di * g + (i + di) * tanh_difference(arrays, z_g, d_g)
        dc = moved if dc is None else moved + (f + df) * dc
        dh = do * arrays.xp.tanh(c) + (o + do) * tanh_difference(arrays, c, dc)
        return (dh, dc), (dh,)


def _driven(
    layer: Any, p: Own, x: Array, h: Array, dx: Array | None, dp: Own | None
) -> tuple[Array, Array | None, Array]:
    """z_t and da_t for all steps, and (U + dU)^T."""
    xp, now = layer.arrays.xp, changed(p, dp)
    x = time_first(xp, x, layer.steps)
    dx = None if dx is None else time_first(xp, dx, layer.steps)
    recurrence = times(xp, before(xp, h), xp.matrix_transpose(p["weight_hh"]))
    z = driven(layer.arrays, p, x) + recurrence
    return z, drive_moved(xp, now, x, h, dx, dp), transposed(layer.arrays, now["weight_hh"])
