"""The first door: a gradient method before the judge."""

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from gradmark.judging.clock import Clock
from gradmark.judging.hearing import Hearing, MethodError
from gradmark.judging.judgement import ValidationReport
from gradmark.judging.trial import Trial
from gradmark.judging.verdict import Finding, check_expected, with_expected
from gradmark.method import Method
from gradmark.registry import load

STAGES = (
    "contract", "accuracy", "order", "invariance", "identification", "noise", "bias", "sequential",
    "efficiency", "cost", "controls",
)  # fmt: skip
"""The stages in their order: what is deterministic and quick comes first."""
_SECONDS = {False: 60.0, True: 120.0}
"""The default budget of a deterministic and of a stochastic method."""


def validate(
    method: Any,
    *,
    problems: Sequence[Any] | None = None,
    budget: float | None = None,
    profile: str = "full",
    seed: int = 0,
    false_alarm: float = 1e-6,
    expected_failures: Mapping[str, str] | None = None,
    on_finding: Callable[[Finding], None] | None = None,
) -> ValidationReport:
    """Judge a gradient method by what it claims. (The docstring in full is written with the stages.)"""
    from gradmark.notebook import resolved

    expected = dict(expected_failures or {})
    check_expected(expected, STAGES)
    name, built, hyper = resolved(method)
    claims = built.claims
    clock = Clock(_SECONDS[claims.stochastic] if budget is None else budget)
    trials = load("trial", profile)() if problems is None else [_trial(problem) for problem in problems]
    hearings, findings = _opened(name, built, trials, seed, false_alarm, clock)
    for found in findings:
        _tell(on_finding, found)
    for stage in STAGES:
        for found in _examined(stage, built, hearings, clock):
            findings.append(found)
            _tell(on_finding, found)
    return ValidationReport(
        subject=name,
        findings=tuple(with_expected(findings, expected)),
        seconds=clock.spent(),
        evaluations=sum(found.evaluations for found in findings),
        record={"seed": seed, "false_alarm": false_alarm, "profile": profile},
        claims={},
        hyper=hyper,
    )


def _trial(problem: Any) -> Trial:
    raise NotImplementedError


def _opened(
    name: str, method: Method, trials: Sequence[Trial], seed: int, false_alarm: float, clock: Clock
) -> tuple[list[Hearing], list[Finding]]:
    hearings, findings = [], []
    for trial in trials:
        problem = trial.build()
        if reason := method.supports(problem):
            findings.append(Finding("contract.supports", "skipped", reason, where=str(trial), dtype=trial.dtype))
        else:
            hearings.append(Hearing(name, method, trial, problem, seed, false_alarm, clock))
    return hearings, findings


def _examined(stage: str, method: Method, hearings: Sequence[Hearing], clock: Clock) -> Iterator[Finding]:
    module = importlib.import_module(f"gradmark.judging.stages.{stage}")
    concerned = [hearing for hearing in hearings if stage in hearing.trial.roles]
    if module.applies(method.claims) is not None or not concerned:
        return
    try:
        yield from module.examine(concerned)
    except MethodError as error:
        yield Finding(stage, "failed", f"the method raised {error}")


def _tell(listener: Callable[[Finding], None] | None, found: Finding) -> None:
    if listener is not None:
        listener(found)
