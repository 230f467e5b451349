"""The vanilla recurrent layer, unrolled in time (Elman 1990; backpropagation through time: Werbos 1990)."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Own
from problems.initialisations import Weights
from problems.layers.nonlinearities import NONLINEARITIES, Nonlinearity
from problems.layers.unrolled_difference import RecurrentDifference
from problems.layers.unrolling import (
    Kept,
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

Output = Literal["last", "all"]
"""The state after the last step, (rows, hidden), or those of all steps, (rows, T hidden)."""
RECURRENT = ("orthogonal", "identity", "normal")
"""Where U starts, times a radius: orthonormal (every singular value is the radius), the identity (Le, Jaitly
and Hinton 2015), normal of variance 1 / hidden (by the circular law the eigenvalues fill a disc of the
radius)."""
ACTIVATIONS = tuple(name for name, formula in NONLINEARITIES.items() if formula.from_value)
"""Those whose derivative is known from h, so that the states are all that is kept."""


@dataclass(frozen=True)
class Recurrent:
    """h_t = phi(x_t W^T + h_{t-1} U^T + b) for t = 1..T, h_0 = 0, of x (rows, T features) with time major.

    W is ``weight_ih`` (hidden, features), U ``weight_hh`` (hidden, hidden) as in torch; b is one ``bias``,
    the sum of torch's two. U starts as `recurrent` says, times `radius`.

    pullback: delta_t = phi'(z_t) * (dy_t + delta_{t+1} U) from t = T to 1, then dW = sum delta_t^T x_t,
    dU = sum delta_t^T h_{t-1}, db = sum delta_t, dx_t = delta_t W.
    pushforward: dh_t = phi'(z_t) * (dx_t W^T + x_t dW^T + dh_{t-1} U^T + h_{t-1} dU^T + db).
    """

    features: int
    hidden: int
    steps: int
    arrays: Arrays
    activation: str = "tanh"
    output: Output = "last"
    recurrent: str = "orthogonal"
    radius: float = 1.0
    pulls_several = True

    @cached_property
    def formula(self) -> Nonlinearity:
        """phi and its derivative."""
        return NONLINEARITIES[self.activation]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of W, U and b."""
        return {
            "weight_ih": (self.hidden, self.features),
            "weight_hh": (self.hidden, self.hidden),
            "bias": (self.hidden,),
        }

    def initial(self, random: Any, weights: Weights) -> dict[str, Any]:
        """W as `weights` draws it, U as `recurrent` says, b = 0."""
        return {
            "weight_ih": weights(random, self.features, self.hidden),
            "weight_hh": self.radius * _recurrent(self.recurrent, random, self.hidden),
            "bias": np.zeros(self.hidden),
        }

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, hidden), or (rows, T hidden)."""
        return input_shape[0], self.hidden * (self.steps if self.output == "all" else 1)

    def widest(self, input_shape: tuple[int, int]) -> int:
        """The states of all steps."""
        return input_shape[0] * self.steps * self.hidden

    def flops(self, rows: int) -> float:
        """Two for each of W's numbers at T steps, and of U's at T - 1, because h_0 = 0."""
        return self._input_flops(rows) + 2.0 * rows * (self.steps - 1) * self.hidden**2

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """As many for the parameters, and as many again for the states; dx may be left out."""
        return 2 * self.flops(rows) - (0 if input_gradient else self._input_flops(rows))

    def _input_flops(self, rows: int) -> float:
        return 2.0 * rows * self.steps * self.features * self.hidden

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """h_T or all h_t; x and all states, with the time first."""
        xp = self.arrays.xp
        a = driven(self.arrays, p, time_first(xp, x, self.steps))
        u_transposed = transposed(self.arrays, p["weight_hh"])
        last, (states,) = unrolled(self.arrays, self._first, self._next, u_transposed, (a,))
        return (last if self.output == "last" else time_last(xp, states)), (x, states)

    def _first(self, u_transposed: Array, item: Kept) -> tuple[Array, Kept]:
        h = self.formula.value(self.arrays, item[0])
        if u_transposed.ndim > h.ndim:
            h = self.arrays.xp.broadcast_to(h, (u_transposed.shape[0], *h.shape))
        return h, (h,)

    def _next(self, u_transposed: Array, h: Array, item: Kept) -> tuple[Array, Kept]:
        h = self.formula.value(self.arrays, plus_product(self.arrays, item, h, u_transposed))
        return h, (h,)

    def step(self, p: Own, h: Array, x: Array) -> Array:
        """h_t from h_{t-1} and x_t (rows, features), by itself."""
        a = driven(self.arrays, p, x[None, ...])[0, ...]
        return self._next(transposed(self.arrays, p["weight_hh"]), h, (a,))[0]

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """Backpropagation through time."""
        xp, (_, states) = self.arrays.xp, saved
        items: Kept = (self.formula.derivative(self.arrays, None, states),)
        if self.output == "all":
            items = (*items, time_first(xp, dy, self.steps))
        given = (p["weight_hh"], dy)
        _, (delta,) = unrolled(self.arrays, self._end, self._back, given, items, backwards=True)
        own = with_offset(xp, p, self._own_gradient(saved, delta), delta)
        return (time_last(xp, times(xp, delta, p["weight_ih"])) if input_gradient else None), own

    def nodes_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, T hidden): the nodes are z_t, inside of the layer, where `forward` takes an ``offset``."""
        return input_shape[0], self.steps * self.hidden

    def own_gradient(self, p: Own, saved: Any, s: Array) -> dict[str, Array]:
        """dW = sum s_t^T x_t, dU = sum s_t^T h_{t-1}, db = sum s_t."""
        return self._own_gradient(saved, time_first(self.arrays.xp, s, self.steps))

    def _own_gradient(self, saved: Any, delta: Array) -> dict[str, Array]:
        xp, (x, states) = self.arrays.xp, saved
        return own_gradients(xp, time_first(xp, x, self.steps), states, delta)

    def _end(self, given: Any, item: Kept) -> tuple[Array, Kept]:
        derivative, *dy = item
        delta = derivative * (dy[0] if dy else given[1])
        return delta, (delta,)

    def _back(self, given: Any, delta: Array, item: Kept) -> tuple[Array, Kept]:
        derivative, *dy = item
        delta = derivative * plus_product(self.arrays, dy, delta, given[0])
        return delta, (delta,)

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dh_T or all dh_t."""
        xp, (x, states) = self.arrays.xp, saved
        x = time_first(xp, x, self.steps)
        dx = None if dx is None else time_first(xp, dx, self.steps)
        da = drive_moved(xp, p, x, states, dx, dp)
        if da is None:
            return None
        u_transposed = transposed(self.arrays, p["weight_hh"])
        items = (self.formula.derivative(self.arrays, None, states), da)
        last, (moved,) = unrolled(self.arrays, self._first_moved, self._next_moved, u_transposed, items)
        return last if self.output == "last" else time_last(xp, moved)

    def _first_moved(self, u_transposed: Array, item: Kept) -> tuple[Array, Kept]:
        dh = item[0] * item[1]
        return dh, (dh,)

    def _next_moved(self, u_transposed: Array, dh: Array, item: Kept) -> tuple[Array, Kept]:
        derivative, *da = item
        dh = derivative * plus_product(self.arrays, da, dh, u_transposed)
        return dh, (dh,)

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dh_t = phi(z_t + dz_t) - phi(z_t), dz_t = da_t + dh_{t-1} (U + dU)^T; see `unrolled_difference`."""
        return RecurrentDifference(self)(p, x, dx, dp)


def _recurrent(name: str, random: Any, hidden: int) -> Any:
    if name == "identity":
        return np.eye(hidden)
    if name == "normal":
        return random.standard_normal((hidden, hidden)) / hidden**0.5
    q, r = np.linalg.qr(random.standard_normal((hidden, hidden)))
    return q * np.sign(np.diagonal(r))  # uniformly distributed (Mezzadri 2007)
