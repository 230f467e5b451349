"""Gradients that break an agreement: shape, dtype, finite numbers, the argument left alone, one answer."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from reports.scorecard.battery.case import Case, Gradient, Question, Value, wrong

_SIZE = 40


def function(x: Any) -> Any:
    """sum sin x_i + x_i^2 / 4."""
    return np.sum(np.sin(x) + x * x / 4)


def truth(x: Any) -> Any:
    """cos x_i + x_i / 2."""
    return np.cos(x) + x / 2


def cases() -> Iterator[Case]:
    """Each breaks one agreement."""
    for name, (what, gradient) in _CASES.items():
        yield wrong(f"contract:{name}", what, _asked(gradient))
    yield wrong("contract:array-missing", "one of two arrays missing", _missing)
    yield wrong("contract:second-call", "right at the first call only", _second_call)
    yield wrong("contract:by-shape", "remembered by the shape of the point, not its numbers", _by_shape)
    yield wrong("contract:random", "another answer at each call, by a thousandth", _random)


def _point() -> Any:
    return np.random.default_rng(31).standard_normal(_SIZE)


def _asked(gradient: Gradient) -> Callable[[], Question]:
    return lambda: Question(function, gradient, _point(), truth=truth)


def _writes(x: Any) -> Any:
    """Works in its argument's memory."""
    g = truth(x)
    np.cos(x, out=x)
    return g


def _restores(x: Any) -> Any:
    """A perturbation that is taken back in floating point leaves its rounding behind."""
    g = truth(x)
    x += 1e3
    x -= 1e3
    return g


def _with(value: float) -> Gradient:
    def gradient(x: Any) -> Any:
        g = truth(x)
        g[_SIZE // 2] = value
        return g

    return gradient


def _missing() -> Question:
    at = {"weight": _point(), "bias": np.array([0.3, -0.2])}

    def both(p: Value) -> Any:
        return function(p["weight"]) + function(p["bias"])

    return Question(both, lambda p: {"weight": truth(p["weight"])}, at)


def _second_call() -> Question:
    calls: list[None] = []

    def gradient(x: Any) -> Any:
        calls.append(None)
        return truth(x) * (1.0 if len(calls) == 1 else 1.01)

    return Question(function, gradient, _point(), truth=truth, seen_at=_point())


def _by_shape() -> Question:
    kept: dict[tuple[int, ...], Any] = {}

    def gradient(x: Any) -> Any:
        return np.array(kept.setdefault(x.shape, truth(x)))

    return Question(function, gradient, _point(), truth=truth, seen_at=2 * _point())


def _random() -> Question:
    random = np.random.default_rng(7)
    return Question(
        function, lambda x: truth(x) * (1 + 1e-3 * random.standard_normal(_SIZE)), _point(), truth=truth
    )


_CASES: dict[str, tuple[str, Gradient]] = {
    "writes-argument": ("it overwrites its argument", _writes),
    "restores-argument": ("it moves its argument and back, to rounding", _restores),
    "shape": ("a shape of its own: (n, 1)", lambda x: truth(x)[:, None]),
    "too-short": ("the last coordinate missing", lambda x: truth(x)[:-1]),
    "scalar": ("one number in place of an array", lambda x: truth(x).sum()),
    "none": ("None", lambda x: None),
    "float32": ("float32 numbers for a float64 function", lambda x: truth(x).astype("float32")),
    "integers": ("rounded to integers", lambda x: np.round(truth(x)).astype(int)),
    "nan": ("one entry NaN", _with(np.nan)),
    "inf": ("one entry infinite", _with(np.inf)),
}
