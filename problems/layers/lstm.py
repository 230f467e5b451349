"""Long short-term memory, unrolled in time (Hochreiter and Schmidhuber 1997; with forget gates, Gers,
Schmidhuber and Cummins 2000)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Own
from problems.initialisations import Weights
from problems.layers.gates import gates_back, gates_moved
from problems.layers.nonlinearities import NONLINEARITIES
from problems.layers.recurrent import Output
from problems.layers.unrolled_difference import LSTMDifference
from problems.layers.unrolling import (
    Kept,
    before,
    drive_moved,
    driven,
    own_gradients,
    plus_product,
    time_first,
    time_last,
    times,
    transposed,
    unrolled,
    with_offset,
)


@dataclass(frozen=True)
class LSTM:
    """h_t = o tanh(c_t), c_t = f c_{t-1} + i g, for t = 1..T and h_0 = c_0 = 0, of x (rows, T features).

    The gates i, f, o (sigmoids) and g (a tanh) are those of z_t = x_t W^T + h_{t-1} U^T + b, whose 4 hidden
    units are in torch's order i, f, g, o: ``weight_ih`` (4 hidden, features), ``weight_hh`` (4 hidden,
    hidden) and one ``bias``, the sum of torch's two. The forget gate's bias starts at `forget_bias`.

    pullback: dh_t = dy_t + dz_{t+1} U, dc_t = o (1 - tanh(c_t)^2) dh_t + f_{t+1} dc_{t+1}, and dz_t by each
    gate's own derivative, of i from g dc, of f from c_{t-1} dc, of g from i dc, of o from tanh(c) dh; then
    the sums over time as in `problems.layers.unrolling`. pushforward: the same factors from left to right.
    """

    features: int
    hidden: int
    steps: int
    arrays: Arrays
    output: Output = "last"
    forget_bias: float = 1.0
    pulls_several = True

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of W, U and b."""
        return {
            "weight_ih": (4 * self.hidden, self.features),
            "weight_hh": (4 * self.hidden, self.hidden),
            "bias": (4 * self.hidden,),
        }

    def initial(self, random: Any, weights: Weights) -> dict[str, Any]:
        """Each gate's weights as `weights` draws them for that gate; biases zero, but for the forget gate."""
        return {
            "weight_ih": np.concat([weights(random, self.features, self.hidden) for _ in range(4)]),
            "weight_hh": np.concat([weights(random, self.hidden, self.hidden) for _ in range(4)]),
            "bias": np.repeat([0.0, self.forget_bias, 0.0, 0.0], self.hidden),
        }

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, hidden), or (rows, T hidden)."""
        return input_shape[0], self.hidden * (self.steps if self.output == "all" else 1)

    def widest(self, input_shape: tuple[int, int]) -> int:
        """The gates of all steps."""
        return input_shape[0] * self.steps * 4 * self.hidden

    def flops(self, rows: int) -> float:
        """Two for each of W's numbers at T steps, and of U's at T - 1, because h_0 = 0."""
        return self._input_flops(rows) + 8.0 * rows * (self.steps - 1) * self.hidden**2

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """As many for the parameters, and as many again for the states; dx may be left out."""
        return 2 * self.flops(rows) - (0 if input_gradient else self._input_flops(rows))

    def _input_flops(self, rows: int) -> float:
        return 8.0 * rows * self.steps * self.features * self.hidden

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """h_T or all h_t; x, and all gates and cells with the time first, from which h is had again."""
        xp = self.arrays.xp
        a = driven(self.arrays, p, time_first(xp, x, self.steps))
        u_transposed = transposed(self.arrays, p["weight_hh"])
        (h, _), kept = unrolled(self.arrays, self._first, self._next, u_transposed, (a,))
        if self.output == "all":
            h, kept = time_last(xp, kept[-1]), kept[:-1]
        return h, (x, *kept)

    def _first(self, u_transposed: Array, item: Kept) -> tuple[Kept, Kept]:
        a = item[0]
        if u_transposed.ndim > a.ndim:
            a = self.arrays.xp.broadcast_to(a, (u_transposed.shape[0], *a.shape))
        i, f, g, o = self._gates(a)
        return self._after(i, f, g, o, i * g)

    def _next(self, u_transposed: Array, state: Kept, item: Kept) -> tuple[Kept, Kept]:
        h, c = state
        i, f, g, o = self._gates(plus_product(self.arrays, item, h, u_transposed))
        return self._after(i, f, g, o, f * c + i * g)

    def _after(self, i: Array, f: Array, g: Array, o: Array, c: Array) -> tuple[Kept, Kept]:
        h = o * self.arrays.xp.tanh(c)
        return (h, c), ((i, f, g, o, c, h) if self.output == "all" else (i, f, g, o, c))

    def _gates(self, z: Array) -> Kept:
        i, f, g, o = self.quarters(z)
        return self._sigmoid(i), self._sigmoid(f), self.arrays.xp.tanh(g), self._sigmoid(o)

    def quarters(self, z: Array) -> Kept:
        """The four gates' parts of z."""
        if self.arrays.backend == "torch":
            quarters: Kept = z.chunk(4, -1)
            return quarters
        return [z[..., k * self.hidden : (k + 1) * self.hidden] for k in range(4)]

    def _sigmoid(self, z: Array) -> Array:
        return NONLINEARITIES["sigmoid"].value(self.arrays, z)

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """Backpropagation through time."""
        xp, (x, *gates, c) = self.arrays.xp, saved
        t = xp.tanh(c)
        items = (*gates, t, before(xp, c))
        if self.output == "all":
            items = (*items, time_first(xp, dy, self.steps))
        given = (p["weight_hh"], dy)
        _, (dz,) = unrolled(self.arrays, self._end, self._back, given, items, backwards=True)
        own = own_gradients(xp, time_first(xp, x, self.steps), gates[-1] * t, dz)
        own = with_offset(xp, p, own, dz)
        return (time_last(xp, times(xp, dz, p["weight_ih"])) if input_gradient else None), own

    def nodes_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, 4 T hidden): the nodes are z_t, inside of the layer, where `forward` takes an ``offset``."""
        return input_shape[0], 4 * self.steps * self.hidden

    def own_gradient(self, p: Own, saved: Any, s: Array) -> dict[str, Array]:
        """dW = sum s_t^T x_t, dU = sum s_t^T h_{t-1}, db = sum s_t."""
        xp, (x, *gates, c) = self.arrays.xp, saved
        states = gates[-1] * xp.tanh(c)
        x, s = (time_first(xp, each, self.steps) for each in (x, s))
        return own_gradients(xp, x, states, s)

    def _end(self, given: Any, item: Kept) -> tuple[Kept, Kept]:
        *numbers, dh = item if self.output == "all" else (*item, given[1])
        return gates_back(self.arrays, numbers, dh, None)

    def _back(self, given: Any, state: Kept, item: Kept) -> tuple[Kept, Kept]:
        (dz, dc), numbers, dy = state, item[:6], item[6:]
        return gates_back(self.arrays, numbers, plus_product(self.arrays, dy, dz, given[0]), dc)

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dh_T or all dh_t."""
        xp, (x, *gates, c) = self.arrays.xp, saved
        t = xp.tanh(c)
        x = time_first(xp, x, self.steps)
        dx = None if dx is None else time_first(xp, dx, self.steps)
        da = drive_moved(xp, p, x, gates[-1] * t, dx, dp)
        if da is None:
            return None
        items = (*gates, t, before(xp, c), da)
        u_transposed = transposed(self.arrays, p["weight_hh"])
        (dh, _), moved = unrolled(self.arrays, self._first_moved, self._next_moved, u_transposed, items)
        return dh if self.output == "last" else time_last(xp, moved[0])

    def _first_moved(self, u_transposed: Array, item: Kept) -> tuple[Kept, Kept]:
        return gates_moved(self.arrays, item[:6], self.quarters(item[6]), None)

    def _next_moved(self, u_transposed: Array, state: Kept, item: Kept) -> tuple[Kept, Kept]:
        dh, dc = state
        dz = plus_product(self.arrays, item[6:], dh, u_transposed)
        return gates_moved(self.arrays, item[:6], self.quarters(dz), dc)

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dh_T or all dh_t: see `unrolled_difference`."""
        return LSTMDifference(self)(p, x, dx, dp)
