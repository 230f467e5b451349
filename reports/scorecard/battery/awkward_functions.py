"""Correct gradients of functions that mislead a checker: kinks nearby, large offsets, oscillation, noise.

The first ten are those that the common checkers have been measured on; they accuse four to seven of them.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from reports.scorecard.battery.case import Case, Question, correct
from reports.scorecard.battery.smooth import coupled, coupled_gradient

_SIZE = 60


def cases() -> Iterator[Case]:
    """`_CASES`; those in `_MAY_STAY_OPEN` may be answered by "undecided"."""
    for name, (what, ask) in _CASES.items():
        yield correct(f"awkward:{name}", what, ask, *(("undecided",) if name in _MAY_STAY_OPEN else ()))


def _point(seed: int = 51, size: int = _SIZE) -> Any:
    return np.random.default_rng(seed).standard_normal(size)


def _plain(
    function: Callable[[Any], Any], gradient: Callable[[Any], Any], at: Any = None, **options: Any
) -> Callable[[], Question]:
    return lambda: Question(
        function, gradient, _point() if at is None else at, truth=gradient, options=options
    )


def relu_sum(x: Any) -> Any:
    """sum of relu(x) (1 + i / 10)."""
    return np.sum(np.maximum(x, 0) * (1 + np.arange(x.size) / 10))


def relu_gradient(x: Any) -> Any:
    """1 + i / 10 where x > 0."""
    return (x > 0) * (1 + np.arange(x.size) / 10).astype(x.dtype)


def _near_kink(distance: float) -> Any:
    x = _point()
    x[7] = distance
    return x


def _noisy(x: Any) -> Any:
    """f with noise of 1e-9 that looks random and is a function of the last bits of x."""
    bits = np.abs(np.asarray(x, np.float64)).view(np.uint64).sum(dtype=np.uint64)
    return np.sum(np.sin(np.asarray(x, np.float64))) + 1e-9 * np.sin(float(bits % 1_000_003))


def _single(x: Any) -> Any:
    """f evaluated in float32, whatever comes."""
    return float(np.sum(np.sin(np.asarray(x, np.float32))))


def _single_gradient(x: Any) -> Any:
    return np.cos(x.astype(np.float32)).astype(np.float64)


_DEEP = np.random.default_rng(52).standard_normal((40, 12, 12)) / np.sqrt(12)


def _deep(x: Any) -> Any:
    """Forty layers of tanh."""
    h = x
    for w in _DEEP:
        h = np.tanh(w @ h)
    return np.sum(h)


def _deep_gradient(x: Any) -> Any:
    layers = [x]
    for w in _DEEP:
        layers.append(np.tanh(w @ layers[-1]))
    delta = np.ones_like(x)
    for w, h in zip(_DEEP[::-1], layers[:0:-1], strict=True):
        delta = w.T @ (delta * (1 - h * h))
    return delta


_SPECTRUM = np.logspace(0, 12, _SIZE)


def _ill(x: Any) -> Any:
    """A quadratic with condition 1e12."""
    return np.sum(_SPECTRUM * x * x) / 2


def _rosenbrock(x: Any) -> Any:
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def _rosenbrock_gradient(x: Any) -> Any:
    valley, g = 200 * (x[1:] - x[:-1] ** 2), np.zeros_like(x)
    g[1:] = valley
    g[:-1] -= 2 * valley * x[:-1] + 2 * (1 - x[:-1])
    return g


def _chaotic(x: Any) -> Any:
    """Twelve steps of the logistic map: a slope of thousands that turns quickly."""
    y = 0.3 + x / 100
    for _ in range(12):
        y = 3.9 * y * (1 - y)
    return np.sum(y)


def _chaotic_gradient(x: Any) -> Any:
    y, slope = 0.3 + x / 100, np.full_like(x, 0.01)
    for _ in range(12):
        y, slope = 3.9 * y * (1 - y), slope * 3.9 * (1 - 2 * y)
    return slope


_CASES: dict[str, tuple[str, Callable[[], Question]]] = {
    "smooth": ("nothing awkward", _plain(coupled, coupled_gradient)),
    "relu-3e-7": ("a kink of relu 3e-7 away", _plain(relu_sum, relu_gradient, _near_kink(3e-7))),
    "relu-5e-5": ("a kink of relu 5e-5 away", _plain(relu_sum, relu_gradient, _near_kink(5e-5))),
    "offset-1e9": ("an offset of 1e9", _plain(lambda x: 1e9 + coupled(x), coupled_gradient)),
    "oscillating": (
        "sin(1e4 x)",
        _plain(lambda x: np.sum(np.sin(1e4 * x)), lambda x: 1e4 * np.cos(1e4 * x)),
    ),
    "exponential": (
        "exp(30 x)",
        _plain(lambda x: np.sum(np.exp(30 * x)), lambda x: 30 * np.exp(30 * x), np.linspace(-1, 1, 20)),
    ),
    "far-away": (
        "a quadratic at 1e8",
        _plain(lambda x: np.sum(x * x) / 2, lambda x: x * 1.0, 1e8 * _point()),
    ),
    "noise-1e-9": ("noise of 1e-9 in the function", _plain(_noisy, lambda x: np.cos(x))),
    "float32-inside": ("a function evaluated in float32", _plain(_single, _single_gradient)),
    "sqrt-near-edge": (
        "sqrt at 1.5e-6, beside the end of its domain",
        _plain(
            lambda x: np.sum(np.sqrt(x)),
            lambda x: 0.5 / np.sqrt(x),
            np.linspace(1.5e-6, 3e-6, 12),
            bounds=(0.0, np.inf),
        ),
    ),
    "deep": ("forty layers", _plain(_deep, _deep_gradient, _point(53, 12))),
    "ill-conditioned": ("a quadratic of condition 1e12", _plain(_ill, lambda x: _SPECTRUM * x)),
    "rosenbrock-valley": (
        "beside the minimum of a curved valley",
        _plain(_rosenbrock, _rosenbrock_gradient, np.ones(20) + 1e-4 * _point(54, 20)),
    ),
    "chaotic": ("twelve steps of the logistic map", _plain(_chaotic, _chaotic_gradient, _point(55, 20))),
}
_MAY_STAY_OPEN: frozenset[str] = frozenset()
