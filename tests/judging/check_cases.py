"""Functions with their gradients, faults, and correct gradients that are awkward to check, on any backend."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Arrays, to_numpy

Numbers = Any


@dataclass(frozen=True)
class Case:
    """A function and a gradient on one backend, the point, and the verdict that is right."""

    function: Callable[[Any], Any]
    gradient: Callable[[Any], Any]
    at: Any
    right: str = "correct"


def point(size: int) -> Numbers:
    return np.random.default_rng(size).normal(size=size)


def coupled(xp: Any) -> Callable[[Any], Any]:
    """sum sin x_i + 1/2 sum x_i x_{i+1}"""
    return lambda x: xp.sum(xp.sin(x)) + 0.5 * xp.sum(x[:-1] * x[1:])


def gradient_of_coupled(x: Numbers) -> Numbers:
    result = np.cos(x)
    result[:-1] += 0.5 * x[1:]
    result[1:] += 0.5 * x[:-1]
    return result


def _entry(change: Callable[[float], float]) -> Callable[[Numbers, Numbers], Numbers]:
    def changed(g: Numbers, x: Numbers) -> Numbers:
        g = g.copy()
        g[g.size // 3] = change(g[g.size // 3])
        return g

    return changed


def _swapped(g: Numbers, x: Numbers) -> Numbers:
    g = g.copy()
    g[[0, 2]] = g[[2, 0]]
    return g


def _noisy(g: Numbers, x: Numbers, random: Any = np.random.default_rng(1)) -> Numbers:  # noqa: B008
    return g + 1e-4 * random.normal(size=g.size)


def _frozen(g: Numbers, x: Numbers) -> Numbers:
    return gradient_of_coupled(point(g.size).astype(g.dtype))


FAULTS: dict[str, Callable[[Numbers, Numbers], Numbers]] = {
    "zero": lambda g, x: 0 * g,
    "negated": lambda g, x: -g,
    "scaled by 1.01": lambda g, x: g * 1.01,
    "scaled by 1.001": lambda g, x: g * 1.001,
    "scaled by 1.0005": lambda g, x: g * 1.0005,
    "scaled by 1.00001": lambda g, x: g * 1.00001,
    "an entry zeroed": _entry(lambda entry: 0.0),
    "an entry negated": _entry(lambda entry: -entry),
    "an entry NaN": _entry(lambda entry: np.nan),
    "an entry infinite": _entry(lambda entry: np.inf),
    "two entries swapped": _swapped,
    "coupling dropped": lambda g, x: np.cos(x),
    "computed in float32": lambda g, x: g.astype(np.float32),
    "noise of 1e-4": _noisy,
    "frozen at the first point": _frozen,
}
"""What is done to the gradient of `coupled`, and its point."""


def faulty(arrays: Arrays, size: int, fault: str) -> Case:
    change = FAULTS[fault]

    def gradient(x: Any) -> Any:
        numbers = to_numpy(x).astype(arrays.dtype)
        return arrays.array(change(gradient_of_coupled(numbers), numbers))

    return Case(coupled(arrays.xp), gradient, arrays.array(point(size)), "wrong")


def correct(arrays: Arrays, size: int) -> Case:
    return Case(
        coupled(arrays.xp),
        lambda x: arrays.array(gradient_of_coupled(to_numpy(x).astype(arrays.dtype))),
        arrays.array(point(size)),
    )


def hidden(arrays: Arrays, size: int) -> dict[str, Case]:
    """Wrong gradients that absolute tolerances do not see."""
    xp, x = arrays.xp, arrays.array(point(size))
    scales = np.where(np.arange(size) % 2, 1.0, 1e-6)
    weights, kept = arrays.array(scales), arrays.array(1.0 * (scales == 1))
    small = arrays.array(1e-5 * (1 + 0.1 * point(size)))

    def tiny(x: Any) -> Any:
        return 1e-6 * xp.sum(xp.sin(x))

    def mixed(x: Any) -> Any:
        return xp.sum(xp.asarray(scales, dtype=x.dtype) * xp.sin(x))

    return {
        "tiny, flipped": Case(tiny, lambda x: -1e-6 * xp.cos(x), x, "wrong"),
        "tiny, zero": Case(tiny, lambda x: 0 * x, x, "wrong"),
        "half tiny, zero there": Case(mixed, lambda x: kept * weights * xp.cos(x), x, "wrong"),
        "cubic term dropped": Case(lambda x: xp.sum(x + 1e4 * x**3), lambda x: 1 + 0 * x, small, "wrong"),
    }


def awkward(arrays: Arrays, size: int) -> dict[str, Case]:
    """Correct gradients where plain differences go astray."""
    xp, numbers = arrays.xp, point(size)
    x, random = arrays.array(numbers), np.random.default_rng(3)

    def near(distance: float) -> Any:
        moved = numbers.copy()
        moved[0] = distance
        return arrays.array(moved)

    def relu(x: Any) -> Any:
        return xp.sum(xp.where(x > 0, x, 0 * x))

    def slope_of_relu(x: Any) -> Any:
        return xp.astype(x > 0, x.dtype)

    def inside(x: Any) -> Any:
        return xp.astype(xp.sum(xp.sin(xp.astype(x, xp.float32))), x.dtype)

    def cosine(x: Any) -> Any:
        return xp.cos(x)

    roots = Case(lambda x: xp.sum(xp.sqrt(x)), lambda x: 0.5 / xp.sqrt(x), None)
    mixed = np.abs(numbers) + 0.1
    mixed[0] = 1.5e-6
    return {
        "kink 3e-7 away": Case(relu, slope_of_relu, near(3e-7)),
        "kink 5e-5 away": Case(relu, slope_of_relu, near(5e-5)),
        "offset of 1e9": Case(lambda x: 1e9 + xp.sum(xp.sin(x)), cosine, x),
        "sin(1e4 x)": Case(lambda x: xp.sum(xp.sin(1e4 * x)), lambda x: 1e4 * xp.cos(1e4 * x), x),
        "exp(30 x)": Case(
            lambda x: xp.sum(xp.exp(30 * x)),
            lambda x: 30 * xp.exp(30 * x),
            arrays.array(np.clip(numbers, -2, 2)),
        ),
        "x of 1e8": Case(lambda x: 0.5 * xp.sum(x * x), lambda x: x, arrays.array(1e8 * numbers)),
        "noise of 1e-9": Case(lambda x: xp.sum(xp.sin(x)) + 1e-9 * random.normal(), cosine, x),
        "float32 inside": Case(inside, cosine, x),
        "root of 1.5e-6": Case(
            roots.function, roots.gradient, arrays.array(1.5e-6 * (1 + 0.1 * np.tanh(numbers)))
        ),
        "root of 1.5e-6 beside 1": Case(roots.function, roots.gradient, arrays.array(mixed)),
        "linear": Case(lambda x: xp.sum(x), lambda x: 1 + 0 * x, x),
        "constant": Case(lambda x: 5 + 0 * xp.sum(x), lambda x: 0 * x, x),
        "at the minimum": Case(lambda x: xp.sum(x * x), lambda x: 2 * x, arrays.array(0 * numbers)),
        "absolute value": Case(lambda x: xp.sum(xp.abs(x) ** 3), lambda x: 3 * x * xp.abs(x), x),
    }
