"""Faults in the derivatives of single operations: what a new layer's backward pass gets wrong."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from reports.scorecard.battery.case import Case, Function, Gradient, Question, wrong

_WEIGHTS = np.random.default_rng(21).standard_normal((40, 8))
_TOKENS = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5, 3])


def cases() -> Iterator[Case]:
    """Each the function, a wrong gradient, the true one."""
    for name, (what, pose, shape) in _OPERATIONS.items():
        yield wrong(f"operation:{name}", what, _asked(pose, shape))


def _asked(
    pose: Callable[[], tuple[Function, Gradient, Gradient]], shape: tuple[int, ...]
) -> Callable[[], Question]:
    def ask() -> Question:
        function, faulty, true = pose()
        at = np.random.default_rng(len(shape) + shape[0]).standard_normal(shape)
        return Question(function, faulty, at, truth=true)

    return ask


Pose = tuple[Function, Gradient, Gradient]


def _normalised(x: Any) -> tuple[Any, Any]:
    centred = x - x.mean(axis=0)
    scale = np.sqrt((centred**2).mean(axis=0) + 1e-5)
    return centred / scale, scale


def _batch_norm() -> Pose:
    """Mean and variance taken for constants."""

    def true(x: Any) -> Any:
        y, scale = _normalised(x)
        dy = _WEIGHTS * np.cos(y)
        return (dy - dy.mean(axis=0) - y * (dy * y).mean(axis=0)) / scale

    def faulty(x: Any) -> Any:
        y, scale = _normalised(x)
        return _WEIGHTS * np.cos(y) / scale

    return lambda x: np.sum(_WEIGHTS * np.sin(_normalised(x)[0])), faulty, true


def _embedding() -> Pose:
    """Rows that are used twice are assigned where they should be added."""
    weights = _WEIGHTS[:10]

    def slopes(table: Any) -> Any:
        return weights * np.cos(table[_TOKENS])

    def true(table: Any) -> Any:
        g = np.zeros_like(table)
        np.add.at(g, _TOKENS, slopes(table))
        return g

    def faulty(table: Any) -> Any:
        g = np.zeros_like(table)
        g[_TOKENS] = slopes(table)
        return g

    return lambda table: np.sum(weights * np.sin(table[_TOKENS])), faulty, true


def _convolution() -> Pose:
    """The kernel is not turned round: the gradient of its input correlates where it should convolve."""
    kernel, target = np.array([0.5, -1.0, 0.25, 2.0]), np.linspace(-1, 1, 60)

    def residual(x: Any) -> Any:
        return np.correlate(np.pad(x, (2, 1)), kernel, "valid") - target

    def true(x: Any) -> Any:
        return np.correlate(np.pad(residual(x), (1, 2)), kernel[::-1], "valid")

    def faulty(x: Any) -> Any:
        return np.correlate(np.pad(residual(x), (1, 2)), kernel, "valid")

    return lambda x: np.sum(residual(x) ** 2) / 2, faulty, true


def _tied() -> Pose:
    """A matrix that is used twice, its second use forgotten."""
    start = np.linspace(-1, 1, 12)

    def both(w: Any) -> tuple[Any, Any]:
        h = np.tanh(w @ start)
        delta = 1 - np.tanh(w @ h) ** 2
        return np.outer(delta, h), np.outer((w.T @ delta) * (1 - h * h), start)

    return lambda w: np.sum(np.tanh(w @ np.tanh(w @ start))), lambda w: both(w)[0], lambda w: sum(both(w))


def _residual() -> Pose:
    """x + tanh(x)^2, the way round the branch forgotten."""

    def branch(x: Any) -> Any:
        return 2 * np.tanh(x) * (1 - np.tanh(x) ** 2)

    return lambda x: np.sum(x + np.tanh(x) ** 2), branch, lambda x: 1 + branch(x)


def _cumulative() -> Pose:
    """The gradient of a cumulative sum summed in the wrong direction."""
    c = np.linspace(0.5, 2.0, 50)

    def true(x: Any) -> Any:
        return np.cumsum((c * np.cos(np.cumsum(x)))[::-1])[::-1]

    return lambda x: np.sum(c * np.sin(np.cumsum(x))), lambda x: np.cumsum(c * np.cos(np.cumsum(x))), true


def _solve() -> Pose:
    """A^-1 where its transpose belongs, in the gradient of b^T A^-1 b."""
    b = np.linspace(1, 2, 6)

    def matrix(x: Any) -> Any:
        return x + 6 * np.eye(6)

    def true(x: Any) -> Any:
        return -np.outer(np.linalg.solve(matrix(x).T, b), np.linalg.solve(matrix(x), b))

    return lambda x: b @ np.linalg.solve(matrix(x), b), lambda x: true(x).T, true


def _norm() -> Pose:
    """x / |x|^2 in place of x / |x|."""

    def size(x: Any) -> Any:
        return np.sqrt(np.sum(x * x))

    return size, lambda x: x / size(x) ** 2, lambda x: x / size(x)


def _attention() -> Pose:
    """The scale 1 / sqrt(d) forgotten on the way back."""
    keys, values = _WEIGHTS[:5], np.linspace(-1, 2, 5)

    def weights(q: Any) -> Any:
        e = np.exp(q @ keys.T / np.sqrt(8))
        return e / e.sum(axis=-1, keepdims=True)

    def unscaled(q: Any) -> Any:
        p = weights(q)
        return (p * (values - (p @ values)[:, None])) @ keys

    return lambda q: np.sum(weights(q) @ values), unscaled, lambda q: unscaled(q) / np.sqrt(8)


def _dropout() -> Pose:
    """The backward pass draws another mask than the forward pass did."""
    one, other = (np.random.default_rng(seed).random(80) < 0.9 for seed in (1, 2))
    return (
        lambda x: np.sum(np.sin(x) * one) / 0.9,
        lambda x: np.cos(x) * other / 0.9,
        lambda x: np.cos(x) * one / 0.9,
    )


_OPERATIONS: dict[str, tuple[str, Callable[[], Pose], tuple[int, ...]]] = {
    "batch-norm": ("statistics taken for constants", _batch_norm, (40, 8)),
    "embedding": ("repeated rows assigned, not added", _embedding, (10, 8)),
    "convolution": ("the kernel not turned round", _convolution, (60,)),
    "tied-weights": ("the second use of a matrix forgotten", _tied, (12, 12)),
    "residual": ("the way round a branch forgotten", _residual, (30,)),
    "cumulative-sum": ("summed in the wrong direction", _cumulative, (50,)),
    "solve": ("a solution's gradient transposed", _solve, (6, 6)),
    "norm": ("divided by the norm twice", _norm, (20,)),
    "attention": ("1 / sqrt(d) forgotten on the way back", _attention, (4, 8)),
    "dropout": ("another mask on the way back", _dropout, (80,)),
}
