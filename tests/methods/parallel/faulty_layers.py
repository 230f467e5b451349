"""Layers that workers fail in."""

from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Own


@dataclass(frozen=True)
class Refusing:
    """y = x, unless a number of x is negative: then it raises."""

    arrays: Arrays

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return {}

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        if bool((x < 0).any()):
            raise ArithmeticError("a negative number")
        return x, None

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        return dy, {}

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        return dx

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        return input_shape

    def flops(self, rows: int) -> float:
        return 0.0

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        return 0.0
