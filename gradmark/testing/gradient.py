"""The assertion about a gradient that somebody wrote, and what all assertions end with."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradmark.judging.judgement import GradientCheck


def assert_gradient(
    function: Callable[[Any], Any],
    gradient: Callable[[Any], Any],
    at: Any,
    *,
    allow_undecided: bool = False,
    **options: Any,
) -> "GradientCheck":
    """Raise `AssertionError` unless ``gradient(x)`` is the gradient of the scalar ``function(x)``.

    `options` are those of `gradmark.check_gradient`: `seed`, `digits`, `points`, `bounds`,
    `expected_failures`, `seconds`. The error's text is that of the check: the verdict, where and how large
    the difference is, both numbers, and a line that repeats it. A check that cannot decide raises as well,
    and says so, unless `allow_undecided`. Returns the check.

    >>> import numpy as np
    >>> assert_gradient(lambda x: np.sum(x**3), lambda x: 3 * x**2, np.array([1.0, 2.0])).verdict
    'correct'
    """
    return asserted(checked(function, gradient, at, **options), allow_undecided=allow_undecided)


def checked(
    function: Callable[[Any], Any], gradient: Callable[[Any], Any], at: Any, **options: Any
) -> "GradientCheck":
    """`gradmark.check_gradient`, imported when it is used."""
    from gradmark.judging.check import check_gradient

    return check_gradient(function, gradient, at, **options)


def asserted(check: "GradientCheck", *, allow_undecided: bool) -> "GradientCheck":
    """The check itself; `AssertionError` with its text where the verdict is not good enough."""
    __tracebackhide__ = True  # pytest shows the line of the test, not this one
    good = ("correct", "undecided") if allow_undecided else ("correct",)
    if check.verdict not in good:
        raise AssertionError(str(check))
    return check
