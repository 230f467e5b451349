"""Pooling: of each window of each channel one number is left, the largest or the mean.

x has the shape (rows, channels * height * width), channel by channel. What no window reaches, at the right
and the lower edge of the image, is not looked at.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Own
from problems.layers.branches import real_part
from problems.layers.windows import Windows, real_on_torch, units


@dataclass(frozen=True)
class MaxPool:
    """y = the largest of each window of `window` x `window` pixels, `stride` apart.

    It is chosen by its real part; the first in reading order where several are equal, the last NaN where
    there is one, as torch does. Saved is where it stands: on torch as torch says it, else by its number in
    the window. pullback: dx is dy at the chosen pixels, 0 elsewhere. pushforward: dy is dx there.
    """

    height: int
    width: int
    window: int
    stride: int
    arrays: Arrays

    @cached_property
    def windows(self) -> Windows:
        """Where the windows stand."""
        return Windows(self.height, self.width, self.window, self.stride)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """A pool has no parameters."""
        return {}

    def flops(self, rows: int) -> float:
        """Zero: only matrix products are counted."""
        return 0.0

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """Zero: only matrix products are counted."""
        return 0.0

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, channels * positions)."""
        return input_shape[0], input_shape[1] // (self.height * self.width) * self.windows.positions

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """y, and where it stands."""
        if real_on_torch(self.arrays, x):
            pool = self.arrays.xp.nn.functional.max_pool2d
            planes = x.reshape(-1, 1, self.height, self.width)
            y, where = pool(planes, self.window, self.stride, return_indices=True)
            return y.reshape(*x.shape[:-1], -1), where.reshape(*x.shape[:-1], -1)
        xp, parts = self.arrays.xp, self.windows.parts(self.arrays, self.windows.images(self.arrays, x))
        y = parts[0]
        chosen = xp.zeros_like(real_part(xp, y), dtype=xp.uint8 if len(parts) <= 256 else xp.int32)
        for number, part in enumerate(parts[1:], 1):
            better = (real_part(xp, part) > real_part(xp, y)) | xp.isnan(part)
            y = xp.where(better, part, y)
            chosen = xp.where(better, xp.full_like(chosen, number), chosen)
        return units(self.arrays, y), chosen

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx = dy where y was taken from, summed where windows overlap."""
        if not input_gradient:
            return None, {}
        xp, windows = self.arrays.xp, self.windows
        if real_on_torch(self.arrays, dy):
            pixels, positions = self.height * self.width, windows.positions
            dx = dy.new_zeros(dy.numel() // positions, pixels)
            dx.scatter_add_(1, saved.reshape(-1, positions), dy.reshape(-1, positions))
            return dx.reshape(*dy.shape[:-1], -1), {}
        d = windows.out_images(self.arrays, dy)
        nothing = xp.zeros_like(d)
        parts = [xp.where(saved == number, d, nothing) for number in range(self.window**2)]
        return units(self.arrays, windows.total(self.arrays, parts)), {}

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy = dx where y was taken from."""
        if dx is None:
            return None
        xp, windows = self.arrays.xp, self.windows
        if real_on_torch(self.arrays, dx):
            planes = dx.reshape(*dx.shape[:-1], -1, self.height * self.width)
            where = saved.reshape(*saved.shape[:-1], -1, windows.positions)
            return planes.gather(-1, where.expand(*planes.shape[:-1], -1)).flatten(-2)
        parts = windows.parts(self.arrays, windows.images(self.arrays, dx))
        dy = parts[0]
        for number, part in enumerate(parts[1:], 1):
            dy = xp.where(saved == number, part, dy)
        return units(self.arrays, dy)

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dy = the largest (x - y) + dx of each window: x - y is 0 where y was taken from."""
        if dx is None:
            return None
        xp, windows = self.arrays.xp, self.windows
        found, top = None, windows.out_images(self.arrays, y)
        images = (windows.images(self.arrays, each) for each in (x, dx))
        for one, moved in zip(*(windows.parts(self.arrays, each) for each in images), strict=True):
            change = (one - top) + moved
            found = change if found is None else xp.where(found >= change, found, change)
        return units(self.arrays, found)


@dataclass(frozen=True)
class AveragePool:
    """y = the mean of each window of `window` x `window` pixels, `stride` apart. Nothing is saved.

    pullback: dx = dy / window^2 on each pixel of the window, summed where windows overlap.
    """

    height: int
    width: int
    window: int
    stride: int
    arrays: Arrays

    @cached_property
    def windows(self) -> Windows:
        """Where the windows stand."""
        return Windows(self.height, self.width, self.window, self.stride)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """A pool has no parameters."""
        return {}

    def flops(self, rows: int) -> float:
        """Zero: only matrix products are counted."""
        return 0.0

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """Zero: only matrix products are counted."""
        return 0.0

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, channels * positions)."""
        return input_shape[0], input_shape[1] // (self.height * self.width) * self.windows.positions

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """y."""
        return self._mean(x), None

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx."""
        if not input_gradient:
            return None, {}
        windows, number = self.windows, self.window**2
        if real_on_torch(self.arrays, dy):
            share = (dy / number).reshape(-1, windows.out_height, windows.out_width, 1)
            return windows.total(self.arrays, [share] * number).reshape(*dy.shape[:-1], -1), {}
        share = windows.out_images(self.arrays, dy / number)
        return units(self.arrays, windows.total(self.arrays, [share] * number)), {}

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy, the mean of dx."""
        return None if dx is None else self._mean(dx)

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dy, the mean of dx."""
        return None if dx is None else self._mean(dx)

    def _mean(self, x: Array) -> Array:
        if real_on_torch(self.arrays, x):
            planes = x.reshape(-1, 1, self.height, self.width)
            y = self.arrays.xp.nn.functional.avg_pool2d(planes, self.window, self.stride)
            return y.reshape(*x.shape[:-1], -1)
        parts = self.windows.parts(self.arrays, self.windows.images(self.arrays, x))
        return units(self.arrays, sum(parts[1:], parts[0]) / len(parts))
