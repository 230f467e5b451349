"""What is asked of correct methods: each stage that could accuse one, over problems, seeds and dtypes.

Tests that may look several times look once here, because then their p-values are uniform.
"""

import importlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.judging.calibrating.counts import Outcome
from gradmark.judging.calibrating.subjects import correct_methods
from gradmark.judging.clock import Clock
from gradmark.judging.hearing import STATISTICAL, Hearing
from gradmark.judging.places.sites import sites
from gradmark.judging.stages import efficiency, sequential
from gradmark.judging.trial import Trial
from gradmark.judging.verdict import Finding
from gradmark.measuring.skew_corrected import FEWEST
from gradmark.measuring.spending import share
from gradmark.method import Method
from gradmark.registry import get_problem, list_problems, load

FALSE_ALARM = 1e-6
"""The default of `gradmark.validate`, at which nobody may be accused."""
_DTYPES = ("float64", "float32")
_LADDER = (16, 64, 256)
"""Up to 4096 samples, as in a validation, a check would take ten times as long and show no more."""
_SHARES = {
    "sequential": 0.38,
    "noise": 0.2,
    "identification": 0.08,
    "bias": 0.02,
    "efficiency": 0.06,
    "accuracy": 0.22,
    "check_gradient": 0.04,
}
"""How the checks are divided: most go to tests with p-values, and of those to the quick ones."""
Judge = Callable[[Hearing], Iterator[Finding]]


@dataclass(frozen=True)
class _Subject:
    name: str
    method: Method
    trial: Trial


def outcomes(checks: int, seed: int = 0) -> Iterator[Outcome]:
    """About `checks` outcomes of correct gradients, each series in turn; `seed` says which."""
    for name, part in _SHARES.items():
        source = _checked_gradients(seed) if name == "check_gradient" else _stage(name, seed)
        yield from itertools.islice(source, max(1, round(part * checks)))


def _stage(name: str, seed: int) -> Iterator[Outcome]:
    """The outcomes of one stage, seed after seed, without end; none where there is no subject."""
    module = importlib.import_module(f"gradmark.judging.stages.{name}")
    subjects = list(_subjects(name, module.applies))
    judge: Judge = {"sequential": _sequential, "efficiency": _efficiency}.get(
        name, lambda hearing: module.examine([hearing])
    )
    for number in itertools.count() if subjects else ():
        heard = itertools.chain.from_iterable(_heard(subject, judge, seed + number) for subject in subjects)
        first = next(heard, None)
        if first is not None:
            yield first
        elif number:
            return
        yield from heard


def _subjects(stage: str, applies: Callable[..., str | None]) -> Iterator[_Subject]:
    """Every correct method on every trial of the stage that runs on NumPy, small as they are."""
    trials = [trial for trial in load("trial", "full")() if stage in trial.roles and trial.backend == "numpy"]
    for name, method in correct_methods():
        if applies(method.claims) is None and "numpy" in method.claims.backends:
            yield from (_Subject(name, method, trial) for trial in trials)


def _heard(subject: _Subject, judge: Judge, seed: int) -> Iterator[Outcome]:
    trial = replace(subject.trial, seed=seed)
    try:
        problem = trial.build()
    except UsageError:
        return
    if subject.method.supports(problem) is None:
        hearing = Hearing(subject.name, subject.method, trial, problem, seed, FALSE_ALARM, Clock())
        for found in judge(hearing):
            if found.status not in ("skipped", "undecided"):
                yield Outcome(found.check, subject.name, found.p_value, found.status == "failed")


def _sequential(hearing: Hearing) -> Iterator[Finding]:
    alpha = share(hearing.false_alarm, STATISTICAL)
    site = sites(hearing.problem, hearing.seed)[0]
    return sequential.judged(hearing, site, alpha, float("inf"), looks=(FEWEST,))


def _efficiency(hearing: Hearing) -> Iterator[Finding]:
    alpha = share(hearing.false_alarm, STATISTICAL)
    return efficiency.judged(hearing, sites(hearing.problem, hearing.seed)[0], alpha, float("inf"), _LADDER)


def _checked_gradients(seed: int) -> Iterator[Outcome]:
    """`gradmark.check_gradient` on the closed forms of the registered problems."""
    from gradmark.judging.check import check_gradient

    for number in itertools.count():
        for name, dtype in itertools.product(list_problems(), _DTYPES):
            problem = get_problem(name, seed=seed + number, dtype=dtype)
            form, draw = problem.closed_form, problem.default_draw
            if form is not None and problem.layers is None:
                gradient = partial(_formula, form, draw)
                check = check_gradient(problem.loss, gradient, problem.parameters, seed=number)
                yield Outcome("check_gradient", name, None, check.verdict == "wrong")


def _formula(form: Callable[[Any, Draw], Any], draw: Draw, parameters: Any) -> Any:
    return form(parameters, draw)
