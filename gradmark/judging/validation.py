"""The first door: a gradient method before the judge."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradmark.arguments import check_positive
from gradmark.claims import Claims
from gradmark.dtypes import DTYPES, real_dtype
from gradmark.errors import UsageError, shown
from gradmark.judging.clock import Clock, seconds_for
from gradmark.judging.docket import QUICK, brought_to, fewer, heard, trials_of
from gradmark.judging.hearing import Hearing
from gradmark.judging.held import STAGES as STAGES
from gradmark.judging.held import applying as applying
from gradmark.judging.held import concerned_with, judged
from gradmark.judging.judgement import ValidationReport
from gradmark.judging.protocol import claims_in_words, record
from gradmark.judging.verdict import Finding, check_expected, with_expected
from gradmark.measuring.threads import pinned
from gradmark.random import generator

_THREADS = 1
"""With several threads the same sum comes out differently from call to call."""
_PRECISIONS = {
    "problem",
    *(name for names in DTYPES.values() for name in names if name in map(real_dtype, names)),
}
Listener = Callable[[Finding], None]


def validate(
    method: Any,
    *,
    problems: Any = None,
    budget: float | None = None,
    profile: str = "full",
    seed: int = 0,
    false_alarm: float = 1e-6,
    expected_failures: Mapping[str, str] | None = None,
    on_finding: Listener | None = None,
) -> ValidationReport:
    """Judge a gradient method by what it claims: its contract, its accuracy, its order or its law, its cost.

    `method` is an instance, a class, a short-form function, a registered name, ``"name:key=value"`` or
    ``"file.py:name"``. `problems` are names (``"mlp:widths=64,8,10"``), problems or trials; None: those of
    `profile`, "full" (about a minute for a deterministic method, two for a stochastic one) or "ci" (about 3
    seconds, and fewer problems for a method that compiles). `budget` is in seconds (None: 240; 600 for one
    that compiles); what it left out makes the verdict undecided, and nothing that was found before is lost.

    `seed` starts the judge's own random numbers: points, directions, impostors, and the seeds with which he
    calls a stochastic method. `false_alarm` is the probability with which a correct stochastic method may be
    accused. `expected_failures` maps checks that may fail to the reason why: contract, accuracy, order,
    invariance, quantities, identification, noise, bias, sequential, efficiency, cost, controls, or a part of
    one after a dot. `on_finding` is called with each finding as it is made.

    Returns a `gradmark.ValidationReport`: `verdict` ("correct", "wrong" or "undecided"), `reason`,
    `evidence`, `digits`, `smallest_detectable` and the `findings` they follow from; as text by `str`, and by
    `to_json()`, `to_junit()` and `to_html()`. Whatever the method raises is a finding. Raises `UsageError`
    where `method`, `problems` or another argument is not what it may be.

    >>> import gradmark
    >>> gradmark.validate("backprop", problems="mlp:widths=64,3,10,batch=4").verdict
    'correct'
    """
    from gradmark.notebook import resolved

    check_expected(expected_failures or {}, STAGES)
    expected = dict(expected_failures or {})
    _check_options(budget, seed, false_alarm, on_finding)
    name, built, hyper = resolved(method)
    claims = claims_of(name, built)
    stages, left_out = concerned_with(claims, applying(claims))
    trials = trials_of(problems, profile, stages)
    if claims.stochastic and problems is None:
        trials = brought_to(trials, claims.backends)
    if claims.compiles and problems is None and profile == QUICK:
        trials, not_heard = fewer(trials)
        left_out += not_heard
    clock = Clock(seconds_for(claims) if budget is None else budget)
    findings: list[Finding] = []

    def note(found: Finding) -> None:
        findings.append(found)
        if on_finding is not None:
            on_finding(with_expected([found], expected)[0])

    hearings: list[Hearing] = []
    for found in left_out:
        note(found)
    for trial in trials:
        outcome = heard(name, built, trial, seed, false_alarm, clock)
        if isinstance(outcome, Hearing):
            hearings.append(outcome)
        else:
            note(outcome)
    with pinned(_THREADS):  # after the problems, which load the libraries whose threads are meant
        for found in _unheard(trials, hearings, findings) or judged(hearings, stages, clock):
            note(found)
    return ValidationReport(
        subject=name,
        findings=tuple(with_expected(findings, expected)),
        seconds=clock.spent(),
        evaluations=sum(found.evaluations for found in findings),
        record=record(hearings, _THREADS, profile=profile, seed=seed, false_alarm=false_alarm),
        claims=claims_in_words(claims),
        hyper=hyper,
    )


def _check_options(budget: float | None, seed: int, false_alarm: float, on_finding: Listener | None) -> None:
    if budget is not None:
        check_positive("validate", "budget", budget)
    generator(seed, "judge")  # which refuses what is no seed
    if not check_positive("validate", "false_alarm", false_alarm) < 1:
        raise UsageError(
            f"`false_alarm={false_alarm:g}` must be a probability between 0 and 1, such as 1e-6."
        )
    if on_finding is not None and not callable(on_finding):
        raise UsageError(f"`on_finding={shown(on_finding)}` must be a function of a finding.")


def _unheard(
    trials: Sequence[Any], hearings: Sequence[Hearing], findings: Sequence[Finding]
) -> list[Finding]:
    """The one finding that is left where no hearing could be held."""
    if hearings or any(found.status == "failed" for found in findings):
        return []
    why = findings[0].reason if findings else "no trial is of use for what it claims."
    reason = f"none of the {len(trials)} problems could be used: {why}"
    return [Finding("contract.supports", "undecided", reason)]


def claims_of(name: str, method: Any) -> Claims:
    """The claims of a method; `UsageError` where they cannot be read, or name what does not exist."""
    try:
        claims = method.claims
    except Exception as error:
        raise UsageError(
            f"{name}: its claims could not be read: {type(error).__name__}: {error}; mend them first."
        ) from error
    if not isinstance(claims, Claims):
        raise UsageError(
            f"{name}: its claims are a {type(claims).__name__}: return a `gradmark.claims.Claims`."
        )
    if claims.precision not in _PRECISIONS:
        allowed = ", ".join(sorted(_PRECISIONS))
        raise UsageError(f"{name}: it claims the precision `{claims.precision}`: allowed are {allowed}.")
    return claims
