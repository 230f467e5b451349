"""Dense chains level by level: what is known at each layer, in NumPy or torch buffers allocated once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.layer import Affine, Elementwise, InPlace, NamedLayer
from gradmark.parameters import Parameters
from gradmark.problem import Problem


@dataclass(frozen=True, slots=True)
class Library:
    """A library's operations that write into a buffer, which is their last argument."""

    empty: Callable[..., Any]
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
            empty=lambda *shape: np.empty(shape, dtype),
            multiply=np.multiply,
            product=np.dot,
            times_vector=np.dot,
            product_by_row=np.matmul,
        )
    torch, device = problem.arrays.xp, problem.arrays.device
    return Library(
        empty=lambda *shape: torch.empty(shape, dtype=dtype, device=device),
        multiply=lambda a, b, out: torch.mul(a, b, out=out),
        product=lambda a, b, out: torch.mm(a, b, out=out),
        times_vector=lambda a, b, out: torch.mv(a, b, out=out),
        product_by_row=lambda a, b, out: torch.bmm(a, b, out=out),
    )


class Level:
    """One dense layer, the function behind it (None behind the last), and buffers for what is known there.

    After the forward pass `x` is the layer's input, `own` its parameters and `slope` sigma'(z). `s` is for
    dL/dz, `turned` for W^T with its rows side by side.
    """

    def __init__(self, library: Library, rows: int, named: NamedLayer, function: Any) -> None:
        layer: Any = named.layer
        self.library, self.layer, self.function = library, layer, function
        self.names, self.units = tuple(named.names.items()), layer.fan_out
        self.z, self.s = library.empty(rows, layer.fan_out), library.empty(rows, layer.fan_out)
        self.turned = library.empty(layer.fan_in, layer.fan_out)
        self.gradient = {name: library.empty(*shape) for name, shape in layer.shapes().items()}
        self.ones = library.empty(rows)
        self.ones[...] = 1
        self.x: Any = None
        self.own: Any = None
        self.slope: Any = None

    def forward(self, parameters: Parameters, x: Array, draw: Draw) -> Array:
        """The input of the next level."""
        self.x, self.own = x, {name: parameters[full] for name, full in self.names}
        self.layer.forward_into(self.own, x, self.z)
        if self.function is None:
            return self.z
        h, saved = self.function.forward({}, self.z, draw)
        self.slope = self.function.derivative(saved)
        return h

    def contract(self) -> None:
        """dW = s^T x, db = s^T 1."""
        turned = self.s.T
        self.library.product(turned, self.x, self.gradient["weight"])
        self.library.times_vector(turned, self.ones, self.gradient["bias"])


def is_chain(problem: Problem) -> bool:
    """Whether it is dense layers with a function of single numbers between each two, on NumPy or torch.

    No parameter may be used twice.
    """
    layers = problem.layers or ()
    used = [full for named in layers for full in named.names.values()]
    return (
        problem.arrays.backend in ("numpy", "torch")
        and len(layers) % 2 == 1
        and sorted(used) == sorted(problem.parameters)
        and all(_is_dense(named) for named in layers[::2])
        and all(isinstance(each.layer, Elementwise) and not each.names for each in layers[1::2])
    )


def _is_dense(named: NamedLayer) -> bool:
    layer, shapes = named.layer, named.layer.shapes()
    if not isinstance(layer, Affine) or not isinstance(layer, InPlace) or not layer.works_in_place:
        return False
    return shapes == {"weight": (layer.fan_out, layer.fan_in), "bias": (layer.fan_out,)}


def levels_of(problem: Problem, library: Library) -> list[Level]:
    """The levels of a chain, with buffers for the rows of the default draw."""
    layers, rows = problem.layers or (), problem.default_draw.count
    functions = [*(named.layer for named in layers[1::2]), None]
    pairs = zip(layers[::2], functions, strict=True)
    return [Level(library, rows, named, function) for named, function in pairs]
