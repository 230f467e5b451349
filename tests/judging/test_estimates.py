"""What a method says of its own error: honest words pass, small ones do not, whatever the gradient is."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

import gradmark
from gradmark.claims import Claims, Estimated, Truncated, Unbiased
from gradmark.judging.hearing import Hearing
from gradmark.judging.stages import estimates
from gradmark.judging.trial import Trial
from gradmark.judging.verdict import Finding
from gradmark.work import Work
from tests.judging.fakes import with_claims

CLAIMED = with_claims(exactness=Estimated(), work=None)
PLACES = [
    Trial("rosenbrock", {"size": size}, dtype=dtype) for size in (4, 6) for dtype in ("float64", "float32")
]
OFF = 1e-3


@dataclass(frozen=True)
class Off:
    """A gradient whose first entry is off by `OFF`, which says that it is off by `says`."""

    says: float | None = OFF
    claims: Claims = field(default_factory=lambda: CLAIMED)

    def supports(self, problem: Any, want: str = "gradient") -> str | None:
        return None

    def prepare(self, problem: Any, want: str = "gradient") -> Any:
        def gradient(parameters: Any, seed: int = 0, **given: Any) -> Any:
            found = problem.closed_form(parameters, problem.default_draw)
            found["x"][0] += OFF * abs(found["x"][0])
            said = None if self.says is None else self.says * float(abs(found["x"][0]))
            return gradmark.Estimate(found, None, Work(), said)

        return gradient


def findings(method: Any, trials: Any = PLACES) -> list[Finding]:
    return list(estimates.examine([Hearing("method", method, trial, trial.build()) for trial in trials]))


@pytest.mark.parametrize("says", [OFF, 3 * OFF, 1e3 * OFF])
def test_an_estimate_that_covers_the_error_passes(says: float) -> None:
    found = findings(Off(says))
    assert len(found) >= len(PLACES) and {each.status for each in found} == {"passed"}


def test_one_that_is_a_little_small_everywhere_fails_once_and_one_that_is_far_too_small_everywhere() -> None:
    little, far = findings(Off(OFF / 2)), findings(Off(OFF / 50))
    assert [each.status for each in little if each.status != "passed"] == ["failed"]
    assert "larger than it says at" in little[-1].reason
    assert {each.status for each in far} == {"failed"}


@pytest.mark.parametrize("says", [float("nan"), -1.0])
def test_what_is_no_size_is_no_estimate(says: float) -> None:
    assert {each.status for each in findings(Off(says))} == {"failed"}


def test_who_claims_an_estimate_must_give_one_and_others_need_not() -> None:
    assert [each.status for each in findings(Off(None))] == ["failed"]
    truncated = replace(CLAIMED, exactness=Truncated(2, "step"))
    assert [each.status for each in findings(Off(None, truncated))] == ["skipped"]


def test_exact_and_random_methods_are_judged_elsewhere() -> None:
    assert estimates.applies(CLAIMED) is None
    assert estimates.applies(with_claims()) is not None
    assert estimates.applies(with_claims(exactness=Unbiased("samples", float))) is not None


def test_a_validation_of_an_estimate_that_lies_is_wrong() -> None:
    honest, lying = (
        gradmark.validate(Off(says), problems=["rosenbrock:size=4", "rosenbrock:size=6"])
        for says in (2 * OFF, OFF / 50)
    )
    assert lying.verdict == "wrong" and any(each.check == "estimates" for each in lying.deciding)
    assert not any(each.status == "failed" for each in honest.findings if each.check == "estimates")
