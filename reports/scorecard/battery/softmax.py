"""Faults of the gradient of softmax and cross-entropy: f = mean over rows of -log softmax(X W)_label."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from reports.scorecard.battery.case import Case, Question, wrong

_ROWS, _INPUTS, _CLASSES = 24, 9, 6
_RANDOM = np.random.default_rng(11)
_X = _RANDOM.standard_normal((_ROWS, _INPUTS))
_LABELS = _RANDOM.integers(_CLASSES, size=_ROWS)
_W = _RANDOM.standard_normal((_INPUTS, _CLASSES)) / 2
_HOT = np.eye(_CLASSES)[_LABELS]
_IGNORED = np.arange(_ROWS) < 4


def softmax(z: Any) -> Any:
    """exp z / sum exp z over the last axis, shifted by the largest real part."""
    e = np.exp(z - np.max(z.real, axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def cross_entropy(w: Any) -> Any:
    """The mean over rows of -log p of the label."""
    return -np.mean(np.sum(_HOT * np.log(softmax(_X @ w)), axis=-1))


def truth(w: Any) -> Any:
    """X^T (p - y) / B."""
    return _X.T @ (softmax(_X @ w) - _HOT) / _ROWS


def _by_delta(delta: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda w: _X.T @ delta(softmax(_X @ w)) / _ROWS


FAULTS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "cross-term": ("the softmax's cross terms dropped", _by_delta(lambda p: -_HOT * (1 - p))),
    "labels-shifted": ("labels counted from one", _by_delta(lambda p: p - np.roll(_HOT, 1, axis=1))),
    "sign": ("y - p", _by_delta(lambda p: _HOT - p)),
    "smoothed": ("label smoothing of 1e-3, which the loss has not", _by_delta(lambda p: p - 0.999 * _HOT)),
    "softmax-twice": ("softmax taken twice", _by_delta(lambda p: softmax(p) - _HOT)),
    "ignored-rows": (
        "four padded rows left out, the mean over all",
        _by_delta(lambda p: np.where(_IGNORED[:, None], 0.0, p - _HOT)),
    ),
    "probability-floor": (
        "probabilities not below a hundredth",
        _by_delta(lambda p: np.maximum(p, 1e-2) - _HOT),
    ),
    "microbatches": (
        "micro-batches of 8, 8, 5 and 3 rows weighted alike",
        _by_delta(lambda p: (p - _HOT) * np.repeat([3, 3, 24 / 5, 8], [8, 8, 5, 3])[:, None] / 4),
    ),
}


def cases() -> Iterator[Case]:
    """The faults of `FAULTS`."""
    for name, (what, gradient) in FAULTS.items():
        yield wrong(f"softmax:{name}", what, _asked(gradient))


def _asked(gradient: Callable[[Any], Any]) -> Callable[[], Question]:
    return lambda: Question(cross_entropy, gradient, _W.copy(), truth=truth)
