"""A unit that fires or not: its gradient is zero, and that of the smoothed unit known in closed form."""

import math
from typing import Any

import numpy as np
from array_api_compat import device as device_of

from gradmark.arrays import Array, to_numpy
from gradmark.errors import UsageError
from gradmark.noise_laws import NoiseLaw
from gradmark.vector_function import vector_problem
from problems.layers.branches import positive

_MARGIN = 0.1
"""Of the start: its distance from where the unit jumps, so that u is about 1 for sigma of 0.1."""


_INPUT = (0.5, -1.0, 1.5, -0.5, 1.0, -1.5)
"""Repeated: no entry is small, and every dtype holds them."""


def _start(random: np.random.Generator, size: int) -> Any:
    """A random point on the side where the unit fires, at the distance `_MARGIN`."""
    along, theta = _along(size), random.standard_normal(size)
    return theta + (_MARGIN - theta @ along) * along


def _along(size: int) -> Any:
    """a / |a|."""
    a = np.resize(_INPUT, size)
    return a / np.linalg.norm(a)


def _smoothed(xp: Any, theta: Array, law: NoiseLaw, sigma: float) -> Array:
    """E[e 1[u + e > 0]] / sigma along a / |a|, where e is one coordinate of the noise.

    That is phi(u) for a normal one. The first coordinate of the sphere of radius sqrt(P) has the density
    c (1 - e^2 / P)^((P - 3) / 2), c = Gamma(P / 2) / (sqrt(pi P) Gamma((P - 1) / 2)), whose integral from -u
    on is c P / (P - 1) (1 - u^2 / P)^((P - 1) / 2).
    """
    size = theta.shape[0]
    along = _along(size)
    u = float(to_numpy(theta) @ along) / sigma
    if law.name == "gaussian":
        mean = math.exp(-u * u / 2) / math.sqrt(2 * math.pi)
    elif law.name == "sphere" and size > 1:
        log_c = math.lgamma(size / 2) - math.lgamma((size - 1) / 2) - math.log(math.pi * size) / 2
        inside = max(1 - u * u / size, 0.0)
        mean = math.exp(log_c) * size / (size - 1) * inside ** ((size - 1) / 2)
    else:
        raise UsageError(
            f"heaviside: no closed form for {law.name} noise in {size} dimensions: take gaussian noise."
        )
    return xp.asarray(mean / sigma * along, dtype=theta.dtype, device=device_of(theta))


@vector_problem(start=_start, gradient=lambda xp, x: 0 * x, smoothing=_smoothed, smoothness="discontinuous")
def heaviside(xp: Any, x: Array) -> Array:
    """f(theta) = 1 where theta . a > 0, else 0, for a constant input a; the parameter x is theta.

    a is 1/2, -1, 3/2, -1/2, 1, -3/2 and so on. The gradient is zero wherever there is one. Smoothed with
    Gaussian noise it is phi(u) a / (sigma |a|) with u = theta . a / (sigma |a|), which an evolution strategy
    estimates and which the problem offers as `smoothed_form`; noise on the sphere has a closed form too. The
    start is at a distance of 0.1 from the jump, on the side of 1.

    >>> problem = heaviside(size=5)
    >>> float(problem.loss(problem.parameters))
    1.0
    """
    parts = [a * xp.sum(x[..., first :: len(_INPUT)], axis=-1) for first, a in enumerate(_INPUT)]
    t = sum(parts[1:], parts[0])
    # Both numbers are connected with t, so that a graph has a derivative, of zero.
    return xp.where(positive(xp, t), 0 * t + 1, 0 * t)
