"""Chains of dense layers in which one unit moves at a time: rank-1 updates first, then matrix products.

What moves is one unit i of affine layer l, by itself, in some ways for each row: k = 1 .. K. Its output
changes by dh[k, b] in row b, the next pre-activations by the rank-1 update dh[k, b] W_{l+1}[u, i], and from
layer l + 2 on the K changed states go through whole products together.

Arrays hold units first and rows last, (units, moved units, K, rows): every operation then runs along the
rows, of which K times as many stand together. `TOGETHER` of these numbers are as many as stay in a core's
second-level cache, or fill a GPU.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Array
from gradmark.dense_chain import DenseChain
from gradmark.draw import Draw
from gradmark.layer import InPlace
from gradmark.parameters import Parameters
from gradmark.problem import Problem

_TOGETHER = {"cpu": 2**18, "cuda": 2**25}
_OUTPUTS = {"cpu": 2**15, "cuda": 2**25}
_BUFFER = 1024


@contextmanager
def short_buffers() -> Iterator[None]:
    """NumPy without its habit of copying a broadcast factor where several of its rows fit into one buffer.

    That makes an outer product three times as slow. The size of the buffer belongs to the context.
    """
    before = np.setbufsize(_BUFFER)
    try:
        yield
    finally:
        np.setbufsize(before)


class Workspace:
    """Two buffers that are allocated once, and the functions that write into them."""

    def __init__(self, problem: Problem, chain: DenseChain) -> None:
        arrays = problem.arrays
        self.problem, self.chain = problem, chain
        self.criterion: Any = problem.criterion
        self.library: Any = np if arrays.backend == "numpy" else arrays.xp
        kind = "cuda" if arrays.device.startswith("cuda") else "cpu"
        self.together, self.outputs = _TOGETHER[kind], _OUTPUTS[kind]
        self._pool: dict[int, Array] = {}

    def room(self, place: int, *shape: int) -> Array:
        """An array of this `shape` in the buffer `place`, which grows where it must."""
        numbers = 1
        for length in shape:
            numbers *= length
        if place not in self._pool or self._pool[place].shape[0] < numbers:
            arrays = self.problem.arrays
            self._pool[place] = arrays.xp.empty((numbers,), dtype=arrays.dtype_object, device=arrays.device)
        return self._pool[place][:numbers].reshape(shape)

    def activated(self, index: int, z: Array, draw: Draw) -> Array:
        """sigma_index(z), written over `z` where the layer can."""
        layer = self.chain.between[index]
        if isinstance(layer, InPlace) and layer.works_in_place and layer.overwrites_input:
            layer.forward_into({}, z, z)
            return z
        return layer.forward({}, z, draw)[0]


@dataclass(frozen=True)
class Bound:
    """A chain at a point: weights, biases as columns, and the states of one forward pass, units first.

    `x` are the inputs of the affine layers, `z` their outputs.
    """

    workspace: Workspace
    draw: Draw
    weights: tuple[Array, ...]
    biases: tuple[Array | None, ...]
    x: tuple[Array, ...]
    z: tuple[Array, ...]

    def moved(self, index: int, start: int, stop: int, dh: Array) -> Array:
        """The outputs (units, moved units, K, rows) where unit start + g of layer `index` changes by dh[g].

        `dh` (moved units, K, rows) is behind the activation, in the last layer in front of the loss.
        """
        space, last = self.workspace, len(self.weights) - 1
        many, ways, rows = dh.shape
        z = space.room(0, self.z[min(index + 1, last)].shape[0], many, ways, rows)
        if index == last:
            z[...] = self.z[last][:, None, None, :]
            for unit in range(many):
                z[start + unit, unit] += dh[unit]
            return z
        column = self.weights[index + 1][:, start:stop, None]
        flat = dh.reshape(1, many, ways * rows)
        space.library.multiply(column, flat, out=z.reshape(-1, many, ways * rows))
        space.library.add(z, self.z[index + 1][:, None, None, :], out=z)
        for layer in range(index + 2, last + 1):
            h = space.activated(layer - 1, z, self.draw)
            z = space.room((layer - index) % 2 + 1, self.weights[layer].shape[0], many, ways, rows)
            flat_z = z.reshape(z.shape[0], -1)
            space.library.matmul(self.weights[layer], h.reshape(h.shape[0], -1), out=flat_z)
            bias = self.biases[layer]
            if bias is not None:
                space.library.add(flat_z, bias, out=flat_z)
        return z

    def chunk(self, index: int, numbers: int) -> int:
        """How many of what has so many `numbers` for each unit behind layer `index` to take together."""
        widths: list[int] = [array.shape[0] for array in self.z[index + 1 :]] or [self.z[index].shape[0]]
        space, most = self.workspace, numbers * max(widths)
        return max(1, min(space.together // most, space.outputs // (numbers * widths[-1])))


def _units_first(xp: Any, array: Array) -> Array:
    """The same (rows, units), with its rows next to each other in memory, as those of the outputs are."""
    if array.ndim != 2:
        return array
    turned = xp.empty_like(array).reshape(array.shape[::-1])
    turned[...] = array.T
    return turned.T


def bound(workspace: Workspace, parameters: Parameters, draw: Draw) -> Bound:
    """One forward pass, which who calls it counts."""
    xp, chain = workspace.problem.arrays.xp, workspace.chain
    own = [named.own(parameters) for named in chain.affine]
    draw = Draw({name: _units_first(xp, array) for name, array in draw.arrays.items()}, draw.seed)
    h, x, z = draw.arrays["inputs"].T, [], []
    for index, p in enumerate(own):
        x.append(h)
        z.append(xp.matmul(p["weight"], h))
        if "bias" in p:
            z[-1] += p["bias"][:, None]
        if index < len(own) - 1:
            h = chain.between[index].forward({}, z[-1], draw)[0]
    biases = tuple(p["bias"][:, None] if "bias" in p else None for p in own)
    return Bound(workspace, draw, tuple(p["weight"] for p in own), biases, tuple(x), tuple(z))
