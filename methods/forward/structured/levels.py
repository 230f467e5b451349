"""Dense chains level by level: what is known at each layer, in NumPy or torch buffers allocated once."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Array
from gradmark.dense_chain import DenseChain
from gradmark.draw import Draw
from gradmark.layer import ElementwiseInPlace, NamedLayer
from gradmark.parameters import Parameters
from gradmark.problem import Problem

_LINE = 64
"""Bytes of a cache line."""


@dataclass(frozen=True, slots=True)
class Library:
    """A library's operations that write into a buffer, which is their last argument."""

    empty: Callable[..., Any]
    copy: Callable[[Any, Any], Any]
    multiply: Callable[[Any, Any, Any], Any]
    product: Callable[[Any, Any, Any], Any]
    times_vector: Callable[[Any, Any, Any], Any]
    product_by_row: Callable[[Any, Any, Any], Any]
    """One product for each row: (rows, K, n) by (rows, n, 1)."""


def library_of(problem: Problem) -> Library:
    """NumPy's or torch's; without the compatibility layer, which costs a microsecond a call."""
    dtype = problem.arrays.dtype_object
    if problem.arrays.backend == "numpy":
        return Library(
            empty=lambda *shape: _aligned(shape, dtype),
            copy=lambda a, out: np.copyto(out, a),
            multiply=np.multiply,
            product=np.dot,
            times_vector=np.dot,
            product_by_row=np.matmul,
        )
    torch, device = problem.arrays.xp, problem.arrays.device
    return Library(
        empty=lambda *shape: torch.empty(shape, dtype=dtype, device=device),
        copy=lambda a, out: out.copy_(a),
        multiply=lambda a, b, out: torch.mul(a, b, out=out),
        product=lambda a, b, out: torch.mm(a, b, out=out),
        times_vector=lambda a, b, out: torch.mv(a, b, out=out),
        product_by_row=lambda a, b, out: torch.bmm(a, b, out=out),
    )


def _aligned(shape: tuple[int, ...], dtype: Any) -> Array:
    """An empty NumPy array that begins with a cache line, as torch's do: NumPy's own writes cross lines."""
    numbers = math.prod(shape)
    room = np.empty(numbers + _LINE // dtype.itemsize, dtype)
    skipped = -room.ctypes.data % _LINE // dtype.itemsize
    return room[skipped : skipped + numbers].reshape(shape)


class Level:
    """One dense layer, the function behind it (None behind the last), and buffers for what is known there.

    After the forward pass `x` is the layer's input, `own` its parameters, `z` its output and `slope`
    sigma'(z). `s` is for dL/dz, `turned` for W^T with its rows side by side.
    """

    def __init__(self, library: Library, rows: int, named: NamedLayer, function: Any) -> None:
        layer: Any = named.layer
        self.library, self.function = library, function
        self.in_place = isinstance(function, ElementwiseInPlace) and function.works_in_place
        self.names, self.units = tuple(named.names.items()), layer.fan_out
        self.z, self.h, self.s, self.slope = (library.empty(rows, layer.fan_out) for _ in range(4))
        self.turned = library.empty(layer.fan_in, layer.fan_out)
        self.gradient = {name: library.empty(*shape) for name, shape in layer.shapes().items()}
        self.columns, self.ones = self.s.T, library.empty(rows)
        self.ones[...] = 1
        self.x: Any = None
        self.own: Any = None

    def forward(self, parameters: Parameters, x: Array, draw: Draw) -> Array:
        """The input of the next level."""
        self.x, self.own = x, {name: parameters[full] for name, full in self.names}
        self.library.product(x, self.own["weight"].T, self.z)
        if "bias" in self.own:
            self.z += self.own["bias"]
        if self.function is None:
            return self.z
        if self.in_place:
            self.function.forward_into({}, self.z, self.h)
            self.function.derivative_into(self.h, self.slope)
            return self.h
        h, saved = self.function.forward({}, self.z, draw)
        self.library.copy(self.function.derivative(saved), self.slope)
        return h

    def turn(self) -> None:
        """Write W^T."""
        self.library.copy(self.own["weight"].T, self.turned)

    def contract(self) -> None:
        """dW = s^T x, db = s^T 1."""
        self.library.product(self.columns, self.x, self.gradient["weight"])
        if "bias" in self.own:
            self.library.times_vector(self.columns, self.ones, self.gradient["bias"])


def levels_of(problem: Problem, chain: DenseChain, library: Library) -> list[Level]:
    """The levels of a chain, with buffers for the rows of the default draw."""
    rows, functions = problem.default_draw.count, (*chain.between, None)
    pairs = zip(chain.affine, functions, strict=True)
    return [Level(library, rows, named, function) for named, function in pairs]
