"""A layer with its nodes inside of it, opened: those of a recurrent layer are at every one of its steps."""

from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import NamedLayer, Own


@dataclass(frozen=True)
class OffsetWithin:
    """y = f(p and ``offset``, x), for a layer f that takes an offset at its nodes with its own parameters.

    `inner` are that layer and the `Offset` behind it, which is never run: it stands for the new parameter.
    """

    inner: tuple[NamedLayer, ...]
    arrays: Arrays

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The layer's own and the offset's."""
        return {each.names[name]: shape for each in self.inner for name, shape in each.layer.shapes().items()}

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """The layer's own."""
        shape: tuple[int, int] = self._layer.output_shape(input_shape)
        return shape

    def widest(self, input_shape: tuple[int, int]) -> int:
        """The layer's own."""
        numbers: int = self._layer.widest(input_shape)
        return numbers

    def flops(self, rows: int) -> float:
        """The layer's own."""
        return float(self._layer.flops(rows))

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """The layer's own."""
        return float(self._layer.pullback_flops(rows, input_gradient=input_gradient))

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """y, and what the layer saves. Raises `UsageError` for another number of rows, as `Offset` does."""
        offset: Any = self.inner[1].layer
        offset.check_rows(x)
        y, saved = self._layer.forward(self._own(p), x, draw)
        return y, saved

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx and all dp."""
        dx, own = self._layer.pullback(self._own(p), saved, dy, input_gradient=input_gradient)
        return dx, {self._names[name]: array for name, array in own.items()}

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy."""
        return self._layer.pushforward(self._own(p), saved, dx, self._own(dp or {}) or None)

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dy."""
        return self._layer.difference(self._own(p), x, y, dx, draw, self._own(dp or {}) or None)

    @property
    def _layer(self) -> Any:
        return self.inner[0].layer

    @property
    def _names(self) -> dict[str, str]:
        """Full names by the short ones that the layer knows."""
        return {**self.inner[0].names, **self.inner[1].names}

    def _own(self, p: Own) -> dict[str, Array]:
        return {short: p[full] for short, full in self._names.items() if full in p}
