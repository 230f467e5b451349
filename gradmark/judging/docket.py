"""What a method is heard on: trials from whatever a person named, and hearings where they can be held."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gradmark.arrays import BACKENDS, installed
from gradmark.claims import Want
from gradmark.errors import UsageError, shown, unknown_name
from gradmark.judging.clock import Clock
from gradmark.judging.hearing import Hearing
from gradmark.judging.process import watch
from gradmark.judging.trial import Trial
from gradmark.judging.verdict import Finding
from gradmark.method import Method
from gradmark.problem import Problem
from gradmark.registry import load, names
from gradmark.run.naming import parsed
from gradmark.run.resolving import PLACE

_NEEDS_SIZES = "cost"
"""The one stage that needs a problem at several sizes."""
_BESIDE = frozenset({"quantities"})
"""The role for what is asked beside the gradient."""
_OF_RANDOM_METHODS = frozenset({"identification", "noise", "bias", "sequential", "efficiency"})
"""Stages whose laws are the same on every backend."""
QUICK = "ci"
"""The profile in which a method that compiles is heard on fewer problems."""


def trials_of(problems: Any, profile: str, stages: Iterable[str]) -> list[Trial]:
    """The trials of a profile, or one for each of `problems`, with the roles that are of use to `stages`.

    `problems` is a name, a problem, a trial, or a list of them. Raises `UsageError` for anything else, for an
    unknown profile, and for what a person named and cannot be built.
    """
    wanted = frozenset(stages)
    if problems is None:
        if profile not in names("trial"):
            raise unknown_name("profile", profile, names("trial"))
        found = list(load("trial", profile)())
    else:
        alone = isinstance(problems, str | Trial) or hasattr(problems, "loss")
        if not alone and (not isinstance(problems, Iterable) or isinstance(problems, Mapping)):
            raise UsageError(f"`problems={shown(problems)}` must be a list of names, problems or trials.")
        found = [as_trial(each, wanted) for each in ([problems] if alone else problems)]
        for trial in found:
            trial.build()
        if not found:
            raise UsageError("`problems` is empty: name one, or leave it out for those of the profile.")
    return [trial for trial in found if trial.roles & wanted]


def brought_to(trials: Sequence[Trial], backends: Iterable[str]) -> list[Trial]:
    """The same trials, of which some are moved to a backend of the method's own: one for each law of noise.

    A profile has those where they take least time. A method that does not run there, and has no trial of its
    own for the law, would be told nothing of its mean and variance.
    """
    there = [backend for backend in BACKENDS if backend in backends and installed(backend)]
    own = {role for trial in trials if trial.backend in there for role in trial.roles}
    seen = _OF_RANDOM_METHODS & own
    found = []
    for trial in trials:
        lacking = trial.roles & _OF_RANDOM_METHODS - seen
        if there and lacking:
            trial = replace(trial, backend=there[0], roles=trial.roles - seen)
            seen |= lacking
        found.append(trial)
    return found


def fewer(trials: Iterable[Trial]) -> tuple[list[Trial], list[Finding]]:
    """One trial of each backend and dtype, and those at several sizes; a finding for each left out.

    What is asked beside the gradient has trials of its own.
    """
    kept: dict[tuple[str, str, bool], Trial] = {}
    chosen, left_out = [], []
    for trial in trials:
        first = kept.setdefault((trial.backend, trial.dtype, _is_beside(trial)), trial)
        if first is trial or _NEEDS_SIZES in trial.roles:
            chosen.append(trial)
        else:
            reason = f"it compiles for seconds for each shape, and is heard on {first} here."
            left_out.append(_finding(trial, "skipped", reason))
    return chosen, left_out


def as_trial(problem: Any, stages: frozenset[str]) -> Trial:
    """One problem as a trial of all `stages` that can be held on a single problem."""
    if isinstance(problem, Trial):
        return problem
    roles = stages - {_NEEDS_SIZES}
    if isinstance(problem, str):
        name, arguments = parsed("problem", problem)
        place = {key: arguments.pop(key) for key in PLACE if key in arguments}
        return Trial(name, arguments, roles, **place)
    if not (hasattr(problem, "loss") and hasattr(problem, "arrays") and hasattr(problem, "parameters")):
        raise UsageError(f"`{shown(problem)}` is not a problem: name one, or build it with `get_problem`.")
    sizes = {key: value for key, value in problem.call.arguments.items() if key not in PLACE}
    arrays = problem.arrays
    return Trial(
        problem.call.name,
        sizes,
        roles,
        backend=arrays.backend,
        device=arrays.device,
        dtype=arrays.dtype,
        seed=problem.call.arguments.get("seed", 0),
        ready=problem,
    )


def heard(
    name: str, method: Method, trial: Trial, seed: int, false_alarm: float, clock: Clock
) -> Hearing | Finding:
    """The method's hearing on a trial; a finding where there can be none, because of either."""
    if trial.ready is None and _elsewhere(method, trial):
        return _finding(
            trial, "skipped", f"it runs on {_listed(method)}, not on the {trial.backend} backend."
        )
    try:
        problem = trial.build()
    except UsageError as error:
        return _finding(trial, "skipped", str(error))
    try:
        with watch.calling(str(trial)):
            reason = method.supports(problem)
            others = method.claims.wants - {"gradient"}
            if reason is not None and trial.roles & _BESIDE and _any(method, problem, others):
                return Hearing(name, method, replace(trial, roles=_BESIDE), problem, seed, false_alarm, clock)
    except Exception as error:  # a method may raise anything
        return _finding(
            trial, "failed", f"asked what it supports, it raised {type(error).__name__}: {error}."
        )
    if reason is not None:
        return _finding(trial, "skipped", f"{str(reason).rstrip('.')}.")
    return Hearing(name, method, trial, problem, seed, false_alarm, clock)


def _is_beside(trial: Trial) -> bool:
    return bool(trial.roles & _BESIDE) and "contract" not in trial.roles


def _any(method: Method, problem: Problem, wants: Iterable[Want]) -> bool:
    """Whether it computes any of these quantities of the problem."""
    return any(method.supports(problem, want) is None for want in wants)


def _elsewhere(method: Method, trial: Trial) -> bool:
    """Whether the backend alone rules the method out: then that library need not be loaded."""
    stands_for_numpy = trial.backend == "array_api_strict" and "numpy" in method.claims.backends
    return trial.backend not in method.claims.backends and not stands_for_numpy


def _listed(method: Method) -> str:
    return ", ".join(sorted(method.claims.backends))


def _finding(trial: Trial, status: Any, reason: str) -> Finding:
    return Finding("contract.supports", status, reason, where=str(trial), dtype=trial.dtype)
