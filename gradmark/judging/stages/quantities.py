"""What a method computes beside the gradient: jvp, vjp, Jacobian, hvp, Hessian (`gradmark.quantities`).

Each is asked for along two directions at the point as built, and along a third with other parameters and
other rows, and compared with a reference that is independent of the method (`gradmark.reference.quantity`).
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.claims import Biased, Claims
from gradmark.draw import Draw
from gradmark.judging.contracts.part import fresh
from gradmark.judging.hearing import Hearing, MethodError
from gradmark.judging.places.sites import Site
from gradmark.judging.quantities import answers, conduct
from gradmark.judging.quantities.algebra import Along, linear, symmetric, transposed
from gradmark.judging.quantities.question import NAME as NAME
from gradmark.judging.quantities.question import Question
from gradmark.judging.stages.sequential import QUICK
from gradmark.judging.verdict import Finding
from gradmark.problem import converted
from gradmark.quantities import DIRECTED
from gradmark.random import generator

_ORDER = ("jvp", "vjp", "jacobian", "hvp", "hessian")
_NEARBY = 0.125
"""How far the other point is, relative to each number, as that of `gradmark.judging.places.sites`."""


def applies(claims: Claims) -> str | None:
    """Deterministic methods that compute more, or something else, than the gradient."""
    if claims.wants <= {"gradient"}:
        return "it computes the gradient alone"
    if claims.stochastic or isinstance(claims.exactness, Biased):
        return "it claims no accuracy that could be compared"
    return None


def examine(hearings: Sequence[Hearing]) -> Iterator[Finding]:
    """Findings for each quantity on each problem."""
    hearings = _quick(hearings)
    for number, hearing in enumerate(hearings):
        if hearing.clock.left() <= 0:
            reason = f"no time was left for {len(hearings) - number} problems: give a larger `budget`."
            yield Finding(NAME, "undecided", reason, where=hearing.where, dtype=hearing.dtype)
            return
        yield from _of(hearing)


def _quick(hearings: Sequence[Hearing]) -> Sequence[Hearing]:
    """Where there is little time, JAX, which compiles each operation, is asked only for want of another."""
    here = [each for each in hearings if QUICK not in each.trial.roles or _backend(each) != "jax"]
    return here or hearings


def _backend(hearing: Hearing) -> str:
    return hearing.problem.arrays.backend


def _of(hearing: Hearing) -> Iterator[Finding]:
    here, elsewhere = places(hearing)
    found: dict[str, tuple[Question, Along]] = {}
    for want in (want for want in _ORDER if want in hearing.method.claims.wants):
        question = Question(hearing, want)
        try:
            if reason := question.declined():
                yield question.said("call", "skipped", f"{str(reason).rstrip('.')}.")
                continue
            for outcome in _asked(question, here, elsewhere):
                if isinstance(outcome, Finding):
                    yield outcome
                else:
                    found[want] = question, outcome
        except MethodError as error:
            did = "it declines what it says it supports: " if error.refusal else "it raises: "
            yield question.said("call", "failed", f"{'' if error.result else did}{error}")
    if "jvp" in found and "vjp" in found:
        yield transposed(*found["jvp"], found["vjp"][1])


def _asked(question: Question, here: Site, elsewhere: Site) -> Iterator[Finding | Along]:
    """The findings about one quantity, and its first answer as soon as its form is right."""
    directions = [question.direction(here, number) for number in (1, 2)]
    answer, finding = conduct.unchanged(question, here, directions[0])
    made = [finding, answers.form(question, here, answer)]
    yield from made
    if any(found.status == "failed" for found in made):
        return
    along: list[Along] = []
    for direction in directions if question.want in DIRECTED else directions[:1]:
        given = answer if not along else question.call(here, direction)
        finding, _, bound = answers.values(question, here, direction, given)
        along.append(Along(direction, given, bound))
        yield finding
    yield along[0]
    yield from _elsewhere(question, elsewhere)
    yield conduct.repeatable(question, here, directions[0], answer)
    yield conduct.work(question, here, directions[0])
    if len(along) > 1:
        yield linear(question, here, along[0], along[1])
    if question.want == "hessian":
        yield symmetric(question, along[0])
    if (finding_on := conduct.refusal(question, here)) is not None:
        yield finding_on


def _elsewhere(question: Question, site: Site) -> Iterator[Finding]:
    direction = question.direction(site, 3)
    answer = question.call(site, direction)
    form = answers.form(question, site, answer)
    if form.status == "failed":
        yield form
    else:
        yield answers.values(question, site, direction, answer)[0]


def places(hearing: Hearing) -> tuple[Site, Site]:
    """The problem as built, and with other parameters and fewer of other rows."""
    problem = hearing.problem
    built = fresh(hearing, Site("as built", problem.parameters, problem.default_draw))
    random, moved = generator(hearing.seed, "judge", 21), {}
    for name, array in problem.parameters.items():
        x = np.array(to_numpy(array))
        moved[name] = x + _NEARBY * np.maximum(np.abs(x), _NEARBY) * random.uniform(-1, 1, x.shape)
        if problem.bounds is not None:
            moved[name] = np.clip(moved[name], *(_inside(problem.bounds, x)))
    parameters, draw = converted(moved, problem.arrays), problem.draw(1 + hearing.seed)
    # JAX would compile every operation again for another number of rows.
    whole = draw.count < 2 or not draw.arrays or _backend(hearing) == "jax"
    fewer = draw if whole else draw.rows(0, draw.count - 1)
    chosen = next((each for each in (fewer, draw) if _carried(hearing, parameters, each)), built.draw)
    return built, Site("nearby, other rows", parameters, chosen)


def _inside(bounds: tuple[float, float], x: Any) -> tuple[Any, Any]:
    """Half of the way to each bound at the most."""
    return (x + bounds[0]) / 2, (x + bounds[1]) / 2


def _carried(hearing: Hearing, parameters: Any, draw: Draw) -> bool:
    """Whether the loss is finite with this draw: some need all of their rows."""
    try:
        with np.errstate(all="ignore"):
            return bool(np.isfinite(to_numpy(hearing.problem.loss(parameters, draw))))
    except (ValueError, RuntimeError, TypeError, IndexError):
        return False
