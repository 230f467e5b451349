"""The pytest plug-in: a fixture that checks gradients and records their verdicts.

pytest loads it in every project of an environment where gradmark is installed, so it imports nothing but
pytest before the fixture is used.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gradmark.judging.judgement import GradientCheck


@pytest.fixture
def gradient_check(record_property: Callable[[str, object], None]) -> Callable[..., "GradientCheck"]:
    """`gradmark.check_gradient` that fails the test unless the gradient is correct.

    It is called as ``gradient_check(function, gradient, at)``, with the options of
    `gradmark.testing.assert_gradient`, and returns the `gradmark.GradientCheck`; it raises what that one
    raises: `AssertionError` for a verdict that is not good enough (an undecided one is with
    ``allow_undecided=True``) and `UsageError` for a point or an option that is none. The report of
    ``pytest --junitxml`` gets the properties ``gradmark.verdict``, ``gradmark.reason``, ``gradmark.digits``
    and ``gradmark.smallest_detectable``.

    ::

        def test_the_gradient_of_my_loss(gradient_check):
            gradient_check(loss, gradient_of_loss, np.ones(3))
    """

    def check(
        function: Callable[[Any], Any],
        gradient: Callable[[Any], Any],
        at: Any,
        *,
        allow_undecided: bool = False,
        seed: int = 0,
        digits: float | None = None,
        points: Iterable[Any] | None = None,
        bounds: Sequence[float] | None = None,
        expected_failures: Mapping[str, str] | None = None,
        seconds: float | None = None,
    ) -> "GradientCheck":
        from gradmark.judging.check import check_gradient
        from gradmark.testing.gradient import asserted

        found = check_gradient(
            function,
            gradient,
            at,
            seed=seed,
            digits=digits,
            points=points,
            bounds=bounds,
            expected_failures=expected_failures,
            seconds=seconds,
        )
        for name in ("verdict", "reason", "digits", "smallest_detectable"):
            record_property(f"gradmark.{name}", getattr(found, name))
        return asserted(found, allow_undecided=allow_undecided)

    return check
