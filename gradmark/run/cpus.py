"""Which CPUs a worker stays on: those that others use least."""

import os
import time
from pathlib import Path

_STAT = Path("/proc/stat")
_LOOK = 0.03
"""Seconds over which other work is watched: three ticks of the kernel's clock, by which it counts."""
_left: set[int] = set()
"""The CPUs that this process might use before it settled."""


def settle(threads: int) -> None:
    """Pin this process to as many CPUs as there are threads: one that wanders finds cold caches.

    Of the CPUs it may use it takes the idlest, and of equals the last, because the first serve interrupts.
    Nothing happens where the system has no affinities.
    """
    if hasattr(os, "sched_setaffinity"):
        _left.update(os.sched_getaffinity(0))
        os.sched_setaffinity(0, idlest(sorted(os.sched_getaffinity(0)), threads))


def unsettle(process: int) -> None:
    """Let a process that this one started use all CPUs that this one might use before it settled."""
    if _left:
        os.sched_setaffinity(process, _left)


def idlest(allowed: list[int], threads: int) -> list[int]:
    """The `threads` CPUs of `allowed` that were idle longest while they were watched."""
    if threads >= len(allowed):
        return allowed
    before = _idle_ticks()
    time.sleep(_LOOK)
    after = _idle_ticks()
    return sorted(allowed, key=lambda cpu: (after.get(cpu, 0) - before.get(cpu, 0), cpu))[-threads:]


def _idle_ticks() -> dict[int, int]:
    """Clock ticks that each CPU has been idle since the machine started; empty where nobody counts them."""
    try:
        lines = _STAT.read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    fields = [line.split() for line in lines if line.startswith("cpu") and line[3].isdigit()]
    return {int(each[0][3:]): int(each[4]) for each in fields}
