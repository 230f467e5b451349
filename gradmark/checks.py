"""Checks of a method's hyper-parameters, made once, when the method is built."""

import math
from typing import Any

import numpy as np

from gradmark.errors import UsageError


def check_count(method: Any, field: str, least: int = 1) -> None:
    """Raise `UsageError` unless the hyper-parameter `field` is an integer of at least `least`."""
    value = getattr(method, field)
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise UsageError(
            f"{type(method).__name__}: `{field}={value!r}` must be an integer of at least {least}."
        )


def check_positive(method: Any, field: str) -> None:
    """Raise `UsageError` unless the hyper-parameter `field` is a finite number above zero."""
    value = getattr(method, field)
    numeric = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not numeric or not math.isfinite(value) or value <= 0:
        raise UsageError(f"{type(method).__name__}: `{field}={value!r}` must be a finite number above zero.")
