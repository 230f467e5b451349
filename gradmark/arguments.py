"""Arguments of factories, checked once at the public boundary: a bad one is answered in one sentence."""

import math
import os
from collections.abc import Collection
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from gradmark.errors import UsageError, shown, unknown_name

_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def check_size(problem: str, argument: str, value: Any, least: int = 1) -> int:
    """`value` as an integer of at least `least`; `UsageError` with the argument's name otherwise.

    >>> check_size("mlp", "batch", 32)
    32
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise UsageError(f"{problem}: `{argument}={shown(value)}` must be an integer of at least {least}.")
    return int(value)


def check_number(problem: str, argument: str, value: Any, least: float, most: float) -> float:
    """`value` as a float from `least` to `most`; `UsageError` with the argument's name otherwise.

    >>> check_number("mlp", "gain", 2, 0, 1e4)
    2.0
    """
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.inf
    if not least <= number <= most:
        raise UsageError(
            f"{problem}: `{argument}={shown(value)}` must be a number from {least:g} to {most:g}."
        )
    return number


def check_positive(owner: str, argument: str, value: Any) -> float:
    """`value` as a finite float above zero; `UsageError` with the argument's name otherwise.

    >>> check_positive("central_difference", "step", 1e-5)
    1e-05
    """
    real = isinstance(value, Real) and not isinstance(value, bool)
    if not real or not math.isfinite(value) or value <= 0:
        raise UsageError(f"{owner}: `{argument}={shown(value)}` must be a finite number above zero.")
    return float(value)


def check_switch(owner: str, argument: str, value: Any) -> bool:
    """`value` if it is True or False; `UsageError` otherwise, for the word no would count as true.

    >>> check_switch("backprop", "fast", False)
    False
    """
    if not isinstance(value, bool):
        raise UsageError(f"{owner}: `{argument}={shown(value)}` must be true or false.")
    return value


def check_name(kind: str, name: Any, allowed: Collection[str]) -> None:
    """Raise `UsageError` unless `name` is one of `allowed`.

    >>> check_name("loss", "mse", {"mse", "cross_entropy"})
    """
    if not isinstance(name, str) or name not in allowed:
        raise unknown_name(kind, name, allowed)


def check_fits(problem: str, numbers: int) -> None:
    """Raise `UsageError` where a problem of so many numbers cannot be held in this machine's memory.

    Numbers are drawn in float64 and then rounded into the problem's own arrays, so both are there at once: 16
    bytes a number. Without this check the machine would swap, or the process be killed without a word.
    """
    there = memory_bytes()
    if 16 * numbers > there:
        count = f"{numbers:,}" if numbers < 10**15 else f"1e{math.log10(numbers):.0f}"
        raise UsageError(
            f"{problem}: {count} numbers of 16 bytes are more than the {there / 2**30:,.1f} GiB of memory "
            "that this machine has: choose smaller sizes."
        )


def memory_bytes() -> int:
    """The memory this process may use, in bytes: the machine's, or its container's limit if that is less."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = float(_CGROUP_LIMIT.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no cgroup, or no limit, which is written "max"
        limit = math.inf
    return int(min(physical, limit))
