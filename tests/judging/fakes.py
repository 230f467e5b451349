"""Methods for testing the judge: a right one, and faults of it, each in a line or two."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradmark import passes
from gradmark.claims import Claims, Exact, Growth
from gradmark.judging.clock import Clock
from gradmark.judging.docket import as_trial
from gradmark.judging.hearing import Hearing
from gradmark.judging.validation import STAGES
from gradmark.method import Estimate
from gradmark.work import Work, counting

EXACT = Claims(
    family="reverse",
    exactness=Exact(),
    reads=frozenset({"loss", "pullback"}),
    growth=Growth(),
    work=lambda problem: Work(forward=1, pullback=1),
)
Call = Callable[..., dict[str, Any]]


def right(problem: Any, parameters: Any, draw: Any) -> dict[str, Any]:
    """Backpropagation."""
    trace = passes.forward(problem, parameters, draw)
    return passes.pullback(problem, parameters, draw, trace)


@dataclass(frozen=True)
class Fake:
    """``bind(problem)`` is what it prepares: a function of (parameters, seed, draw), the gradient."""

    bind: Callable[[Any], Call]
    claims: Claims = EXACT
    value: Callable[[Any], Any] = lambda problem: None
    said: Callable[[Work], Work] = lambda work: work

    def supports(self, problem: Any, want: str = "gradient") -> str | None:
        return None

    def prepare(self, problem: Any, want: str = "gradient") -> Any:
        function = self.bind(problem)

        def gradient(
            parameters: Any, seed: int = 0, *, draw: Any = None, direction: Any = None, state: Any = None
        ) -> Estimate:
            with counting() as work:
                result = function(parameters, seed, draw or problem.default_draw)
            return Estimate(result, self.value(problem), self.said(work.total()))

        return gradient


def fake(change: Callable[..., Any], **fields: Any) -> Fake:
    """The right gradient g, passed through ``change(g)``; it may return another or write into g."""

    def bind(problem: Any) -> Call:
        def function(parameters: Any, seed: int, draw: Any) -> dict[str, Any]:
            g = right(problem, parameters, draw)
            return change(g) or g

        return function

    return Fake(bind, **fields)


def with_claims(**changes: Any) -> Claims:
    return replace(EXACT, **changes)


def heard_on(method: Any, problem: Any, **settings: Any) -> Hearing:
    trial = as_trial(problem, frozenset(STAGES))
    clock = settings.pop("clock", Clock())
    return Hearing("fake", method, trial, trial.build(), clock=clock, **settings)


def moved(g: dict[str, Any], name: str, index: Any, amount: float) -> dict[str, Any]:
    changed = {key: np.array(array) for key, array in g.items()}
    changed[name][index] += amount
    return changed
