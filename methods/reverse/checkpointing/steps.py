"""What one step of a network is: a layer with the activations behind it, which overwrite its output.

A composite layer is one step. A state is what lies between two steps; within a step nothing is kept alone.
"""

import math
from dataclasses import dataclass

from gradmark.layer import Elementwise
from gradmark.problem import Problem
from gradmark.structure import state_shapes


@dataclass(frozen=True)
class Step:
    """The layers from `start` to `stop` - 1, with their `cost`; `size` is how many numbers they put out."""

    start: int
    stop: int
    cost: float
    size: int


def steps_of(problem: Problem) -> list[Step]:
    """The steps of a problem with layers."""
    layers = [named.layer for named in problem.layers or ()]
    shapes = state_shapes(problem.layers or (), problem.default_draw.arrays["inputs"].shape)
    costs = layer_costs(problem)
    starts = [i for i, layer in enumerate(layers) if i == 0 or not isinstance(layer, Elementwise)]
    return [
        Step(start, stop, sum(costs[start:stop]), math.prod(shapes[stop]))
        for start, stop in zip(starts, [*starts[1:], len(layers)], strict=True)
    ]


def layer_costs(problem: Problem) -> list[float]:
    """What each layer adds to a forward pass over the default draw, in whole numbers.

    These are the operations of its matrix products; or one for each layer, where no layer has any.
    """
    layers = [named.layer for named in problem.layers or ()]
    shapes = state_shapes(problem.layers or (), problem.default_draw.arrays["inputs"].shape)
    flops = [layer.flops(rows) for layer, (rows, _) in zip(layers, shapes[:-1], strict=True)]
    return flops if any(flops) else [1.0] * len(layers)


def reason_against(problem: Problem, segments: int | None) -> str | None:
    """Why the problem cannot be cut into so many segments; None where it can, or where nothing is asked."""
    if problem.layers is None:
        return f"{problem.call.name} has no layers to compute again"
    steps = 0 if segments is None else len(steps_of(problem))
    if segments is not None and segments > steps:
        return (
            f"`segments={segments}` are more than its {steps} steps (a layer with the activations behind it "
            "is one): choose fewer"
        )
    return None
