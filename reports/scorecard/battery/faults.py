"""Faults that any gradient can have: each makes a wrong gradient out of the true one."""

from collections.abc import Callable
from typing import Any

import numpy as np

from reports.scorecard.battery.case import Gradient, Value

Fault = Callable[[Gradient, Any], Gradient]
"""Takes the true gradient and the point that is asked about."""


def zero(truth: Gradient, at: Any) -> Gradient:
    """Nothing but zeros."""
    return lambda x: 0 * truth(x)


def scaled(factor: float) -> Fault:
    """The true gradient times `factor`."""
    return lambda truth, at: lambda x: factor * truth(x)


def entry(change: Callable[[Any], Any]) -> Fault:
    """One coordinate of typical size changed by `change`."""

    def fault(truth: Gradient, at: Any) -> Gradient:
        index = typical(truth(at))

        def gradient(x: Value) -> Value:
            g = np.array(truth(x))
            g[index] = change(g[index])
            return g

        return gradient

    return fault


def swapped(truth: Gradient, at: Any) -> Gradient:
    """Two coordinates exchanged, which differ by a typical size."""
    g = truth(at)
    first, second = typical(g), typical(g - g[typical(g)])

    def gradient(x: Value) -> Value:
        g = np.array(truth(x))
        g[[first, second]] = g[[second, first]]
        return g

    return gradient


def rounded(dtype: str) -> Fault:
    """Computed in a narrower `dtype`, and returned in that of the point."""
    return lambda truth, at: lambda x: truth(x.astype(dtype)).astype(x.dtype)


def noisy(level: float) -> Fault:
    """The same normal noise of standard deviation `level` added at every call."""
    return lambda truth, at: (
        lambda x: truth(x) + level * np.random.default_rng(5).standard_normal(x.shape).astype(x.dtype)
    )


def frozen(truth: Gradient, at: Any) -> Gradient:
    """The gradient of the first point, wherever it is asked for."""
    first = truth(at)
    return lambda x: np.array(first)


def typical(g: Any) -> int:
    """The index of the entry whose size is nearest to the root mean square of all."""
    return int(np.argmin(np.abs(np.abs(g) - np.sqrt(np.mean(g * g)))))
