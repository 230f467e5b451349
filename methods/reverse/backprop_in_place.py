"""The delta recursion in NumPy or torch buffers that are allocated once: the fast sibling of `backprop.py`.

Matrix products write straight into the gradient; an activation overwrites its pre-activation, because its
derivative is had from its value; deltas share two buffers as large as the widest layer. torch records no
graph.
"""

import math
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from gradmark.draw import Draw
from gradmark.layer import InPlaceCriterion, Own
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.work import Work, count


@dataclass(frozen=True, slots=True)
class _Step:
    """One layer with the buffers for its output y, and for the gradient dx of its input."""

    names: tuple[tuple[str, str], ...]
    forward_into: Callable[..., None]
    pullback_into: Callable[..., None]
    y: Any
    dx: Any
    gradient: Own

    def own(self, parameters: Parameters) -> Own:
        return {name: parameters[full] for name, full in self.names}


def prepare_in_place(problem: Problem, portable: Prepared) -> Prepared:
    """The prepared function; a draw of another number of rows goes to `portable`."""
    criterion = problem.criterion
    assert isinstance(criterion, InPlaceCriterion)
    result = {name: problem.arrays.xp.empty_like(array) for name, array in problem.parameters.items()}
    steps = _steps(problem, result)
    d_outputs = problem.arrays.xp.empty_like(next(step.y for step in reversed(steps) if step.y is not None))
    rows, work = problem.default_draw.count, Work(forward=1, pullback=1)
    no_graph = problem.arrays.xp.no_grad if problem.arrays.backend == "torch" else nullcontext

    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        draw = draw or problem.default_draw
        if draw.count != rows:
            return portable(parameters, seed, draw=draw)
        with no_graph():
            h, kept = draw.arrays["inputs"], []
            for step in steps:
                own, x = step.own(parameters), h
                h = x if step.y is None else step.y
                step.forward_into(own, x, h)
                kept.append((step, own, x, h))
            value, delta = criterion.value_and_pullback_into(h, draw, d_outputs), d_outputs
            for step, own, x, y in reversed(kept):
                step.pullback_into(own, x, y, delta, step.dx, step.gradient)
                delta = step.dx
        count(forward=1, pullback=1)
        return Estimate(result, value, work)

    return gradient


def _empty(problem: Problem, numbers: int) -> Any:
    arrays = problem.arrays
    return arrays.xp.empty((numbers,), dtype=arrays.dtype_object, device=arrays.device)


def _steps(problem: Problem, result: dict[str, Any]) -> list[_Step]:
    assert problem.layers is not None
    layers: list[Any] = [named.layer for named in problem.layers]
    shapes = [tuple(problem.default_draw.arrays["inputs"].shape)]
    for layer in layers:
        shapes.append(layer.output_shape(shapes[-1]))
    widest = max(math.prod(shape) for shape in shapes)
    pool = [_empty(problem, widest), _empty(problem, widest)]
    steps: list[_Step] = []
    for index, (named, layer) in enumerate(zip(problem.layers, layers, strict=True)):
        numbers = math.prod(shapes[index])
        steps.append(
            _Step(
                names=tuple(named.names.items()),
                forward_into=layer.forward_into,
                pullback_into=layer.pullback_into,
                y=None
                if layer.overwrites_input
                else _empty(problem, math.prod(shapes[index + 1])).reshape(shapes[index + 1]),
                dx=pool[index % 2][:numbers].reshape(shapes[index]) if steps else None,
                gradient={name: result[full] for name, full in named.names.items()},
            )
        )
    return steps
