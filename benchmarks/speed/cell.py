"""One cell of the dense table: all backends and peers of one size, batch and dtype, interleaved."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from gradmark.arrays import Arrays, installed
from gradmark.measuring import time as timing
from gradmark.measuring.interval import Interval
from gradmark.measuring.time import Timing

BACKENDS = ("numpy", "torch", "jax")
_HOME = {"hips_autograd": "numpy", "jax_grad": "jax"}
"""The backend that a peer's arrays are of; torch for the others."""
Calls = dict[str, Callable[[], object]]


@dataclass(frozen=True)
class Cell:
    """`timings` by name: ``backprop numpy``, ``forward numpy``, ``products numpy``, and the peers' names."""

    label: str
    batch: int
    timings: dict[str, Timing]
    flops: dict[str, float]
    """Of a forward pass, of a gradient, and of all products of one forward pass."""
    peers: tuple[str, ...]

    @property
    def best(self) -> str:
        """The backend on which `backprop` is fastest."""
        names = [name for name in self.timings if name.startswith("backprop ")]
        return min(names, key=lambda name: self.timings[name].median).removeprefix("backprop ")

    @property
    def microseconds(self) -> float:
        """Of the best `backprop`."""
        return self.timings[f"backprop {self.best}"].median * 1e6

    @property
    def has_jax(self) -> bool:
        """Whether JAX was measured."""
        return "jax_grad" in self.peers

    def over(self, peer: str) -> Interval:
        """How many times as long `peer` takes as the best `backprop`."""
        return timing.time_ratio(self.timings[peer], self.timings[f"backprop {self.best}"])

    @property
    def passes(self) -> Interval:
        """What the best `backprop` costs in forward passes of its backend."""
        return timing.time_ratio(self.timings[f"backprop {self.best}"], self.timings[f"forward {self.best}"])

    @property
    def most_passes(self) -> float:
        """Its operations over those of a forward pass: 3 - f1."""
        return self.flops["gradient"] / self.flops["forward"]

    def share(self, backend: str) -> Interval:
        """The rate of `backprop`'s operations as a share of the rate of the products alone."""
        ratio = timing.time_ratio(self.timings[f"products {backend}"], self.timings[f"backprop {backend}"])
        scale = self.flops["gradient"] / self.flops["forward"]
        return Interval(ratio.value * scale, ratio.low * scale, ratio.high * scale)

    @property
    def products_over_torch(self) -> float:
        """How many times as fast the best backend multiplies as torch."""
        return self.timings["products torch"].median / self.timings[f"products {self.best}"].median


def measured(
    label: str, widths: tuple[int, ...], batch: int, dtype: str, peers: tuple[str, ...], seconds: float
) -> Cell:
    """Time everything that is installed for one cell."""
    import gradmark
    from gradmark.measuring.flops import forward_flops, gradient_flops
    from gradmark.measuring.threads import pinned

    problems = {
        backend: gradmark.get_problem(
            "mlp", widths=widths, data="synthetic", loss="mse", batch=batch, backend=backend, dtype=dtype
        )
        for backend in BACKENDS
        if installed(backend)
    }
    calls: Calls = {}
    for backend, problem in problems.items():
        calls[f"products {backend}"] = _products(problem.arrays, widths, batch)
        forward = problem.plain_forward()
        calls[f"forward {backend}"] = partial(forward, problem.parameters, problem.default_draw)
        calls[f"backprop {backend}"] = _gradient("backprop", problem)
    there = [peer for peer in peers if _supported(peer, problems.get(_HOME.get(peer, "torch")))]
    calls |= {peer: _gradient(peer, problems[_HOME.get(peer, "torch")]) for peer in there}
    with pinned(1):
        timings = timing.interleaved(calls, synchronize=lambda: None, budget=seconds)
    problem = problems["numpy"]
    flops = {"forward": forward_flops(problem) or 0.0, "gradient": gradient_flops(problem) or 0.0}
    return Cell(label, batch, timings, flops, tuple(there))


def _supported(peer: str, problem: Any) -> bool:
    import gradmark

    if problem is None or peer not in gradmark.list_methods():
        return False
    return gradmark.get_method(peer).supports(problem) is None


def _gradient(name: str, problem: Any) -> Callable[[], object]:
    import gradmark

    return partial(gradmark.get_method(name).prepare(problem), problem.parameters)


def _products(arrays: Arrays, widths: tuple[int, ...], batch: int) -> Callable[[], object]:
    """x W^T of every layer's own shape, into buffers where the library can."""
    from gradmark.random import generator

    random = generator(0, "data")
    x = [arrays.array(random.standard_normal((batch, width))) for width in widths[:-1]]
    w = [arrays.array(random.standard_normal(shape)) for shape in zip(widths[1:], widths[:-1], strict=True)]
    if arrays.backend == "jax":
        jax: Any = import_module("jax")
        compiled = jax.jit(lambda x, w: [one @ other.T for one, other in zip(x, w, strict=True)])
        return lambda: jax.block_until_ready(compiled(x, w))
    out = [arrays.zeros((batch, width)) for width in widths[1:]]
    matmul, each = arrays.xp.matmul, list(zip(x, w, out, strict=True))

    def products() -> None:
        for one, other, product in each:
            matmul(one, other.T, out=product)

    return products
