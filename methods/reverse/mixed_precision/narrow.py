"""The two passes of mixed precision: layers in 16 bits, the loss and the gradient in the problem's own dtype.

torch multiplies 16-bit matrices and sums 16-bit rows in float32, and rounds the sums once (on CUDA unless
``torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction`` lets it add parts of a long sum in
float16, as it does by default).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.layer import NamedLayer
from gradmark.parameters import Parameters
from gradmark.passes import pullback_layers, share_of_rows
from gradmark.problem import Problem
from gradmark.work import count


@dataclass(frozen=True)
class NarrowTrace:
    """A forward pass: what the layers read and saved in 16 bits, and the outputs in the master's dtype."""

    parameters: Parameters
    saved: tuple[Any, ...]
    outputs: Array
    draw: Draw


@dataclass(frozen=True)
class Narrow:
    """A `problem` and the same one in a 16-bit dtype, of which only the layers are used."""

    problem: Problem
    narrow: Problem

    @property
    def arrays(self) -> Arrays:
        """Where the 16-bit arrays live."""
        return self.narrow.arrays

    def forward(self, parameters: Parameters, draw: Draw) -> NarrowTrace:
        """Round parameters and inputs to 16 bits and run the layers. One forward pass.

        Raises `UsageError` where a number is not finite: it names the first layer that gives one.
        """
        count(forward=share_of_rows(self.problem, draw))
        own, rows = self.arrays.cast(parameters), Draw(self.arrays.cast(draw.arrays), draw.seed)
        h, saved = rows.arrays["inputs"], []
        finite = [self._finite(h)]
        for named in _layers(self.narrow):
            h, kept = named.layer.forward(named.own(own), h, rows)
            saved.append(kept)
            finite.append(self._finite(h))
        self._check(finite)
        return NarrowTrace(own, tuple(saved), self._wide(h), draw)

    def pullback(self, trace: NarrowTrace, scale: float) -> tuple[dict[str, Array], str | None]:
        """The gradient, without `scale` again, and the first parameter on the way that is not finite.

        The gradient with respect to the outputs is computed in the master's dtype and multiplied by `scale`
        before it is rounded to 16 bits. One pullback pass.
        """
        count(pullback=share_of_rows(self.problem, trace.draw))
        assert self.problem.criterion is not None
        delta = self.arrays.xp.astype(
            scale * self.problem.criterion.pullback(trace.outputs, trace.draw), self.arrays.dtype_object
        )
        layers = _layers(self.narrow)
        _, found = pullback_layers(self.narrow, trace.parameters, trace.saved, delta, 0, len(layers))
        finite = dict(zip(found, self._read([self._finite(array) for array in found.values()]), strict=True))
        gradient = {name: self._wide(found[name]) / scale for name in trace.parameters}
        return gradient, next((name for name, fine in finite.items() if not fine), None)

    def _wide(self, array: Array) -> Array:
        return self.arrays.xp.astype(array, self.problem.arrays.dtype_object)

    def _finite(self, array: Array) -> Array:
        """Left on the device: to read one makes the device wait."""
        return self.arrays.xp.all(self.arrays.xp.isfinite(array))

    def _read(self, flags: list[Array]) -> list[bool]:
        return [bool(flag) for flag in self.arrays.xp.stack(flags).tolist()]

    def _check(self, flags: list[Array]) -> None:
        """The first flag is that of the inputs, the others are those of the layers' outputs."""
        finite = self._read(flags)
        if all(finite):
            return
        first = finite.index(False)
        what = "the inputs are" if first == 0 else f"the output of {_named(self.narrow, first - 1)} is"
        largest = self.arrays.xp.finfo(self.arrays.dtype_object).max
        wider = " or take precision=bfloat16" if self.arrays.dtype == "float16" else ""
        raise UsageError(
            f"{self.problem.call.name}: {what} not finite in {self.arrays.dtype} (largest number "
            f"{largest:.6g}), before anything else: scale inputs or parameters down{wider}."
        )


def narrowed(problem: Problem, precision: str) -> Narrow:
    """The problem with its layers in `precision`; `UsageError` where one of them has no such form."""
    with np.errstate(over="ignore"):  # parameters beyond float16 are answered when the layers run
        return Narrow(problem, problem.to(dtype=precision))


def _layers(problem: Problem) -> tuple[NamedLayer, ...]:
    assert problem.layers is not None
    return problem.layers


def _named(problem: Problem, index: int) -> str:
    named = _layers(problem)[index]
    return f"`{named.prefix}`" if named.prefix else f"the layer {type(named.layer).__name__}"
