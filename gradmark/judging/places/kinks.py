"""A point a tiny distance beside a kink: where a careless derivative takes the wrong side."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.draw import Draw
from gradmark.layer import Affine, Elementwise
from gradmark.parameters import Parameters
from gradmark.problem import Problem, converted

_ROOTS = 16.0
"""Square roots of epsilon, relative to the pre-activations: 2e-7 in float64. A method's own rounding is far
smaller, so the side is clear; the steps of differences are larger, and cross."""
_PROBE = 1e-3
"""Where the two sides of an activation are compared: a smooth one hardly changes its slope over this."""
_JUMP = 0.1
"""A slope that changes by more than this from one side to the other has a kink between."""


def beside_a_kink(
    problem: Problem, start: Mapping[str, Any], draw: Draw, epsilon: float
) -> dict[str, Any] | None:
    """`start` with one bias shifted so that one pre-activation lies just above zero; None without kinks.

    `epsilon` is that of the dtype in which the side must be clear.
    """
    if problem.smoothness != "kinked" or problem.layers is None:
        return None
    for index, bias in _before_kinks(problem):
        nodes = _nodes(problem, converted(start, problem.arrays), draw, index)
        row, unit = np.unravel_index(np.argmin(np.abs(nodes)), nodes.shape)
        distance = _ROOTS * math.sqrt(epsilon) * float(np.sqrt(np.mean(nodes**2)))
        moved = {name: np.array(array) for name, array in start.items()}
        moved[bias][unit] += distance - nodes[row, unit]
        return moved
    return None


def _nodes(problem: Problem, parameters: Parameters, draw: Draw, index: int) -> Any:
    """What comes into layer `index`, in float64."""
    h = draw.arrays["inputs"]
    for named in (problem.layers or ())[:index]:
        h, _ = named.layer.forward(named.own(parameters), h, draw)
    return to_numpy(h).astype(np.float64)


def _before_kinks(problem: Problem) -> Iterator[tuple[int, str]]:
    """Indices of kinked activations, each with the bias of the affine layer before it."""
    layers = problem.layers or ()
    for index in range(1, len(layers)):
        named, before = layers[index], layers[index - 1]
        has_bias = isinstance(before.layer, Affine) and "bias" in before.names
        if has_bias and isinstance(named.layer, Elementwise) and _kinked(problem, named.layer):
            yield index, before.names["bias"]


def _kinked(problem: Problem, layer: Any) -> bool:
    """Whether the slope jumps at zero."""
    probe = problem.arrays.array([[-_PROBE, _PROBE]])
    _, saved = layer.forward({}, probe, Draw())
    left, right = to_numpy(layer.derivative(saved))[0]
    return bool(abs(float(right) - float(left)) > _JUMP)
