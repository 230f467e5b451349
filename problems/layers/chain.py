"""Layers one after another, as one layer: what composite layers are made of."""

from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import NamedLayer, Own
from problems.initialisations import Weights


@dataclass(frozen=True)
class Chain:
    """y = f_k(... f_1(x)); the pullback runs through the layers backwards, the pushforward forwards.

    No layers: y = x. Gradients of a parameter that several layers use are added.
    """

    inner: tuple[NamedLayer, ...]
    arrays: Arrays
    pulls_several = True

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Those of all layers, under ``prefix.name``."""
        return {
            named.names[name]: shape for named in self.inner for name, shape in named.layer.shapes().items()
        }

    def initial(self, random: Any, weights: Weights) -> dict[str, Any]:
        """Those of all layers in order."""
        return initial(self.inner, random, weights)

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """The shape of the last layer's output."""
        for named in self.inner:
            input_shape = named.layer.output_shape(input_shape)
        return input_shape

    def flops(self, rows: int) -> float:
        """The sum over the layers; none of them changes the number of rows."""
        return sum(named.layer.flops(rows) for named in self.inner)

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """The sum over the layers."""
        return sum(
            named.layer.pullback_flops(rows, input_gradient=input_gradient or index > self._first)
            for index, named in enumerate(self.inner)
            if input_gradient or index >= self._first
        )

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """y, and what each layer saved."""
        saved = []
        for named in self.inner:
            x, kept = named.layer.forward(named.own(p), x, draw)
            saved.append(kept)
        return x, tuple(saved)

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx and all dp."""
        last = -1 if input_gradient else self._first - 1
        delta: Array | None = dy
        own: dict[str, Array] = {}
        for index in range(len(self.inner) - 1, last, -1):
            named = self.inner[index]
            needed = input_gradient or index > self._first
            delta, found = named.layer.pullback(named.own(p), saved[index], delta, input_gradient=needed)
            for name, array in found.items():
                full = named.names[name]
                own[full] = own[full] + array if full in own else array
        return (delta if input_gradient else None), own

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy."""
        for named, kept in zip(self.inner, saved, strict=True):
            dx = named.layer.pushforward(named.own(p), kept, dx, (named.own(dp) or None) if dp else None)
        return dx

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dy; the states between the layers are computed anew, and `y` is not needed."""
        for named in self.inner:
            own, moved = named.own(p), (named.own(dp) or None) if dp else None
            after, _ = named.layer.forward(own, x, draw)
            layer: Any = named.layer
            dx = layer.difference(own, x, after, dx, draw, moved)
            x = after
        return dx

    @property
    def _first(self) -> int:
        """The first layer with parameters; behind the last one where there is none."""
        having = (index for index, named in enumerate(self.inner) if named.names)
        return next(having, len(self.inner))


def initial(layers: tuple[NamedLayer, ...], random: Any, weights: Weights) -> dict[str, Any]:
    """Float64 initial parameters of all `layers`, in order, under full names."""
    found: dict[str, Any] = {}
    for named in layers:
        if named.names:
            layer: Any = named.layer
            found |= {named.names[name]: array for name, array in layer.initial(random, weights).items()}
    return found
