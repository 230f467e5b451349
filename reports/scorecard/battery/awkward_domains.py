"""Correct gradients at the edge of what has one: domains with ends, kinks, jumps, ties."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from reports.scorecard.battery.awkward_functions import relu_gradient, relu_sum
from reports.scorecard.battery.case import Case, Question, correct


def cases() -> Iterator[Case]:
    """`_CASES`, then points without a gradient, for which "undecided" is the right answer."""
    for name, (what, ask) in _CASES.items():
        yield correct(f"awkward:{name}", what, ask)
    for name, (what, ask) in _WITHOUT.items():
        yield correct(f"awkward:{name}", what, ask, "undecided")


def _asked(function: Any, gradient: Any, at: Any, **options: Any) -> Callable[[], Question]:
    return lambda: Question(function, gradient, np.array(at), truth=gradient, options=options)


def _normal(size: int) -> Any:
    return np.random.default_rng(71).standard_normal(size)


def _entropy(x: Any) -> Any:
    return np.sum(x * np.log(x))


def _max_pool(x: Any) -> Any:
    """The maximum of each four, squared."""
    return np.sum(np.max(x.reshape(-1, 4), axis=1) ** 2)


def _max_pool_gradient(x: Any) -> Any:
    groups = x.reshape(-1, 4)
    top = groups.argmax(axis=1)[:, None]
    g = np.zeros_like(groups)
    np.put_along_axis(g, top, 2 * np.take_along_axis(groups, top, 1), 1)
    return g.reshape(x.shape)


def _sorted(x: Any) -> Any:
    """Order statistics, weighted."""
    return np.sum(np.sort(x) * np.arange(x.size))


def _sorted_gradient(x: Any) -> Any:
    return np.argsort(np.argsort(x)).astype(x.dtype)


def _near_tie(size: int) -> Any:
    x = _normal(size)
    x[1] = x[0] + 1e-7
    return x


def _huber(x: Any) -> Any:
    """Quadratic inside |x| < 1, linear outside: its slope has no jump, its curvature has."""
    return np.sum(np.where(np.abs(x) < 1, x * x / 2, np.abs(x) - 0.5))


_SIMPLEX = np.random.default_rng(72).dirichlet(np.ones(15))

_CASES: dict[str, tuple[str, Callable[[], Question]]] = {
    "log-near-edge": (
        "log beside the end of its domain",
        _asked(lambda x: np.sum(np.log(x)), lambda x: 1 / x, np.logspace(-8, 0, 20), bounds=(0.0, np.inf)),
    ),
    "simplex": (
        "the entropy on a simplex",
        _asked(_entropy, lambda x: np.log(x) + 1, _SIMPLEX, bounds=(0.0, 1.0)),
    ),
    "arcsine": (
        "arcsin at 1 - 1e-6",
        _asked(
            lambda x: np.sum(np.arcsin(x)), lambda x: 1 / np.sqrt(1 - x * x), [1 - 1e-6, -0.5, 0.2],
            bounds=(-1.0, 1.0),
        ),
    ),
    "max-pool": ("maxima with a near tie", _asked(_max_pool, _max_pool_gradient, _near_tie(40))),
    "sort": ("order statistics with a near tie", _asked(_sorted, _sorted_gradient, _near_tie(30))),
    "huber": (
        "a jump in the curvature at the point",
        _asked(_huber, lambda x: np.clip(x, -1, 1), [1.0, -1.0, 0.3]),
    ),
    "steps-elsewhere": (
        "jumps, none nearer than a tenth",
        _asked(lambda x: np.sum(x * x / 2 + np.round(x)), lambda x: x * 1.0, [0.1, 1.2, -0.3, 2.05]),
    ),
}  # fmt: skip
_WITHOUT: dict[str, tuple[str, Callable[[], Question]]] = {
    "relu-at-zero": (
        "relu at zero, where the convention is 0",
        _asked(relu_sum, relu_gradient, [0.0, 1.0, -2.0, 0.0, 0.7]),
    ),
    "absolute-at-zero": ("|x| at zero", _asked(lambda x: np.sum(np.abs(x)), np.sign, [0.0, 0.5, -1.5])),
    "norm-at-zero": (
        "the norm at the origin",
        _asked(
            lambda x: np.sqrt(np.sum(x * x)),
            lambda x: x / max(float(np.sqrt(np.sum(x * x))), 1e-300),
            np.zeros(6),
        ),
    ),
    "relu-float32": (
        "a kink of relu within the rounding of float32",
        lambda: Question(
            lambda x: np.float32(np.sum(np.maximum(x, np.float32(0)))),
            lambda x: (x > 0).astype(x.dtype),
            np.array([1e-9, 0.5, -1.0, 2.0], np.float32),
            truth=lambda x: (x > 0).astype(x.dtype),
        ),
    ),
}
