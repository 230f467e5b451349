"""Initial weights of a dense layer, drawn in float64. `gain` multiplies the standard deviation.

xavier: variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010); he: 2 / fan_in (He et al. 2015);
lecun: 1 / fan_in (LeCun et al. 1998); orthogonal: orthonormal rows or columns (Saxe et al. 2014);
normal: standard deviation `gain` itself.

A layer with parameters has `initial(random, weights)`: its own in float64 NumPy, in the order of `shapes()`,
where ``weights(random, fan_in, fan_out)`` draws a matrix of shape (fan_out, fan_in).
"""

from collections.abc import Callable
from typing import Any

import numpy as np

Weights = Callable[[np.random.Generator, int, int], Any]


def _xavier(random: np.random.Generator, fan_in: int, fan_out: int) -> Any:
    return random.standard_normal((fan_out, fan_in)) * (2 / (fan_in + fan_out)) ** 0.5


def _he(random: np.random.Generator, fan_in: int, fan_out: int) -> Any:
    return random.standard_normal((fan_out, fan_in)) * (2 / fan_in) ** 0.5


def _lecun(random: np.random.Generator, fan_in: int, fan_out: int) -> Any:
    return random.standard_normal((fan_out, fan_in)) * (1 / fan_in) ** 0.5


def _orthogonal(random: np.random.Generator, fan_in: int, fan_out: int) -> Any:
    tall = random.standard_normal((max(fan_in, fan_out), min(fan_in, fan_out)))
    q, r = np.linalg.qr(tall)
    # The signs of r's diagonal make q uniformly distributed (Mezzadri 2007).
    q = q * np.sign(np.diagonal(r))
    return q if fan_out >= fan_in else q.T


def _normal(random: np.random.Generator, fan_in: int, fan_out: int) -> Any:
    return random.standard_normal((fan_out, fan_in))


def scaled(initialisation: str, gain: float) -> Weights:
    """The named initialisation times `gain`."""
    draw = INITIALISATIONS[initialisation]
    return lambda random, fan_in, fan_out: gain * draw(random, fan_in, fan_out)


INITIALISATIONS: dict[str, Weights] = {
    "xavier": _xavier,
    "he": _he,
    "lecun": _lecun,
    "orthogonal": _orthogonal,
    "normal": _normal,
}
