"""Additive coupling: a block whose input can be computed from its output."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Layer, NamedLayer, Own
from problems.initialisations import Weights
from problems.layers.chain import Chain


@dataclass(frozen=True)
class Coupling:
    """y1 = x1 + f(x2), y2 = x2 + g(y1), where x1 and x2 are the first and the second half of the units.

    f and g are the two layers `inner`, under the prefixes of which their parameters are; each gives as many
    units as it takes. Whatever they are, x2 = y2 - g(y1) and x1 = y1 - f(x2) (Dinh et al. 2014, NICE; Gomez
    et al. 2017, the reversible residual network). pullback, with G = dg/dy1 and F = df/dx2:

        dx1 = dy1 + G^T dy2,    dx2 = dy2 + F^T dx1.
    """

    inner: tuple[NamedLayer, ...]
    arrays: Arrays
    pulls_several = True

    @cached_property
    def _both(self) -> Chain:
        """f and g one behind the other: what has the same parameters and costs as much."""
        return Chain(self.inner, self.arrays)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Those of f and g."""
        return self._both.shapes()

    def initial(self, random: Any, weights: Weights) -> dict[str, Any]:
        """Those of f and g."""
        return self._both.initial(random, weights)

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """The shape of x."""
        return input_shape

    def flops(self, rows: int) -> float:
        """Those of f and g."""
        return self._both.flops(rows)

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """Those of f and g, of which g's input has a gradient in any case."""
        f, g = (each.layer for each in self.inner)
        return f.pullback_flops(rows, input_gradient=input_gradient) + g.pullback_flops(rows)

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """y, and what f and g save."""
        (f, own_f), (g, own_g) = self._parts(p)
        x1, x2 = _halves(x)
        moved, saved_f = f.forward(own_f, x2, draw)
        y1 = x1 + moved
        moved, saved_g = g.forward(own_g, y1, draw)
        return self._joined(y1, x2 + moved), (saved_f, saved_g)

    def inverse(self, p: Own, y: Array, draw: Draw) -> tuple[Array, Any]:
        """x up to rounding, and what f and g save there."""
        (f, own_f), (g, own_g) = self._parts(p)
        y1, y2 = _halves(y)
        moved, saved_g = g.forward(own_g, y1, draw)
        x2 = y2 - moved
        moved, saved_f = f.forward(own_f, x2, draw)
        return self._joined(y1 - moved, x2), (saved_f, saved_g)

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx and all dp."""
        (f, own_f), (g, own_g) = self._parts(p)
        dy1, dy2 = _halves(dy)
        through_g, dp_g = g.pullback(own_g, saved[1], dy2)
        dx1 = dy1 + through_g
        through_f, dp_f = f.pullback(own_f, saved[0], dx1, input_gradient=input_gradient)
        dx = None if through_f is None else self._joined(dx1, dy2 + through_f)
        return dx, self._named(dp_f, dp_g)

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy."""
        (f, own_f), (g, own_g) = self._parts(p)
        dp_f, dp_g = (named.own(dp) or None if dp else None for named in self.inner)
        dx1, dx2 = (None, None) if dx is None else _halves(dx)
        dy1 = _sum(dx1, f.pushforward(own_f, saved[0], dx2, dp_f))
        return self._moved(dy1, _sum(dx2, g.pushforward(own_g, saved[1], dy1, dp_g)))

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dy1 = dx1 + df(x2), dy2 = dx2 + dg(y1)."""
        f, g = (Chain((named,), self.arrays) for named in self.inner)
        (x1, x2), (dx1, dx2) = _halves(x), (None, None) if dx is None else _halves(dx)
        y1, _ = _halves(y)
        dy1 = _sum(dx1, f.difference(p, x2, y1 - x1, dx2, draw, dp))
        return self._moved(dy1, _sum(dx2, g.difference(p, y1, y1, dy1, draw, dp)))

    def _moved(self, dy1: Array | None, dy2: Array | None) -> Array | None:
        if dy1 is None and dy2 is None:
            return None
        zeros = self.arrays.xp.zeros_like(dy1 if dy2 is None else dy2)
        return self._joined(zeros if dy1 is None else dy1, zeros if dy2 is None else dy2)

    def _parts(self, p: Own) -> list[tuple[Layer, Own]]:
        """f and g, each with its own parameters."""
        return [(named.layer, named.own(p)) for named in self.inner]

    def _named(self, *parts: Own) -> dict[str, Array]:
        """Gradients of f's and g's parameters under the names that they have here."""
        pairs = zip(self.inner, parts, strict=True)
        return {named.names[name]: array for named, own in pairs for name, array in own.items()}

    def _joined(self, first: Array, second: Array) -> Array:
        """Both halves side by side; what only one of them carries in front, a population, is repeated."""
        xp = self.arrays.xp
        if first.shape != second.shape:
            first, second = xp.broadcast_arrays(first, second)
        return xp.concat([first, second], axis=-1)


def _halves(x: Array) -> tuple[Array, Array]:
    half = x.shape[-1] // 2
    return x[..., :half], x[..., half:]


def _sum(one: Array | None, other: Array | None) -> Array | None:
    """Their sum, where None stands for zero."""
    if one is None or other is None:
        return other if one is None else one
    return one + other
