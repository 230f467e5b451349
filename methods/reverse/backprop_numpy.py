"""The delta recursion in NumPy buffers that are allocated once: the fast sibling of `backprop.py`.

Matrix products write straight into the gradient; an activation overwrites its pre-activation, because its
derivative is had from its value; deltas share two buffers as large as the widest layer.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark import passes
from gradmark.draw import Draw
from gradmark.layer import InPlace, NamedLayer
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.work import Work, count


def works_in_place(problem: Problem) -> bool:
    """Whether every layer has a form that allocates nothing."""
    return problem.layers is not None and all(
        isinstance(named.layer, InPlace) and getattr(named.layer, "works_in_place", True)
        for named in problem.layers
    )


@dataclass(frozen=True)
class _Step:
    """One layer with the buffers for its output y, and for the gradient dx of its input."""

    named: NamedLayer
    layer: Any
    y: Any
    dx: Any
    gradient: dict[str, Any]


def prepare_in_place(problem: Problem, portable: Prepared) -> Prepared:
    """The prepared function; a draw of another number of rows goes to `portable`."""
    criterion = problem.criterion
    assert criterion is not None
    result = {name: np.empty_like(array) for name, array in problem.parameters.items()}
    steps = _steps(problem, result)
    backwards = tuple(reversed(steps))
    rows = problem.default_draw.count

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
        h, inputs, owns = draw.arrays["inputs"], [], []
        for step in steps:
            own = step.named.own(parameters)
            inputs.append(h)
            owns.append(own)
            y = h if step.y is None else step.y
            step.layer.forward_into(own, h, y)
            h = y
        value = criterion.value(h, draw)
        delta = criterion.pullback(h, draw)
        for step in backwards:
            own, x = owns.pop(), inputs.pop()
            step.layer.pullback_into(own, x, h, delta, step.dx, step.gradient)
            h, delta = x, step.dx
        count(forward=1, pullback=1)
        return Estimate(result, value, Work(forward=1, pullback=1))

    return gradient


def _steps(problem: Problem, result: dict[str, Any]) -> list[_Step]:
    assert problem.layers is not None
    dtype = problem.arrays.dtype_object
    shapes = [problem.default_draw.arrays["inputs"].shape]
    for named in problem.layers:
        shapes.append(named.layer.output_shape(shapes[-1]))  # type: ignore[attr-defined]
    widest = max(math.prod(shape) for shape in shapes)
    pool = [np.empty(widest, dtype), np.empty(widest, dtype)]
    steps: list[_Step] = []
    for index, named in enumerate(problem.layers):
        layer: Any = named.layer
        y = None if layer.overwrites_input else np.empty(shapes[index + 1], dtype)
        dx = pool[index % 2][: math.prod(shapes[index])].reshape(shapes[index]) if steps else None
        own = {name: result[full] for name, full in named.names.items()}
        steps.append(_Step(named, layer, y, dx, own))
    return steps
