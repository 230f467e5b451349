"""The stages of a validation held one after another, each in its share of the time."""

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from gradmark.claims import Claims
from gradmark.judging.clock import Clock, OutOfTime
from gradmark.judging.hearing import Hearing, MethodError
from gradmark.judging.process import watch
from gradmark.judging.quantities import question as quantities
from gradmark.judging.verdict import Finding

WEIGHTS = {
    "contract": 12.0,
    "accuracy": 4.0,
    "estimates": 1.0,
    "order": 2.0,
    "invariance": 1.0,
    "quantities": 2.0,
    "identification": 1.0,
    "noise": 2.0,
    "bias": 3.0,
    "sequential": 4.0,
    "efficiency": 2.0,
    "cost": 3.0,
    "controls": 1.0,
}
"""The stages in their order, what is deterministic and quick first, and how the time is shared among them.

The contract is asked first, and so waits for whatever is compiled or loaded at a first call.
"""
STAGES = tuple(WEIGHTS)


def applying(claims: Claims) -> dict[str, Any]:
    """The modules of the stages that have something to say about a method with these claims, by name."""
    modules = {name: importlib.import_module(f"gradmark.judging.stages.{name}") for name in STAGES}
    return {name: module for name, module in modules.items() if module.applies(claims) is None}


def concerned_with(claims: Claims, stages: dict[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
    """The stages that a method without a gradient can be held in, and a finding for each other."""
    if "gradient" in claims.wants:
        return stages, []
    listed = ", ".join(sorted(claims.wants))
    reason = f"it computes {listed} and no gradient: the stage `{quantities.NAME}` judges it."
    others = [name for name in stages if name != quantities.NAME]
    kept = {name: stage for name, stage in stages.items() if name == quantities.NAME}
    return kept, [Finding(name, "skipped", reason) for name in others]


def judged(hearings: Sequence[Hearing], stages: Mapping[str, Any], clock: Clock) -> Iterator[Finding]:
    """What all stages find. Each is lent its share of the time that is left; what it saves, others have."""
    weights = {name: WEIGHTS[name] for name in stages if any(name in each.trial.roles for each in hearings)}
    for name in weights:
        watch.examining(name)
        concerned = [hearing for hearing in hearings if name in hearing.trial.roles]
        later = [weights[other] for other in weights if STAGES.index(other) >= STAGES.index(name)]
        with clock.lent(weights[name] / sum(later)):
            yield from _examined(name, stages[name], concerned)


def _examined(name: str, stage: Any, hearings: Sequence[Hearing]) -> Iterator[Finding]:
    """One stage's findings; what goes wrong in it is told apart: method, time, or the judge himself."""
    try:
        hearings[0].clock.check()
        yield from stage.examine(hearings)
    except MethodError as error:
        said = f"the method {'declined' if error.refusal else 'raised'}: {error}"
        yield Finding(name, "failed", said, where=error.where, dtype=error.dtype)
    except OutOfTime as error:
        yield Finding(name, "undecided", f"{error} The rest of `{name}` was left out.")
    except Exception as error:
        bug = f"{type(error).__name__}: {' '.join(str(error).split())}"
        reason = f"the judge himself failed in `{name}` ({bug}), which says nothing about the method."
        yield Finding(name, "undecided", reason)
