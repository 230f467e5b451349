"""Wrong gradients that hide: behind larger ones, among many, or away from the point that is asked about."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from reports.scorecard.battery.case import Case, Question, Value, wrong
from reports.scorecard.battery.faults import typical
from reports.scorecard.battery.smooth import coupled, coupled_gradient

_TINY = 1e-6


def cases() -> Iterator[Case]:
    """Each hides in another way."""
    for name, (what, ask) in _CASES.items():
        yield wrong(f"hidden:{name}", what, ask)


def _point(size: int) -> Any:
    return np.random.default_rng(size + 1).standard_normal(size)


def _tiny_function(x: Any) -> Any:
    return _TINY * coupled(x)


def _tiny_gradient(x: Any) -> Any:
    return _TINY * coupled_gradient(x)


def _tiny(factor: float) -> Callable[[], Question]:
    return lambda: Question(
        _tiny_function, lambda x: factor * _tiny_gradient(x), _point(100), truth=_tiny_gradient
    )


def _mixed() -> Question:
    """Half of the coordinates have gradients a million times smaller, and they come back as zero."""

    def scale(x: Any) -> Any:
        return np.where(np.arange(x.size) % 2, _TINY, 1.0).astype(x.dtype)

    def truth(x: Any) -> Any:
        return scale(x) * np.cos(x)

    return Question(
        lambda x: np.sum(scale(x) * np.sin(x)),
        lambda x: np.where(np.arange(x.size) % 2, 0.0, truth(x)),
        _point(100),
        truth=truth,
    )


def _cubic() -> Question:
    """x + 1e4 x^3 near 1e-5, where the cubic adds three millionths to the slope."""
    return Question(
        lambda x: np.sum(x + 1e4 * x**3),
        lambda x: np.ones_like(x),
        1e-5 * (1 + np.random.default_rng(1).random(100)),
        truth=lambda x: 1 + 3e4 * x**2,
    )


def _layers(name: str, factor: float, scale: float = 1.0) -> Callable[[], Question]:
    """Three arrays, one of which is wrong by a factor; `scale` is the size of the last one's share of f."""

    def function(p: Value) -> Any:
        return np.sum(np.tanh(p["first"] @ p["second"])) + scale * np.sum(np.sin(p["bias"]))

    def truth(p: Value) -> Value:
        slope = 1 - np.tanh(p["first"] @ p["second"]) ** 2
        bias = scale * np.cos(p["bias"])
        return {"first": slope @ p["second"].T, "second": p["first"].T @ slope, "bias": bias}

    def ask() -> Question:
        random = np.random.default_rng(3)
        at = {"first": random.standard_normal((20, 30)) / 5, "second": random.standard_normal((30, 10)) / 5}
        at["bias"] = random.standard_normal(3)
        return Question(function, lambda p: {**truth(p), name: factor * truth(p)[name]}, at, truth=truth)

    return ask


def _one_of_many() -> Question:
    """One entry of a hundred thousand is a tenth too large."""
    at = _point(100_000)
    index = typical(coupled_gradient(at))

    def gradient(x: Any) -> Any:
        g = coupled_gradient(x)
        g[index] *= 1.1
        return g

    return Question(coupled, gradient, at, truth=coupled_gradient)


def _edge() -> Question:
    """The neighbour of the last coordinate is forgotten, as by a loop that ends too early."""

    def gradient(x: Any) -> Any:
        g = coupled_gradient(x)
        g[-1] = np.cos(x[-1])
        return g

    return Question(coupled, gradient, _point(2_000), truth=coupled_gradient)


def _clipped() -> Question:
    """The norm is clipped at 1.5 times what it is at the point, so that only larger gradients suffer."""
    at = _point(50)
    limit = 1.5 * np.linalg.norm(coupled_gradient(at))

    def gradient(x: Any) -> Any:
        g = coupled_gradient(x)
        return g * min(1.0, float(limit / np.linalg.norm(g)))

    return Question(coupled, gradient, at, truth=coupled_gradient, seen_at=4 * at)


def _saturated() -> Question:
    """tanh' is set to zero beyond |x| = 4, where it is still a thousandth: the point itself lies inside."""

    def truth(x: Any) -> Any:
        return 1 - np.tanh(x) ** 2

    return Question(
        lambda x: np.sum(np.tanh(x)),
        lambda x: np.where(np.abs(x) > 4, 0.0, truth(x)),
        np.linspace(-1.5, 1.5, 40),
        truth=truth,
        seen_at=np.linspace(-6.0, 6.0, 40),
    )


_CASES: dict[str, tuple[str, Callable[[], Question]]] = {
    "tiny-negated": ("gradients of size 1e-6, the sign", _tiny(-1.0)),
    "tiny-zero": ("gradients of size 1e-6, given as zero", _tiny(0.0)),
    "mixed-scales": ("half of the coordinates 1e-6, given as zero", _mixed),
    "cubic-dropped": ("x + 1e4 x^3 near 1e-5, the cubic dropped", _cubic),
    "layer-1e-6": ("one array of three times 1 + 1e-6", _layers("second", 1 + 1e-6)),
    "tiny-array": ("an array of size 1e-9 beside 1, the sign", _layers("bias", -1.0, 1e-9)),
    "bias-doubled": ("one small bias twice too large", _layers("bias", 2.0, 1e-3)),
    "one-of-1e5": ("one entry of 1e5 a tenth too large", _one_of_many),
    "edge": ("the last coordinate's neighbour forgotten", _edge),
    "clipped": ("clipped at a norm beyond that at the point", _clipped),
    "saturated": ("tanh' zero beyond |x| = 4, the point inside", _saturated),
}
