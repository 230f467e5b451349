"""A method's peak memory at several sizes."""

from collections.abc import Callable, Sequence

from gradmark.judging.costs.growth import Costs
from gradmark.judging.hearing import Hearing
from gradmark.judging.process import watch
from gradmark.measuring.forked import ChildFailed
from gradmark.measuring.memory import peak_bytes
from gradmark.parameters import size

_LARGE = 2.0**19
"""Bytes of parameters from which measuring is tried: peaks on the CPU are known to some 320 KiB."""
_CLEAR = 4.0
"""How many times its resolution a peak must be."""


def large_enough(hearings: Sequence[Hearing]) -> list[Hearing]:
    """Those whose parameters are large beside what can be resolved; none on JAX, which cannot be forked."""
    return [
        hearing
        for hearing in hearings
        if hearing.problem.arrays.backend != "jax"
        and size(hearing.problem.parameters) * hearing.problem.arrays.itemsize >= _LARGE
    ]


def memories(hearings: Sequence[Hearing]) -> Costs:
    """Peak bytes of preparing and calling; sizes at which they cannot be measured here are left out."""
    sizes, values = [], []
    for hearing in hearings:
        if hearing.clock.left() <= 0:
            break
        try:
            with watch.calling(hearing.where):
                peak = peak_bytes(_make(hearing), hearing.problem.arrays)
        except (ChildFailed, MemoryError, OSError):
            continue
        if peak.bytes >= _CLEAR * peak.resolution:
            sizes.append(float(size(hearing.problem.parameters)))
            values.append(peak.bytes)
    return Costs(tuple(sizes), tuple(values))


def _make(hearing: Hearing) -> Callable[[], Callable[[], object]]:
    def make() -> Callable[[], object]:
        prepared = hearing.method.prepare(hearing.problem)
        return lambda: prepared(hearing.problem.parameters, hearing.seed)

    return make
