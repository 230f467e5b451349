"""Who takes part in a comparison: methods that can do the problem, in the time there is."""

import time

from gradmark.run import case_detail
from gradmark.run.attempt import attempt
from gradmark.run.bound import bind
from gradmark.run.forward import Forward
from gradmark.run.session import Candidate, Session


def admit(session: Session, candidate: Candidate, forward: Forward) -> None:
    """Describe a candidate and prepare it; end it where it can't be done, or is known to take too long."""
    attempt(session, candidate, "supports", lambda: _describe(session, candidate, forward))
    attempt(session, candidate, "prepare", lambda: _prepare(session, candidate))
    if not candidate.ended and not candidate.groups:
        session.end(candidate)


def _describe(session: Session, candidate: Candidate, forward: Forward) -> None:
    problem, method = session.problem, candidate.method
    reason = _declined(session, candidate)
    claimed = case_detail.of_method(method, problem, session.want, declined=reason is not None)
    candidate.detail.update(case_detail.of_problem(problem) | claimed)
    session.describe(candidate.index, candidate.detail)
    if reason:
        session.end(candidate, "skipped", reason)
        return
    passes = candidate.detail["declared_passes"]
    if passes is not None:
        cost = candidate.history.pass_cost(candidate.detail["P"])
        candidate.predicted = passes * cost * forward.seconds
    if reason := candidate.history.dominates(
        candidate.detail["P"], candidate.detail["forward_flops"], session.limit
    ):
        session.end(candidate, "skipped", reason)
    else:
        skip_if_too_long(session, candidate)


def _declined(session: Session, candidate: Candidate) -> str | None:
    """The method's reason against this; one that computes gradients alone need not know of anything else."""
    problem, want, claims = session.problem, session.want, candidate.method.claims
    if want == "gradient":
        return candidate.method.supports(problem)
    if want not in claims.wants:
        return f"it computes {', '.join(sorted(claims.wants))}, not {want}"
    return candidate.method.supports(problem, want)


def skip_if_too_long(session: Session, candidate: Candidate) -> None:
    """End a candidate of which one call would take longer than there is time, by prediction."""
    predicted, left = candidate.predicted, session.left()
    if predicted is None or predicted <= left or candidate.ended:
        return
    passes = candidate.detail["declared_passes"]
    session.end(
        candidate,
        "skipped",
        f"one {session.want} would take about {predicted:.3g} s ({passes:g} passes), and of the "
        f"{session.limit:g} s of its comparison {max(left, 0):.3g} s were left",
        predicted_seconds=predicted,
    )


def _prepare(session: Session, candidate: Candidate) -> None:
    start = time.perf_counter()
    candidate.bound = bind(candidate.method, session.problem, session.want, session.direction)
    session.problem.arrays.synchronize()
    candidate.prepare_seconds = time.perf_counter() - start
