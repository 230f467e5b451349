"""The delta recursion in NumPy or torch buffers that are allocated once: the fast sibling of `backprop.py`.

Matrix products write straight into the gradient; an activation overwrites its pre-activation, because its
derivative is had from its value; deltas share two buffers as large as the widest layer. torch records no
graph.
"""

import math
from typing import Any

from gradmark.draw import Draw
from gradmark.layer import InPlaceCriterion
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.structure import state_shapes
from gradmark.work import Work, count
from methods.reverse.buffers import bound_layers, buffer, no_graph


def prepare_in_place(problem: Problem, portable: Prepared) -> Prepared:
    """The prepared function; a draw of another number of rows goes to `portable`."""
    criterion = problem.criterion
    assert isinstance(criterion, InPlaceCriterion)
    result = {name: problem.arrays.xp.empty_like(array) for name, array in problem.parameters.items()}
    shapes = state_shapes(problem.layers or (), problem.default_draw.arrays["inputs"].shape)
    layers = bound_layers(problem, result, shapes)
    # Room for each layer's output, unless the layer writes it over its input.
    outputs = [
        None if layer.overwrites_input else buffer(problem, math.prod(shape)).reshape(shape)
        for layer, shape in zip(layers, shapes[1:], strict=True)
    ]
    d_outputs = buffer(problem, math.prod(shapes[-1])).reshape(shapes[-1])
    rows, work = problem.default_draw.count, Work(forward=1, pullback=1)
    without_graph = no_graph(problem)

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
        with without_graph():
            h, kept = draw.arrays["inputs"], []
            for layer, y in zip(layers, outputs, strict=True):
                own, x = layer.own(parameters), h
                h = x if y is None else y
                layer.forward_into(own, x, h)
                kept.append((layer, own, x, h))
            value, delta = criterion.value_and_pullback_into(h, draw, d_outputs), d_outputs
            for layer, own, x, y in reversed(kept):
                layer.pullback_into(own, x, y, delta, layer.dx, layer.gradient)
                delta = layer.dx
        count(forward=1, pullback=1)
        return Estimate(result, value, work)

    return gradient
