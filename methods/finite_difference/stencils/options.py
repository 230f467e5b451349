"""The hyper-parameters that differences of the loss share, and what these cost."""

from collections.abc import Callable
from typing import Any, Protocol

from gradmark.arguments import check_positive
from gradmark.errors import UsageError, shown
from gradmark.problem import Problem
from gradmark.work import Work
from methods.finite_difference.evaluating.accumulating import check_accumulate
from methods.finite_difference.stencils import together
from methods.finite_difference.stencils.weights import Stencil
from methods.finite_difference.steps.choosing import RULES, evaluations


class Options(Protocol):
    """`step` is absolute; where it is None, `rule` says how steps are chosen; `accumulate` in what to add."""

    @property
    def step(self) -> float | None:
        """The step of every coordinate, or None."""

    @property
    def rule(self) -> str:
        """One of `RULES`."""

    @property
    def accumulate(self) -> str:
        """The dtype in which the loss is added up: "problem" or "float64"."""


def check_options(owner: str, options: Options) -> None:
    """Raise `UsageError` for a hyper-parameter that makes no sense."""
    if options.step is not None:
        check_positive(owner, "step", options.step)
    rule: Any = options.rule
    if not isinstance(rule, str) or rule not in RULES:
        raise UsageError(f"{owner}: `rule={shown(rule)}` must be one of {', '.join(RULES)}.")
    check_accumulate(owner, options.accumulate)


def measures(options: Options) -> bool:
    """Whether steps are measured, and with them the error."""
    return options.step is None and options.rule != "dtype"


def work_of(
    options: Options, stencil: Stencil, differences: Callable[[Problem], int]
) -> Callable[[Problem], Work] | None:
    """The work of a difference; None under the rules that search as long as they have to."""
    if not measures(options):
        return lambda problem: Work(forward=differences(problem))
    if options.rule != "noise":
        return None
    return lambda problem: Work(
        forward=differences(problem) + evaluations(problem, stencil) + together.evaluations(problem, stencil)
    )
