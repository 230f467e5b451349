"""The embedding: integers become rows of a table, and each position adds a row of its own."""

from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Own
from problems.initialisations import Weights
from problems.layers.scatter import scatter_add


@dataclass(frozen=True)
class Embedding:
    """y[b T + t] = token[x[b, t]] + position[t], for integers x of shape (rows, T) below `vocabulary`.

    T is `positions`, and y of shape (rows T, width): every position becomes a row of its own.

    pullback: d token[i] = the sum of dy over all places where x is i, d position[t] = the sum over rows;
    integers have no gradient. pushforward: y is linear in both tables, so dy is y with their tangents.
    """

    vocabulary: int
    width: int
    positions: int
    arrays: Arrays
    pulls_several = True

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Two tables with rows of `width`."""
        return {"token": (self.vocabulary, self.width), "position": (self.positions, self.width)}

    def initial(self, random: Any, weights: Weights) -> dict[str, Any]:
        """Standard normal numbers, as torch's Embedding has: a row is looked up, so it has no fan-in."""
        return {name: random.standard_normal(shape) for name, shape in self.shapes().items()}

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """(rows T, width)."""
        return input_shape[0] * input_shape[1], self.width

    def flops(self, rows: int) -> float:
        """Zero: nothing is multiplied."""
        return 0.0

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """Zero: nothing has to be multiplied."""
        return 0.0

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """y, and the integers, which are the draw's own."""
        return self._placed(self._looked_up(p["token"], x), p["position"]), x

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """d token and d position; dx is None."""
        return None, self.own_gradient(p, saved, dy)

    def own_gradient(self, p: Own, saved: Any, s: Array) -> dict[str, Array]:
        """d token[i] = the sum of s where x is i, d position[t] = that over rows: the nodes are y."""
        xp = self.arrays.xp
        return {
            "token": scatter_add(self.arrays, xp.reshape(saved, (-1,)), s, self.vocabulary),
            "position": xp.sum(self._by_row(s), axis=-3),
        }

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy = d token[x] + d position."""
        if not dp:
            return None
        if "token" not in dp:
            rows, position = saved.shape[0], dp["position"][..., None, :, :]
            shape = (*position.shape[:-3], rows, self.positions, self.width)
            return self._flat(self.arrays.xp.broadcast_to(position, shape))
        dy = self._looked_up(dp["token"], saved)
        return self._placed(dy, dp["position"]) if "position" in dp else dy

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dy = d token[x] + d position; integers do not change."""
        return self.pushforward(p, x, None, dp)

    def _looked_up(self, token: Array, x: Array) -> Array:
        """token[x], shape (..., rows T, width)."""
        xp = self.arrays.xp
        return xp.take(token, xp.reshape(x, (-1,)), axis=-2)

    def _placed(self, y: Array, position: Array) -> Array:
        return self._flat(self._by_row(y) + position[..., None, :, :])

    def _by_row(self, y: Array) -> Array:
        """(..., rows T, width) as (..., rows, T, width)."""
        return self.arrays.xp.reshape(y, (*y.shape[:-2], -1, self.positions, self.width))

    def _flat(self, y: Array) -> Array:
        return self.arrays.xp.reshape(y, (*y.shape[:-3], -1, self.width))
