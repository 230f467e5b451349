"""Layers bound to the NumPy or torch buffers they work in: what in-place forms of reverse mode share."""

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from gradmark.layer import Own
from gradmark.parameters import Parameters
from gradmark.problem import Problem

Shape = tuple[int, int]


@dataclass(frozen=True, slots=True)
class BoundLayer:
    """One layer with the buffers for the gradients of its input (dx) and of its parameters."""

    names: tuple[tuple[str, str], ...]
    forward_into: Callable[..., None]
    pullback_into: Callable[..., None]
    overwrites_input: bool
    dx: Any
    gradient: Own

    def own(self, parameters: Parameters) -> Own:
        """The layer's own part of all `parameters`, under short names."""
        return {name: parameters[full] for name, full in self.names}


def buffer(problem: Problem, numbers: int) -> Any:
    """Room for so many numbers in the problem's dtype and on its device."""
    arrays = problem.arrays
    return arrays.xp.empty((numbers,), dtype=arrays.dtype_object, device=arrays.device)


def bound_layers(problem: Problem, result: dict[str, Any], shapes: Sequence[Shape]) -> list[BoundLayer]:
    """The layers with `result` for their gradients; all dx share two buffers of `delta_numbers`."""
    numbers = delta_numbers(shapes)
    pool = [buffer(problem, numbers), buffer(problem, numbers)]
    bound: list[BoundLayer] = []
    for index, (named, shape) in enumerate(zip(problem.layers or (), shapes[:-1], strict=True)):
        layer: Any = named.layer
        bound.append(
            BoundLayer(
                names=tuple(named.names.items()),
                forward_into=layer.forward_into,
                pullback_into=layer.pullback_into,
                overwrites_input=layer.overwrites_input,
                dx=pool[index % 2][: math.prod(shape)].reshape(shape) if index else None,
                gradient={name: result[full] for name, full in named.names.items()},
            )
        )
    return bound


def delta_numbers(shapes: Sequence[Shape]) -> int:
    """The numbers of the widest state inside: dx is never the gradient of the data or of the outputs."""
    return max((math.prod(shape) for shape in shapes[1:-1]), default=0)


def no_graph(problem: Problem) -> Callable[[], AbstractContextManager[Any]]:
    """Blocks in which torch records no graph; elsewhere they do nothing."""
    return problem.arrays.xp.no_grad if problem.arrays.backend == "torch" else nullcontext
