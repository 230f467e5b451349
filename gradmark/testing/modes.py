"""Reverse and forward mode of one function, checked one after the other and reported together."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gradmark.errors import UsageError

if TYPE_CHECKING:
    from gradmark.judging.judgement import GradientCheck
    from gradmark.judging.verdict import Finding

MODES = ("reverse", "forward")
_WIDE = "float64"


@dataclass(frozen=True)
class Differentiated:
    """A function of the point `at` with its derivatives, as `gradmark.check_vjp` and `check_jvp` take them.

    `jvp` is None where the function has no forward mode, and `no_jvp` says why. ``shaken(f, epsilon, seed)``
    is `f` with every operation's result moved by epsilon. `assertion` is the name of what a person called.
    """

    name: str
    at: Mapping[str, Any]
    function: Callable[[Any], Any]
    vjp: Callable[[Any, Any], Any]
    jvp: Callable[[Any, Any], Any] | None
    shaken: Callable[..., Any]
    assertion: str
    no_jvp: str = ""


def check_modes(
    found: Differentiated,
    *,
    forward: bool,
    seed: int,
    expected_failures: Mapping[str, str] | None,
    seconds: float | None,
    **options: Any,
) -> "GradientCheck":
    """Both modes as one check, whose findings are called "reverse..." and "forward...".

    In a narrow dtype the formula is judged in float64, at the same numbers, where the function can be
    computed in it; what the narrow dtype adds is judged beside it (`gradmark.testing.precision`).
    """
    from gradmark.judging.checking.as_given import as_given
    from gradmark.judging.checking.inputs import check_positive, expected_of, listed_points
    from gradmark.judging.verdict import Finding, with_expected

    expected = expected_of(expected_failures, MODES)
    check_positive("seconds", seconds)
    with _about_inputs():
        options["points"] = listed_points(options["points"])
        at = _widened(found)
        half = seconds if found.jvp is None or seconds is None else seconds / 2
        checks = _checks(found, at or found.at, forward, {**options, "seed": seed, "seconds": half})
    given = as_given(seed, options["digits"], options["bounds"], options["points"])
    findings = [
        _repeatable(each, found.assertion, given)
        for mode in checks
        for each in _findings(mode, checks[mode], found, at, seed)
    ]
    if "forward" not in checks:
        findings.append(Finding("forward", "skipped", found.no_jvp if forward else "it was not asked for."))
    first = checks["reverse"]
    return replace(
        first,
        subject=found.name,
        findings=tuple(with_expected(findings, expected)),
        seconds=sum(check.seconds for check in checks.values()),
        evaluations=sum(check.evaluations for check in checks.values()),
        gradient_calls=sum(check.gradient_calls for check in checks.values()),
        record={**first.record, "dtype": _arrays(found.at).dtype},
    )


def _checks(
    found: Differentiated, at: Mapping[str, Any], forward: bool, options: dict[str, Any]
) -> "dict[str, GradientCheck]":
    from gradmark.judging.check import check_jvp, check_vjp

    checks = {"reverse": check_vjp(found.function, found.vjp, at, **options)}
    if forward and found.jvp is not None:
        checks["forward"] = check_jvp(found.function, found.jvp, at, **options)
    return checks


@contextmanager
def _about_inputs() -> Iterator[None]:
    """Errors about the point of a check, called `at`, said of what a person gave, the inputs."""
    try:
        yield
    except UsageError as error:
        said = str(error).replace("be built like `at`", "be a dict with the names of the arrays in `inputs`")
        raise type(error)(
            said.replace(
                "list of points like `at`", "list of dicts with the names of the arrays in `inputs`"
            ).replace("`at`", "`inputs`")
        ) from error


def _findings(
    mode: str, check: "GradientCheck", found: Differentiated, at: Mapping[str, Any] | None, seed: int
) -> "Iterator[Finding]":
    """The findings of a mode under its name, and those about the narrow dtype."""
    for each in check.findings:
        renamed = replace(each, check=f"{mode}.{each.check}")
        # The digits of the formula are not those of a derivative in a narrow dtype.
        yield renamed if at is None else replace(renamed, digits=None, smallest_detectable=None)
    if at is None or check.verdict == "wrong":
        return
    from gradmark.testing.precision import Narrow, findings

    derivative = found.vjp if mode == "reverse" else found.jvp
    assert derivative is not None
    weighted = found.function if mode == "reverse" else dict
    it = Narrow(derivative, found.shaken, weighted, _arrays(found.at), _arrays(at), seed)
    yield from findings(mode, it, found.at)


def _repeatable(finding: "Finding", assertion: str, given: str) -> "Finding":
    """With the call that a person made as the code of its evidence."""
    if finding.evidence is None:
        return finding
    code = f"gradmark.testing.{assertion}(function, *inputs, {given})"
    return replace(finding, evidence=replace(finding.evidence, code=code))


def _widened(found: Differentiated) -> dict[str, Any] | None:
    """The same numbers in float64; None where they are already, or the function cannot be computed in it."""
    import numpy as np

    from gradmark.arrays import dtype_name, epsilon, to_numpy

    arrays = _arrays(found.at)
    if epsilon(arrays.dtype) <= epsilon(_WIDE):
        return None
    wide = replace(arrays, dtype=_WIDE)
    at = {name: wide.array(to_numpy(array)) for name, array in found.at.items()}
    try:
        outputs = found.function(at)
        finite = all(np.all(np.isfinite(to_numpy(out))) for out in outputs.values())
    except Exception:
        return None
    return at if finite and all(dtype_name(out) == _WIDE for out in outputs.values()) else None


def _arrays(at: Mapping[str, Any]) -> Any:
    from gradmark.function_problem import arrays_of

    return arrays_of(at)[0]


def refuse_empty(at: Mapping[str, Any], what: str) -> None:
    """Raise `UsageError` where there is nothing to differentiate by."""
    if not at:
        raise UsageError(f"there is nothing to differentiate by: {what}")


def no_forward_mode(
    jvp: Callable[[Any, Any], Any],
    at: Mapping[str, Any],
    ones_like: Callable[[Any], Any],
    declined: Callable[[Exception], str],
) -> str | None:
    """Why a function has no forward mode; None where it has one, right or wrong.

    ``declined(error)`` is what a library says where it has no rule, and empty for any other error, which
    the check will report.
    """
    try:
        jvp(at, {name: ones_like(array) for name, array in at.items()})
    except Exception as error:
        said = declined(error)
        return f"it has no forward mode: {said}" if said else None
    return None
