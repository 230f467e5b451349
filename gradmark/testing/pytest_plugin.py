"""The pytest plug-in: a fixture that checks gradients and records their verdicts.

pytest loads it in every project of an environment where gradmark is installed, so it imports nothing but
pytest before the fixture is used.
"""

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def gradient_check(record_property: Callable[[str, object], None]) -> Callable[..., Any]:
    """`gradmark.check_gradient` that fails the test unless the gradient is correct.

    It is called as ``gradient_check(function, gradient, at, **options)`` and returns the `GradientCheck`;
    the options are those of `gradmark.testing.assert_gradient`. The report of ``pytest --junitxml`` gets the
    properties ``gradmark.verdict``, ``gradmark.reason``, ``gradmark.digits`` and
    ``gradmark.smallest_detectable``.

    ::

        def test_the_gradient_of_my_loss(gradient_check):
            gradient_check(loss, gradient_of_loss, np.ones(3))
    """

    def check(function: Any, gradient: Any, at: Any, **options: Any) -> Any:
        from gradmark.testing.gradient import asserted, checked

        allow_undecided = options.pop("allow_undecided", False)
        found = checked(function, gradient, at, **options)
        for name in ("verdict", "reason", "digits", "smallest_detectable"):
            record_property(f"gradmark.{name}", getattr(found, name))
        return asserted(found, allow_undecided=allow_undecided)

    return check
