"""A derivative in a narrow dtype beside the same one in float64, whose formula was judged before.

What they may differ by is measured: the float64 computation is repeated with every operation's result moved
by the epsilon of the narrow dtype.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Arrays, epsilon, to_numpy
from gradmark.judging.verdict import Evidence, Finding
from gradmark.random import generator

_SAMPLES = 4
"""Repetitions of the moved computation."""
_SPREADS = 8.0
"""Times the largest of them by which a correct derivative may be off. Each moves by twice what rounding does;
sums inside one kernel, of which only the result is moved, make up for that and more."""
_ROUNDINGS = 8.0
"""Epsilons of the 2-norm on top, for kernels that round inside and for what happens to move nothing."""
_NEARBY = 0.1
"""The relative change from point to point."""
_POINTS = 3
_EIGHTHS = (4, 13)
"""Weights are from 4/8 to 12/8 in size: exact in every dtype, so that both computations get the same."""

Named = Mapping[str, Any]
Derivative = Callable[[Named, Named], Named]


@dataclass(frozen=True)
class Narrow:
    """A `derivative` of (point, weights), to be judged at points made of `narrow` arrays beside `wide` ones.

    `weighted` gives arrays whose shapes the weights have; `shaken` makes one that errs in every step.
    """

    derivative: Derivative
    shaken: Callable[[Derivative, float, int], Derivative]
    weighted: Callable[[Named], Named]
    narrow: Arrays
    wide: Arrays
    seed: int


def findings(check: str, it: Narrow, at: Named) -> Iterator[Finding]:
    """One finding for each of a few points: as given and nearby."""
    for index in range(_POINTS):
        point = at if index == 0 else _nearby(it, at, index)
        yield _finding(f"{check}.precision", it, point, "as given" if index == 0 else f"nearby ({index})")


def _finding(check: str, it: Narrow, at: Named, where: str) -> Finding:
    numbers = {name: np.asarray(to_numpy(array), dtype=np.float64) for name, array in at.items()}
    point = {name: it.wide.array(array) for name, array in numbers.items()}
    weights = _weights(it, it.weighted(point))
    found = _flat(it.derivative(at, {name: it.narrow.array(array) for name, array in weights.items()}))
    wide_weights = {name: it.wide.array(array) for name, array in weights.items()}
    expected = _flat(it.derivative(point, wide_weights))
    spread = _spread(it, point, wide_weights, expected)
    return _judged(check, it, where, found, expected, spread)


def _judged(check: str, it: Narrow, where: str, found: Named, expected: Named, spread: Named) -> Finding:
    dtype, eps = it.narrow.dtype, epsilon(it.narrow.dtype)
    size = float(np.sqrt(sum(np.sum(array**2) for array in expected.values())))
    allowed = {
        name: _SPREADS * spread[name] + _ROUNDINGS * eps * float(np.linalg.norm(expected[name]))
        for name in expected
    }
    power = float(np.sqrt(sum(bound**2 for bound in allowed.values()))) / size if size > 0 else None
    if not all(np.all(np.isfinite(array)) for array in found.values()):
        reason = (
            f"it is not finite in {dtype}, and finite in {it.wide.dtype}: it overflows, or divides by zero."
        )
        return Finding(check, "undecided", reason, where, dtype)
    off = {name: float(np.linalg.norm(found[name] - expected[name])) for name in expected}
    total = float(np.sqrt(sum(value**2 for value in off.values())))
    digits = None if size == 0 else max(0.0, -np.log10(max(total / size, eps / 2)))
    worst = max(off, key=lambda name: off[name] - allowed[name])
    if off[worst] <= allowed[worst]:
        reason = (
            f"in {dtype} it is off by {total / size if size else total:.1e} of what it is in {it.wide.dtype}."
        )
        return Finding(check, "passed", reason, where, dtype, None, digits, power)
    reason = (
        f"in {dtype}, {worst} is off by {off[worst]:.2g} from what it is in {it.wide.dtype}, where rounding "
        f"of every operation explains {allowed[worst]:.2g}."
    )
    evidence = _evidence(worst, found[worst], expected[worst], where)
    return Finding(check, "failed", reason, where, dtype, evidence, digits, power)


def _evidence(name: str, found: Any, expected: Any, where: str) -> Evidence:
    index = np.unravel_index(int(np.argmax(np.abs(found - expected))), expected.shape)
    error = float(np.linalg.norm(found - expected) / (np.linalg.norm(expected) or 1.0))
    place = tuple(int(i) for i in index) if expected.shape else None
    at = np.s_[index] if expected.shape else ()
    return Evidence("an entry", name, place, float(found[at]), float(expected[at]), None, error, where)


def _spread(it: Narrow, point: Named, weights: Named, expected: Named) -> dict[str, float]:
    spread = dict.fromkeys(expected, 0.0)
    for sample in range(_SAMPLES):
        moved = _flat(it.shaken(it.derivative, epsilon(it.narrow.dtype), it.seed + sample)(point, weights))
        for name in spread:
            change = float(np.linalg.norm(moved[name] - expected[name]))
            spread[name] = max(spread[name], change if np.isfinite(change) else 0.0)
    return spread


def _weights(it: Narrow, like: Named) -> dict[str, Any]:
    random = generator(it.seed, "judge", 71)
    shapes = {name: tuple(array.shape) for name, array in like.items()}
    return {
        name: random.integers(*_EIGHTHS, size=shape) / 8 * random.choice([-1.0, 1.0], size=shape)
        for name, shape in shapes.items()
    }


def _nearby(it: Narrow, at: Named, index: int) -> dict[str, Any]:
    random = generator(it.seed, "judge", 72, index)
    numbers = {name: np.asarray(to_numpy(array), dtype=np.float64) for name, array in at.items()}
    return {
        name: it.narrow.array(array * (1 + _NEARBY * random.uniform(-1, 1, array.shape)))
        for name, array in numbers.items()
    }


def _flat(named: Named) -> dict[str, Any]:
    return {name: np.asarray(to_numpy(array), dtype=np.float64) for name, array in named.items()}
