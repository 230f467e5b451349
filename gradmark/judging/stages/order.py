"""The order of a truncated method: does its error fall with the declared power of the step?

The method is rebuilt with a ladder of steps, and its errors against the reference are fitted where truncation
rules (`gradmark.judging.orders`). Nobody is accused of an order that the judge's own difference of the
declared order does not show either, in the same place and at the same steps.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace

from gradmark.claims import Claims, Truncated
from gradmark.judging.hearing import Hearing
from gradmark.judging.orders.control import control
from gradmark.judging.orders.fit import FEWEST, Order
from gradmark.judging.orders.ladder import TOTAL, Errors, climb
from gradmark.judging.orders.question import Suspect, compare_order, confirmed, orders, suspect
from gradmark.judging.places.references import reference_at
from gradmark.judging.places.sites import Site, sites
from gradmark.judging.verdict import Evidence, Finding
from gradmark.reference import NoReference

NAME = "order"
_SITES = 3
"""How many points of a problem are tried until one shows an order."""
_PLATEAU = 0.5
"""An order below this is none: the error does not fall."""


def applies(claims: Claims) -> str | None:
    """It examines methods that declare an order."""
    return None if isinstance(claims.exactness, Truncated) else "it declares no order in a step."


def examine(hearings: Sequence[Hearing]) -> Iterator[Finding]:
    """One finding for each problem; one more, undecided, where a claimed order could be seen nowhere."""
    method = hearings[0].method
    claimed = method.claims.exactness
    assert isinstance(claimed, Truncated)
    known: list[str] = [field.name for field in fields(method)] if is_dataclass(method) else []
    if claimed.parameter not in known:
        listed = ", ".join(known) or "none"
        reason = f"it declares {claimed}, which is no hyper-parameter of it (there are: {listed})."
        yield Finding(NAME, "failed", reason)
        return
    seen, why, elsewhere = False, "", any(not _compiles(hearing) for hearing in hearings)
    for hearing in hearings:
        if _compiles(hearing) and elsewhere:
            continue
        finding = _of_problem(hearing, claimed)
        seen, why = seen or finding.status != "skipped", why or finding.reason
        yield finding
    if not seen:
        reason = f"its {claimed} could be seen on none of {len(hearings)} problems; on the first, {why}"
        yield Finding(NAME, "undecided", reason)


def _compiles(hearing: Hearing) -> bool:
    """Whether every step is compiled anew, at a hundred times the price of a call: then others are asked."""
    return hearing.problem.arrays.backend == "jax"


def _of_problem(hearing: Hearing, claimed: Truncated) -> Finding:
    """What the first point says that says anything; else why the first one does not."""
    blank = Finding(NAME, "skipped", "", where=hearing.where, dtype=hearing.dtype)
    if hearing.problem.smoothness != "smooth":
        return replace(blank, reason=f"the loss is {hearing.problem.smoothness}: orders are of smooth ones.")
    made: list[Finding] = []
    for site in sites(hearing.problem, hearing.seed)[:_SITES]:
        here = replace(blank, where=f"{hearing.where}, {site.name}")
        try:
            made.append(_at_site(hearing, site, claimed, here))
        except NoReference as error:
            made.append(replace(here, reason=f"no reference: {error}"))
        if made[-1].status != "skipped":
            break
    decisive = made[0] if made[-1].status == "skipped" else made[-1]
    evaluations, seconds = sum(each.evaluations for each in made), sum(each.seconds for each in made)
    return replace(decisive, evaluations=evaluations, seconds=seconds)


def _at_site(hearing: Hearing, site: Site, claimed: Truncated, blank: Finding) -> Finding:
    reference = reference_at(hearing.problem, site, hearing.method.claims.reads)
    errors = climb(hearing, site, reference, claimed.parameter)
    blank = replace(blank, evaluations=errors.evaluations, seconds=errors.seconds)
    found, declared = orders(errors), claimed.order
    suspicion = suspect(found, declared)
    if suspicion is None:
        return _unsuspected(found[TOTAL], errors, claimed, blank)
    steps = tuple(dict.fromkeys((*errors.steps, *suspicion.order.steps)))
    own = control(hearing.problem, site, reference, declared, steps, hearing.method.claims)
    if not confirmed(suspicion, own, declared):
        reason = (
            f"{_measured(suspicion)}, but the judge's own difference of order {declared} does not show that "
            "order here either."
        )
        return replace(blank, reason=reason)
    return _accused(suspicion, errors, claimed, site, blank)


def _unsuspected(order: Order | None, errors: Errors, claimed: Truncated, blank: Finding) -> Finding:
    step, least = errors.least()
    bottom = f"the error is least, {least:.1e}, at {claimed.parameter}={step:.1e}"
    if order is None:
        said = "too few steps have an error between rounding and 10 % to see an order"
        return replace(blank, reason=f"{said}; {bottom}.")
    if compare_order(order, claimed.order) != "agrees":
        said = f"the order {order} is too uncertain to tell {claimed.order}"
        return replace(blank, reason=f"{said}; {bottom}.")
    return replace(
        blank,
        status="passed",
        reason=f"the error falls with order {order}, declared {claimed.order}; {bottom}.",
        smallest_detectable=order.errors[FEWEST - 1],
    )


def _accused(suspicion: Suspect, errors: Errors, claimed: Truncated, site: Site, blank: Finding) -> Finding:
    order, name = suspicion.order, suspicion.array or None
    evidence = Evidence(
        what="order of the error in the step",
        array=name,
        found=order.value,
        expected=float(claimed.order),
        uncertainty=(order.high - order.low) / 2,
        error=order.errors[0],
        point=site.name,
    )
    own = "does better" if suspicion.answer == "lower" else "keeps to it"
    said = f"declared {claimed.order}, and the judge's own difference of that order {own} at the same steps"
    return replace(blank, status="failed", reason=f"{_measured(suspicion)}; {said}.", evidence=evidence)


def _measured(suspicion: Suspect) -> str:
    order = suspicion.order
    whose = f"the error of `{suspicion.array}`" if suspicion.array else "the error"
    if abs(order.value) < _PLATEAU:
        return (
            f"{whose} does not fall with the step: it stays at {order.errors[0]:.1e} to "
            f"{order.errors[-1]:.1e} of the gradient from {order.steps[0]:.1e} to {order.steps[-1]:.1e}"
        )
    return f"{whose} falls with order {order}"
