"""Square windows that slide over images: what a convolution and a pool have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays


@dataclass(frozen=True)
class Windows:
    """Windows of `size` x `size` pixels, `stride` apart, on images with `padding` zeros around them.

    Images have the shape (..., channels, height, width, rows): with the rows last, copies are of long runs.
    Pixel (i, j) of all windows together is an image itself, of out_height x out_width: a part. Parts are
    numbered in the order in which the pixels of a window are read.
    """

    height: int
    width: int
    size: int
    stride: int
    padding: int = 0

    @property
    def out_height(self) -> int:
        """How many windows stand one below the other; the rest of the image is left out."""
        return (self.height + 2 * self.padding - self.size) // self.stride + 1

    @property
    def out_width(self) -> int:
        """How many stand side by side."""
        return (self.width + 2 * self.padding - self.size) // self.stride + 1

    @property
    def positions(self) -> int:
        """How many windows there are."""
        return self.out_height * self.out_width

    @property
    def beyond(self) -> tuple[int, int]:
        """How many lines and columns of the padded image no window reaches."""
        return (
            (self.height + 2 * self.padding - self.size) % self.stride,
            (self.width + 2 * self.padding - self.size) % self.stride,
        )

    def images(self, arrays: Arrays, x: Array) -> Array:
        """x of shape (..., rows, channels * height * width) as images."""
        shape = (*x.shape[:-2], x.shape[-1] // (self.height * self.width), self.height, self.width)
        return arrays.xp.reshape(arrays.xp.matrix_transpose(x), (*shape, x.shape[-2]))

    def out_images(self, arrays: Arrays, y: Array) -> Array:
        """y of shape (..., rows, channels * positions) as images of out_height x out_width."""
        shape = (*y.shape[:-2], y.shape[-1] // self.positions, self.out_height, self.out_width)
        return arrays.xp.reshape(arrays.xp.matrix_transpose(y), (*shape, y.shape[-2]))

    def parts(self, arrays: Arrays, images: Array) -> list[Array]:
        """All parts, each of shape (..., channels, out_height, out_width, rows)."""
        if self.padding:
            images = added(arrays, self._zeros(arrays, images), self._inner, images)
        return [images[where] for where in self._places]

    def total(self, arrays: Arrays, parts: Sequence[Array]) -> Array:
        """The transpose of `parts`: images whose every pixel is the sum of those that were read from it."""
        images = self._zeros(arrays, parts[0])
        for where, part in zip(self._places, parts, strict=True):
            images = added(arrays, images, where, part)
        return images[self._inner]

    def _zeros(self, arrays: Arrays, like: Array) -> Array:
        """Padded images of zeros."""
        height, width = self.height + 2 * self.padding, self.width + 2 * self.padding
        # A traced array of JAX has no device: the compiler chooses it.
        device = None if arrays.backend == "jax" else like.device
        shape = (*like.shape[:-3], height, width, like.shape[-1])
        return arrays.xp.zeros(shape, dtype=like.dtype, device=device)

    @property
    def _inner(self) -> Any:
        """Where the image lies in the padded one."""
        inner = (
            slice(self.padding, self.padding + self.height),
            slice(self.padding, self.padding + self.width),
        )
        return ..., *inner, slice(None)

    @property
    def _places(self) -> list[Any]:
        """Where each part lies in the padded image."""
        high, wide = self.stride * (self.out_height - 1) + 1, self.stride * (self.out_width - 1) + 1
        step = self.stride
        return [
            (..., slice(i, i + high, step), slice(j, j + wide, step), slice(None))
            for i in range(self.size)
            for j in range(self.size)
        ]


def real_on_torch(arrays: Arrays, *given: Array) -> bool:
    """Whether torch's own functions are to be used on the arrays `given`.

    Its pools take no complex numbers, and its complex convolution adds real to imaginary parts, in which what
    a complex step is made of is lost.
    """
    return arrays.backend == "torch" and not any(arrays.xp.is_complex(each) for each in given)


def units(arrays: Arrays, images: Array) -> Array:
    """Images as (..., rows, units), channel by channel."""
    xp, shape = arrays.xp, images.shape
    return xp.matrix_transpose(
        xp.reshape(images, (*shape[:-4], shape[-4] * shape[-3] * shape[-2], shape[-1]))
    )


def added(arrays: Arrays, images: Array, where: Any, part: Array) -> Array:
    """`images` with `part` added at `where`: in place where arrays can be written into.

    JAX's cannot, nor those of NumPy's numbers that carry derivatives along.
    """
    if arrays.backend == "jax":
        return images + _padded(arrays, images.shape, where, part)
    if arrays.backend == "numpy" and not isinstance(part, np.ndarray):
        return images + _among_zeros(arrays, images.shape, where, part)
    images[where] += part
    return images


def _among_zeros(arrays: Arrays, shape: tuple[int, ...], where: Any, part: Array) -> Array:
    """`part` at `where` and zeros elsewhere: each line is one of `part`, or the line of zeros behind it."""
    xp = arrays.xp
    for axis in (-3, -2):
        lines = np.full(shape[axis], part.shape[axis])
        lines[where[axis]] = np.arange(part.shape[axis])
        zeros = xp.zeros_like(part[(..., slice(0, 1), *(slice(None),) * (-1 - axis))])
        part = xp.take(xp.concat([part, zeros], axis=axis), arrays.integers(lines), axis=axis)
    return part


def _padded(arrays: Arrays, shape: tuple[int, ...], where: Any, part: Array) -> Array:
    """`part` at `where` and zeros elsewhere: XLA adds such arrays in one loop, and scatters one by one."""
    from jax import lax

    edges = [(0, 0, 0)] * part.ndim
    for axis in (-3, -2):
        start, step = where[axis].start, where[axis].step or 1
        end = shape[axis] - start - step * (part.shape[axis] - 1) - 1
        edges[axis] = (start, end, step - 1)
    return lax.pad(part, arrays.xp.zeros((), dtype=part.dtype), edges)
