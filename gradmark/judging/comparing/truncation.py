"""What truncation and the loss's rounding do to differences of a declared order: C h^p + noise / h.

The judge takes differences of that order himself, in wide arithmetic, with the largest step that a method may
reasonably take, and compares them with the reference: that is the truncation, kinks within a step included.
The noise of the loss in the problem's own arithmetic (`gradmark.reference.noise`) over the smallest such step
is the rounding. So a wrong method cannot buy itself tolerance.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from gradmark.arrays import epsilon
from gradmark.claims import Truncated
from gradmark.judging.comparing.difference_errors import difference_errors
from gradmark.judging.comparing.joint_truncation import joint_truncation, moves_all
from gradmark.judging.comparing.node_rounding import node_rounding
from gradmark.judging.comparing.node_truncation import node_truncation, steps_nodes
from gradmark.judging.hearing import Hearing
from gradmark.judging.places.shared import noise_at
from gradmark.judging.places.sites import Site
from gradmark.reference import Reference
from gradmark.reference.point import Point, widest_point

FREEDOM = 4.0
"""A method that chooses its step may take one so many times longer or shorter than eps^(1/(p+1)) times the
size of its array, or to 1: rules differ in constants and in what they call the size, and
absolute steps, or those relative to max(1, |x|), are common ones."""
FORMULAS = 4.0
"""Formulas of one order have different constants: a one-sided one of second order errs twice as much as the
central one, and wider ones more. The built-in methods stay below 0.25 of what comes of it."""
NOISES = 8.0
"""Standard deviations of the loss's noise, over the step: a formula has several values with their weights."""


@dataclass(frozen=True)
class Allowance:
    """For each entry of each array, how far truncation and rounding may move it."""

    truncation: dict[str, Any]
    rounding: dict[str, Any]


def allowance(hearing: Hearing, site: Site, reference: Reference, claim: Truncated) -> Allowance:
    """The allowance for differences of the order and step that the method claims, at `site`."""
    wide = widest_point(hearing.problem, site.parameters, site.draw)
    longest, shortest = steps(hearing, wide, claim)
    point = Point(hearing.problem, site.parameters, site.draw)
    level = noise_at(hearing.problem, point)
    truncation, rounding = {}, {}
    for name, x in wide.numbers.items():
        found = difference_errors(wide, name, longest[name], claim.order, reference.gradient[name])
        truncation[name] = FORMULAS * found
        # The step itself is rounded, and not every method divides by what became of it.
        moved = epsilon(hearing.dtype) * np.abs(x) * np.abs(reference.gradient[name])
        rounding[name] = (NOISES * level + moved) / shortest[name]
    if step := _node_step(hearing, claim):
        for name, found in node_truncation(wide, step, claim.order).items():
            truncation[name] = np.maximum(truncation[name], FORMULAS * found)
        for name, found in node_rounding(point, wide, step).items():
            rounding[name] = np.maximum(rounding[name], NOISES * found)
    if moves_all(claim) and steps_nodes(hearing.method.claims):
        sigma = _node_step(hearing, claim) or epsilon(hearing.dtype) ** (1 / (claim.order + 1))
        for name, found in joint_truncation(wide, sigma).items():
            truncation[name] = np.maximum(truncation[name], FORMULAS * found)
    return Allowance(truncation, rounding)


def _node_step(hearing: Hearing, claim: Truncated) -> float | None:
    """The method's own step, where it may be one of the nodes."""
    given = getattr(hearing.method, claim.parameter, None)
    if not isinstance(given, Real) or isinstance(given, bool) or not steps_nodes(hearing.method.claims):
        return None
    return float(given)


def steps(
    hearing: Hearing, point: Point, claim: Truncated
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """The longest and the shortest step that the method may take in each array."""
    given = getattr(hearing.method, claim.parameter, None)
    sizes = point.typical_sizes
    if isinstance(given, Real) and not isinstance(given, bool):  # absolute, or relative to the numbers
        longest = {name: float(given) * max(1.0, size) for name, size in sizes.items()}
        return longest, {name: float(given) * min(1.0, size) for name, size in sizes.items()}
    best = epsilon(hearing.dtype) ** (1 / (claim.order + 1))
    longest = {name: FREEDOM * best * max(1.0, size) for name, size in sizes.items()}
    return longest, {name: best / FREEDOM * min(1.0, size) for name, size in sizes.items()}
