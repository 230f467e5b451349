"""The reference to judge by: the most exact one that can be had, confirmed by others."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.claims import Reads
from gradmark.draw import Draw
from gradmark.measuring.norms import norm
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.reference import (
    closed_form,
    complex_step,
    complex_step_narrow,
    differences,
    graph,
    pullback,
    vouch,
)
from gradmark.reference.point import Point, widest_point
from gradmark.reference.reference import NoReference, Reference
from gradmark.reference.rounding import Computed
from gradmark.reference.vouch import Unreliable, Vouch
from gradmark.reference.witness import Witness


@dataclass(frozen=True)
class _Kind:
    """A way to compute a reference.

    `shared`: methods use its formula too, so that it must be vouched for, and is no better than its witness.
    """

    name: str
    reads: frozenset[Reads]
    impossible: Callable[[Point], str | None]
    estimate: Callable[[Point], Computed]
    shared: bool


def _kind(module: Any, shared: bool = False) -> _Kind:
    return _Kind(module.NAME, module.READS, module.impossible, module.estimate, shared)


_KINDS = (
    _kind(closed_form),
    _kind(complex_step),
    _kind(pullback, shared=True),
    _kind(graph, shared=True),
    _kind(complex_step_narrow),
    _kind(differences),
)
"""From the most exact to the least."""


def best_reference(
    problem: Problem,
    parameters: Parameters | None = None,
    draw: Draw | None = None,
    *,
    independent_of: frozenset[Reads] = frozenset(),
) -> Reference:
    """The most exact gradient that can be had of `problem` at `parameters` and `draw` (None: its own).

    In this order: the problem's closed form; the complex step; the layers' own pullback, or torch's graph;
    the complex step in float64; extrapolated differences. Each starts from the numbers as they are rounded to
    the problem's dtype, computes in wider arithmetic where there is any, and is taken only if it agrees with
    real differences of the loss. The pullback and the graph, whose formulas methods share, are also checked
    array by array with the complex step (or differences), and are no more certain than that check is sharp.

    `independent_of` is what a method to be judged reads: a reference that shares a formula with it, and has
    no complex step to vouch for it, comes last. Raises `NoReference` where the loss is not finite or not
    differentiable at the point, and where nothing can be computed in time or trusted.

    >>> from gradmark import get_problem
    >>> reference = best_reference(get_problem("quadratic", size=3))
    >>> reference.name, reference.relative_uncertainty < 1e-15
    ('closed form in longdouble', True)
    """
    witness = Witness(widest_point(problem, parameters, draw))
    _check_point(problem, witness)
    reasons = []
    for kind in _in_order(witness.spot, independent_of):
        reason = kind.impossible(witness.point)
        if reason is None:
            try:
                return _reference(kind, witness)
            except Unreliable as error:
                reason = str(error)
        reasons.append(f"{kind.name}: {reason}")
    raise NoReference(f"{problem.call.name} has no reference here. {'. '.join(reasons)}.")


def _in_order(spot: Point, reads: frozenset[Reads]) -> list[_Kind]:
    def unproven(kind: _Kind) -> bool:
        return kind.shared and bool(kind.reads & reads) and spot.complexified is None

    return sorted(_KINDS, key=unproven)


def _check_point(problem: Problem, witness: Witness) -> None:
    value = witness.point.loss(witness.point.numbers)
    if not np.isfinite(value):
        raise NoReference(f"{problem.call.name}: the loss is {value} at this point, so it has no gradient.")
    if reason := witness.kink():
        raise NoReference(f"{problem.call.name} is not differentiable here: {reason}.")


def _reference(kind: _Kind, witness: Witness) -> Reference:
    point, spot = witness.point, witness.spot
    estimate = kind.estimate(point)
    _check_finite(estimate)
    at_spot = estimate if spot is point else kind.estimate(spot)
    vouches = _vouches(kind, witness, at_spot)
    uncertainty = dict(estimate.uncertainty)
    if kind.shared:
        uncertainty = {
            name: max(bound, _left(name, vouches[0], estimate, at_spot))
            for name, bound in uncertainty.items()
        }
    name = f"{kind.name} in {estimate.dtype}"
    return Reference(
        gradient=estimate.gradient,
        uncertainty=uncertainty,
        name=name,
        reads=kind.reads,
        vouched_by=tuple(v.words for v in vouches),
        dtype=estimate.dtype,
        rounding=dict(estimate.uncertainty),
    )


def _vouches(kind: _Kind, witness: Witness, at_spot: Computed) -> list[Vouch]:
    """The check that bounds a shared formula first."""
    checks = [vouch.by_differences(witness, at_spot)]
    if kind.reads != complex_step.READS and witness.spot.complexified is not None:
        return [vouch.by_complex_step(witness, at_spot), *checks]
    if kind.shared:
        return [vouch.by_differences_of_each_array(witness, at_spot), *checks]
    return checks


def _left(name: str, check: Vouch, estimate: Computed, at_spot: Computed) -> float:
    """The error that `check` left possible, in proportion where it was made on some of the rows."""
    if estimate is at_spot:
        return check.left[name]
    return check.left[name] * norm(estimate.gradient[name]) / (norm(at_spot.gradient[name]) or 1.0)


def _check_finite(estimate: Computed) -> None:
    for name, array in estimate.gradient.items():
        if not np.all(np.isfinite(array)):
            raise Unreliable(f"its gradient of `{name}` is not finite")
