"""The reference of a quantity beside the gradient: the most exact that is possible, vouched for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import epsilon
from gradmark.claims import Reads, Want
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.quantities import OF_OUTPUTS
from gradmark.reference import first_order, second_order
from gradmark.reference.asked import Asked, asked
from gradmark.reference.point import widest_point
from gradmark.reference.reference import NoReference, Reference
from gradmark.reference.rounding import Computed
from gradmark.reference.vouch import Unreliable
from gradmark.reference.vouched_quantity import by_mixed_differences, by_outputs


@dataclass(frozen=True)
class _Kind:
    """A way to compute it; `shared`: methods use its formula too, and it is no better than its check."""

    name: str
    reads: frozenset[Reads]
    impossible: Callable[[Asked], str | None]
    estimate: Callable[[Asked], Computed]
    shared: bool = False


_LOSS: frozenset[Reads] = frozenset({"loss"})
_FIRST = (
    _Kind("complex step", _LOSS, first_order.no_complex_step, first_order.by_complex_step),
    _Kind(
        "pullback",
        frozenset({"pullback"}),
        first_order.no_pullback,
        first_order.by_pullback,
        shared=True,
    ),
    _Kind("extrapolated differences", _LOSS, first_order.no_differences, first_order.by_differences),
)
_SECOND = (
    _Kind(
        "differences of the closed form",
        frozenset(),
        second_order.no_closed_form,
        second_order.by_closed_form,
    ),
    _Kind(
        "differences of the complex step",
        _LOSS,
        second_order.no_complex_step,
        second_order.by_complex_step,
    ),
    _Kind(
        "differences of the pullback",
        frozenset({"pullback"}),
        second_order.no_pullback,
        second_order.by_pullback,
        shared=True,
    ),
    _Kind("second differences", _LOSS, second_order.no_differences, second_order.by_differences),
)


def quantity_reference(
    problem: Problem,
    want: Want,
    direction: Any = None,
    parameters: Parameters | None = None,
    draw: Draw | None = None,
) -> Reference:
    """A jvp, vjp, Jacobian, hvp or Hessian at `parameters` and `draw` (None: the problem's own).

    Its arrays are named as by `gradmark.quantities.named_arrays`. Derivatives of the outputs come from the
    complex step, the layers' pullback or extrapolated differences; those of the gradient from differences of
    a closed form, of the complex step's gradient or of the layers' pullback, else from second differences of
    the loss. All start from the numbers as they are rounded to the problem's dtype, and are taken only if
    real differences along random directions agree with them. Raises `NoReference` where nothing can be
    computed in time or trusted, and `UsageError` for a direction of the wrong form.

    >>> from gradmark import get_problem
    >>> reference = quantity_reference(get_problem("quadratic", size=3), "hessian")
    >>> reference.name, reference.gradient["x, x"].shape
    ('differences of the closed form in longdouble', (3, 3))
    """
    question = asked(widest_point(problem, parameters, draw), want, direction)
    if reason := question.too_large():
        raise NoReference(f"the {want} of {problem.call.name} has no reference: {reason}.")
    reasons = []
    for kind in _FIRST if want in OF_OUTPUTS else _SECOND:
        reason = kind.impossible(question)
        if reason is None:
            try:
                return _reference(kind, question)
            except Unreliable as error:
                reason = str(error)
        reasons.append(f"{kind.name}: {reason}")
    raise NoReference(f"the {want} of {problem.call.name} has no reference here. {'. '.join(reasons)}.")


def _reference(kind: _Kind, question: Asked) -> Reference:
    found = kind.estimate(question)
    for name, array in found.gradient.items():
        if not np.all(np.isfinite(array)):
            raise Unreliable(f"`{name}` is not finite")
    check = by_outputs if question.want in OF_OUTPUTS else by_mixed_differences
    words, left = check(question, found)
    uncertainty = dict(found.uncertainty)
    if kind.shared:
        uncertainty = {name: max(bound, left[name]) for name, bound in uncertainty.items()}
    return Reference(
        gradient=found.gradient,
        uncertainty=uncertainty,
        name=f"{kind.name} in {found.dtype}",
        reads=kind.reads,
        vouched_by=(words,),
        dtype=found.dtype,
        rounding=_rounding(question, found),
    )


def _rounding(question: Asked, found: Computed) -> dict[str, float]:
    """What rounding does to an exact computation of the quantity in the reference's dtype."""
    if question.want in OF_OUTPUTS:
        return dict(found.uncertainty)
    unit = epsilon(found.dtype)
    return {name: unit * many for name, many in second_order.sensitivity(question, found).items()}
