"""A method that claims a direction and no accuracy: does its one answer point along the gradient?"""

import math
from collections.abc import Mapping
from typing import Any

from gradmark.claims import Target
from gradmark.judging.comparing.impostors import length
from gradmark.reference import Reference

_LONGER = 1e-3
"""Relative: a length that a narrow dtype rounds up is no fault."""


def not_uphill(gradient: Mapping[str, Any], reference: Reference, target: Target) -> str | None:
    """What is wrong with the answer in words: its direction, or a size beyond the claimed one."""
    sizes = length(gradient), length(reference.gradient)
    products = [float((gradient[name] * array).sum()) for name, array in reference.gradient.items()]
    if not math.isfinite(sizes[0]):
        return "it is not finite"
    cosine = sum(products) / (sizes[0] * sizes[1]) if sizes[0] > 0 and sizes[1] > 0 else 0.0
    if not cosine > reference.relative_uncertainty:
        return f"it does not point along the gradient: their cosine is {cosine:.3g}"
    if target.longest is not None and sizes[0] > target.longest * (1 + _LONGER):
        return f"it is {sizes[0]:.6g} long, and claims to be no longer than {target.longest:g}"
    largest = max(float(abs(array).max()) for array in gradient.values())
    if target.largest is not None and largest > target.largest * (1 + _LONGER):
        return f"it has an entry of size {largest:.6g}, and claims none beyond {target.largest:g}"
    return None
