"""What a call leaves behind, counts and refuses."""

import math
from collections.abc import Mapping
from typing import Any

from gradmark.judging.contracts.part import bits, differing, listed
from gradmark.judging.hearing import Answer, MethodError
from gradmark.judging.places.sites import Site
from gradmark.judging.quantities.question import Question
from gradmark.judging.verdict import Finding
from gradmark.measuring.norms import norm
from gradmark.quantities import DIRECTED, named_arrays
from gradmark.work import Work, counting

_FRACTIONS = 1e-9
"""Relative: passes over some of the rows are fractions, and their sums round."""
_SPREAD = 64.0
"""Epsilons by which repeats may differ on an accelerator, whose sums have no fixed order."""


def unchanged(question: Question, site: Site, direction: Any) -> tuple[Answer, Finding]:
    """The first answer; parameters, data and direction are as they were, to the bit; passes as it says."""
    given: dict[str, Mapping[str, Any]] = {
        "the parameters": site.parameters,
        "the draw": site.draw.arrays,
        "the direction": {} if direction is None else named_arrays(direction),
    }
    before = {what: bits(named) for what, named in given.items()}
    answer = question.call(site, direction)
    changed = [what for what, named in given.items() if bits(named) != before[what]]
    fault = f"it changes {' and '.join(changed)} that it is given." if changed else None
    kept = "parameters, draw and direction are as they were, to the bit."
    return answer, question.verdict_on("unchanged", fault, kept, answer)


def repeatable(question: Question, site: Site, direction: Any, first: Answer) -> Finding:
    """After calls elsewhere the same arguments give the same answer, and make the passes that it states."""
    again = question.call(site, direction)
    names = differing(first.gradient, again.gradient)
    if question.hearing.problem.arrays.device != "cpu":
        spread = _SPREAD * question.hearing.problem.arrays.epsilon
        names = [n for n in names if not _close_arrays(first, again, n, spread)]
    fault = f"called again with the same arguments it gives another {listed(names)}." if names else None
    return question.verdict_on("repeatable", fault, "the same arguments give the same answer.", again)


def work(question: Question, site: Site, direction: Any) -> Finding:
    """The passes that are counted are those that the estimate states."""
    with counting() as counter:
        answer = question.call(site, direction)
    counted, stated = counter.total(), answer.estimate.work
    fault = None
    if stated.declared:
        if counted.passes > stated.passes * (1 + _FRACTIONS) + _FRACTIONS:
            fault = f"it declares {_words(stated)}, and {_words(counted)} were counted."
    elif not all(
        math.isclose(getattr(counted, kind), getattr(stated, kind), rel_tol=_FRACTIONS, abs_tol=_FRACTIONS)
        for kind in ("forward", "tangent", "pullback")
    ):
        fault = f"its estimate says {_words(stated)}, and {_words(counted)} were counted."
    return question.verdict_on("work", fault, f"it makes {_words(stated)}, as it says.", answer)


def refusal(question: Question, site: Site) -> Finding | None:
    """A direction of another shape, and none at all, are refused with a `UsageError`; None: it takes none."""
    if question.want not in DIRECTED:
        return None
    right, arrays = question.direction(site, 1), question.hearing.problem.arrays
    if question.want == "vjp":
        wrong: Any = arrays.zeros((*right.shape, 2))
    else:
        wrong = {**right, next(iter(right)): arrays.zeros((*next(iter(right.values())).shape, 2))}
    fault = None
    for what, direction in (("no direction", None), ("a direction of another shape", wrong)):
        try:
            question.call(site, direction)
            fault = f"it takes {what} without a word."
        except MethodError as error:
            if not error.refusal:
                fault = f"for {what} it raises {error}, not a `UsageError`."
    return question.verdict_on("direction", fault, "a direction of another shape is refused.")


def _close_arrays(one: Answer, other: Answer, name: str, spread: float) -> bool:
    return norm(one.gradient[name] - other.gradient[name]) <= spread * norm(one.gradient[name])


def _words(count: Work) -> str:
    return f"{count.forward:g} forward, {count.tangent:g} tangent and {count.pullback:g} pullback passes"
