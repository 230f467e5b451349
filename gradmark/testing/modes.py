"""Reverse and forward mode of one function, checked one after the other and reported together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gradmark.errors import UsageError

if TYPE_CHECKING:
    from gradmark.judging.judgement import GradientCheck

MODES = ("reverse", "forward")


@dataclass(frozen=True)
class Differentiated:
    """A function of the point `at` with its derivatives, as `gradmark.check_vjp` and `check_jvp` take them.

    `jvp` is None where the function has no forward mode, and `no_jvp` says why.
    """

    name: str
    at: Mapping[str, Any]
    function: Callable[[Any], Any]
    vjp: Callable[[Any, Any], Any]
    jvp: Callable[[Any, Any], Any] | None
    no_jvp: str = ""


def check_modes(
    found: Differentiated,
    *,
    forward: bool,
    expected_failures: Mapping[str, str] | None,
    seconds: float | None,
    **options: Any,
) -> "GradientCheck":
    """Both modes as one check, whose findings are called "reverse..." and "forward..."."""
    from gradmark.judging.check import check_jvp, check_vjp
    from gradmark.judging.verdict import Finding, check_expected, with_expected

    expected = dict(expected_failures or {})
    check_expected(expected, MODES)
    share = seconds if seconds is None or found.jvp is None else seconds / len(MODES)
    reverse = check_vjp(found.function, found.vjp, found.at, seconds=share, **options)
    findings = [replace(each, check=f"reverse.{each.check}") for each in reverse.findings]
    checks = [reverse]
    if not forward:
        findings.append(Finding("forward", "skipped", "it was not asked for."))
    elif found.jvp is None:
        findings.append(Finding("forward", "skipped", found.no_jvp))
    else:
        checks.append(check_jvp(found.function, found.jvp, found.at, seconds=share, **options))
        findings += [replace(each, check=f"forward.{each.check}") for each in checks[-1].findings]
    return replace(
        reverse,
        subject=found.name,
        findings=tuple(with_expected(findings, expected)),
        seconds=sum(check.seconds for check in checks),
        evaluations=sum(check.evaluations for check in checks),
        gradient_calls=sum(check.gradient_calls for check in checks),
    )


def refuse_empty(at: Mapping[str, Any], what: str) -> None:
    """Raise `UsageError` where there is nothing to differentiate by."""
    if not at:
        raise UsageError(f"there is nothing to differentiate by: {what}")
