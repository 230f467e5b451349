"""Gradients of one network by many methods, interleaved: times of whole gradients, and their errors."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from benchmarks.speed.networks import Part, error, network
from gradmark.measuring import time as timing
from gradmark.measuring.interval import Interval
from gradmark.measuring.time import Timing


@dataclass(frozen=True)
class Way:
    """One way to a gradient: a method (or another function), where it runs, up to which sizes it is run.

    Beyond `whole` parameters it is timed on a part and scaled; beyond `most` it is not asked.
    """

    name: str
    backend: str
    make: Callable[[Any], Callable[[], Any]]
    """From the problem to a call that returns a gradient."""
    whole: float = 1e9
    most: float = 1e9


@dataclass(frozen=True)
class Found:
    """What was measured of one way: seconds of a whole gradient, its error, and whether it was `scaled`."""

    timing: Timing
    error: float
    scaled: bool

    def over(self, other: "Found") -> Interval:
        """How many times as long as `other` it takes."""
        return timing.time_ratio(self.timing, other.timing)


def by_method(name: str, **hyper: Any) -> Callable[[Any], Callable[[], Any]]:
    """A registered method's gradient."""

    def make(problem: Any) -> Callable[[], Any]:
        import gradmark

        call = partial(gradmark.get_method(name, **hyper).prepare(problem), problem.parameters)
        return lambda: call().gradient

    return make


def measured(label: str, dtype: str, ways: Iterable[Way], seconds: float) -> dict[str, Found]:
    """Time all `ways` that take this size, in one interleaved run of about `seconds`."""
    from gradmark.arrays import installed
    from gradmark.measuring.threads import pinned

    calls: dict[str, Callable[[], Any]] = {}
    factors: dict[str, float] = {}
    size = float(label)
    for way in ways:
        if size > way.most or not installed(way.backend):
            continue
        problem = network(label, way.backend, dtype)
        part = Part(problem) if size > way.whole else None
        calls[way.name] = way.make(part or problem)
        factors[way.name] = part.factor if part else 1.0
    with pinned(1):
        errors = {name: error(call(), label, dtype) for name, call in calls.items()}
        timings = timing.interleaved(calls, synchronize=lambda: None, budget=seconds)
    return {
        name: Found(_times(timings[name], factors[name]), errors[name], factors[name] > 1) for name in calls
    }


def fastest(found: dict[str, Found], name: str) -> str:
    """The fastest of the ways whose names begin with `name`: one method on several backends."""
    return min((each for each in found if each.startswith(name)), key=lambda each: found[each].timing.median)


def duration(seconds: float) -> str:
    """Such as ``12.3 us``, ``4.56 ms``, ``2.0 h``.

    >>> duration(0.00456), duration(7200)
    ('4.56 ms', '2.0 h')
    """
    for unit, size in (("h", 3600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3)):
        if seconds >= size * (1 if unit != "min" else 2):
            return f"{seconds / size:.3g} {unit}" if unit != "h" else f"{seconds / size:.1f} h"
    return f"{seconds * 1e6:.3g} us"


def _times(found: Timing, factor: float) -> Timing:
    return replace(found, seconds=tuple(each * factor for each in found.seconds))
