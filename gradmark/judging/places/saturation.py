"""Parameters so large that a network's units are flat: where derivatives of activations nearly vanish."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.draw import Draw
from gradmark.exchange import exchanged
from gradmark.layer import Elementwise
from gradmark.parameters import Parameters
from gradmark.problem import Problem, converted

Numbers = Mapping[str, Any]
_LARGER = 2.0
_ENLARGEMENTS = 3
"""Parameters are doubled at most three times: beyond that the gradient itself dies out."""
_FLAT = 0.1
"""A unit is saturated when its derivative is below a tenth of what it is at zero."""
_SHARE = 0.5
"""Of the units: when so many are saturated, the parameters are large enough."""


def enlarged(problem: Problem, start: Numbers, draw: Draw) -> Numbers:
    """`start` doubled until half of the units are saturated, a few times at most."""
    moved: Numbers = start
    for _ in range(_ENLARGEMENTS):
        moved = {name: _LARGER * array for name, array in moved.items()}
        if _saturated(problem, moved, draw) >= _SHARE:
            break
    return moved


def _saturated(problem: Problem, numbers: Numbers, draw: Draw) -> float:
    """The share of units whose activation is flat; 0 where the problem shows no activations."""
    slopes = slopes_of(problem, converted(numbers, problem.arrays), draw)
    return float(np.mean(slopes < _FLAT)) if slopes.size else 0.0


def slopes_of(problem: Problem, parameters: Parameters, draw: Draw) -> Any:
    """|sigma'| of each unit of each activation, one after the other: none where no activations are shown."""
    slopes: list[Any] = [np.zeros(0)]
    h: Any = draw.arrays.get("inputs")
    for named in exchanged(problem.layers or (), lambda _, layer: _watched(layer, slopes)):
        h, _ = named.layer.forward(named.own(parameters), h, draw)
    return np.concatenate(slopes)


def _watched(layer: Any, slopes: list[Any]) -> Any:
    """An activation that adds its slopes to `slopes` when it runs; any other layer itself."""
    if not isinstance(layer, Elementwise):
        return layer

    def forward(p: Any, x: Any, draw: Draw) -> Any:
        h, saved = layer.forward(p, x, draw)
        slopes.append(np.abs(to_numpy(layer.derivative(saved))).ravel())
        return h, saved

    watched = copy.copy(layer)
    object.__setattr__(watched, "forward", forward)
    return watched
