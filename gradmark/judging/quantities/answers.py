"""One answer by itself: its form, and its values beside the reference."""

from typing import Any

import numpy as np

from gradmark.arrays import epsilon
from gradmark.judging.comparing.bounds import Bound, precision
from gradmark.judging.comparing.compared import Worst, compared
from gradmark.judging.comparing.range import out_of_range
from gradmark.judging.contracts.form import device_of, dtype_of
from gradmark.judging.contracts.part import listed
from gradmark.judging.hearing import Answer
from gradmark.judging.places.references import words
from gradmark.judging.places.sites import Site
from gradmark.judging.quantities.bounds import bound_of
from gradmark.judging.quantities.question import Question
from gradmark.judging.quantities.references import reference_of
from gradmark.judging.verdict import Evidence, Finding
from gradmark.measuring.error import profile
from gradmark.reference import NoReference, Reference

_NEEDED = {True: 0.01, False: 0.5}
"""A place where a larger fault could pass shows nothing, as in `accuracy`."""


def form(question: Question, site: Site, answer: Answer) -> Finding:
    """Names, shapes, dtype and device as `gradmark.quantities` says, and finite numbers."""
    kept = "names, shapes, dtype and device are those of the quantity, and all numbers are finite."
    return question.verdict_on("form", _fault(question, site, answer), kept, answer)


def _fault(question: Question, site: Site, answer: Answer) -> str | None:
    shapes, arrays = question.shapes(site), answer.estimate.result
    if set(shapes) != set(arrays):
        return f"the {question.want} has the arrays {listed(list(arrays))}, not {listed(list(shapes))}."
    parameter = next(iter(question.hearing.problem.parameters.values()))
    for name, shape in shapes.items():
        found, numbers = arrays[name], answer.gradient[name]
        if tuple(np.shape(numbers)) != shape:
            return f"`{name}` of the {question.want} has shape {tuple(np.shape(numbers))}, not {shape}."
        for of in (dtype_of, device_of):
            if of(found) != of(parameter):
                return f"`{name}` of the {question.want} is {of(found)}, and the parameters {of(parameter)}."
        if numbers.dtype.kind not in "fiu" or not np.all(np.isfinite(numbers)):
            return f"`{name}` of the {question.want} holds numbers that are not finite."
    return None


def values(
    question: Question, site: Site, direction: Any, answer: Answer
) -> tuple[Finding, Reference | None, Bound | None]:
    """The finding, and the reference and bound it rests on, where they are known."""
    where = site.name

    def skipped(reason: str) -> tuple[Finding, None, None]:
        return question.said("values", "skipped", reason, where=where), None, None

    try:
        reference = reference_of(question, site, direction)
        bound = bound_of(question, site, direction, reference)
    except NoReference as error:
        return skipped(f"there is no reference at this point: {error}")
    detectable = bound.detectable(reference)
    fine = epsilon(precision(question.hearing)) <= epsilon("float64")
    if detectable is not None and not detectable <= _NEEDED[fine]:
        return skipped(f"{bound.words} may hide a fault of {detectable:.0%} of the {question.want} here.")
    if outside := out_of_range(question.hearing, site):
        return skipped(f"{outside}.")
    worst = compared(answer.gradient, reference, bound)
    errors = profile(answer.gradient, reference, question.hearing.dtype)
    evidence = Evidence(
        what=f"the {question.want} of {question.hearing.name}",
        array=worst.array,
        index=worst.index,
        found=worst.found,
        expected=worst.expected,
        uncertainty=worst.allowed,
        error=errors.relative,
        point=site.name,
    )
    by = f"by {words(reference)}"
    kept = f"within {worst.ratio:.2g} of what {bound.words} allows, {by}."
    finding = question.said(
        "values",
        "failed" if worst.wrong else "passed",
        f"{_words(question, worst, answer, reference, bound)} ({by})." if worst.wrong else kept,
        answer,
        where=where,
        evidence=evidence,
        digits=errors.digits,
        smallest_detectable=detectable,
    )
    return finding, reference, bound


def _words(question: Question, worst: Worst, answer: Answer, reference: Reference, bound: Bound) -> str:
    """What is wrong, and where a usual mistake explains all of it, which."""
    entry = f"`{worst.array}`[{', '.join(map(str, worst.index))}]"
    said = (
        f"it gives {worst.found:.10g} for {entry} of the {question.want} and the reference "
        f"{worst.expected:.10g}: the array is off by {worst.error:.2g} where {worst.allowed:.2g} is allowed"
    )
    for factor in (2.0, 0.5, -1.0):
        if not compared({n: a / factor for n, a in answer.gradient.items()}, reference, bound).wrong:
            return f"{said}; it is the {question.want} times {factor:g}"
    return said
