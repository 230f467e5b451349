"""The residual connection: what comes in is added to what a branch makes of it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import NamedLayer, Own
from problems.initialisations import Weights
from problems.layers.chain import Chain


@dataclass(frozen=True)
class Residual:
    """y = x + alpha branch(x), the branch being the layers `inner` in order (He et al. 2016).

    As many units come out as go in. pullback: dx = dy + alpha (d branch / dx)^T dy; pushforward:
    dy = dx + alpha d branch.
    """

    inner: tuple[NamedLayer, ...]
    arrays: Arrays
    alpha: float = 1.0
    pulls_several = True

    @cached_property
    def branch(self) -> Chain:
        """The layers of the branch as one."""
        return Chain(self.inner, self.arrays)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Those of the branch."""
        return self.branch.shapes()

    def initial(self, random: Any, weights: Weights) -> dict[str, Any]:
        """Those of the branch."""
        return self.branch.initial(random, weights)

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """The shape of x."""
        return input_shape

    def flops(self, rows: int) -> float:
        """Those of the branch."""
        return self.branch.flops(rows)

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """Those of the branch."""
        return self.branch.pullback_flops(rows, input_gradient=input_gradient)

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """y, and what the branch saves: x itself is not needed."""
        y, saved = self.branch.forward(p, x, draw)
        return x + self.alpha * y, saved

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx and all dp."""
        dx, own = self.branch.pullback(p, saved, self.alpha * dy, input_gradient=input_gradient)
        return (None if dx is None else dy + dx), own

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy."""
        return self._added(dx, self.branch.pushforward(p, saved, dx, dp))

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dy = dx + alpha times what the branch changes by; its own output is not needed."""
        return self._added(dx, self.branch.difference(p, x, y, dx, draw, dp))

    def _added(self, dx: Array | None, dy: Array | None) -> Array | None:
        if dy is None:
            return dx
        return self.alpha * dy if dx is None else dx + self.alpha * dy
