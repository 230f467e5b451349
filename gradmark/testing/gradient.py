"""The assertion about a gradient that somebody wrote, and what all assertions end with."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradmark.judging.judgement import GradientCheck


def assert_gradient(
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
    """Raise `AssertionError` unless ``gradient(x)`` is the gradient of the scalar ``function(x)``.

    `at` and the options are those of `gradmark.check_gradient`: an array, or a dict, list or tuple of arrays
    of one dtype (float64 or float32, in NumPy longdouble, in torch float16 or bfloat16 too), or Python
    floats. The error's text is that of the check: the verdict, where and how large the difference is, both
    numbers, and a line that repeats it.

    A check that cannot decide raises as well, and says so; with `allow_undecided` it passes, and only a wrong
    gradient raises. Raises `UsageError` for a point or an option that is none. Returns the
    `gradmark.GradientCheck`.

    >>> import numpy as np
    >>> assert_gradient(lambda x: np.sum(x**3), lambda x: 3 * x**2, np.array([1.0, 2.0])).verdict
    'correct'
    """
    from gradmark.judging.check import check_gradient

    check = check_gradient(
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
    return asserted(check, allow_undecided=allow_undecided)


def asserted(check: "GradientCheck", *, allow_undecided: bool) -> "GradientCheck":
    """The check itself; `AssertionError` with its text where the verdict is not good enough."""
    __tracebackhide__ = True  # pytest shows the line of the test, not this one
    good = ("correct", "undecided") if allow_undecided else ("correct",)
    if check.verdict not in good:
        raise AssertionError(str(check))
    return check
