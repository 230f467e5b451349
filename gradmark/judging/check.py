"""The second door: any function of arrays and a gradient that somebody wrote."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from gradmark.judging.checking.course import Course
from gradmark.judging.checking.inputs import Options, check_callable, task_of
from gradmark.judging.checking.meter import Meter
from gradmark.judging.checking.objective import scalar
from gradmark.judging.checking.outputs import outputs_of
from gradmark.judging.checking.record import record
from gradmark.judging.checking.sides import GradientSide
from gradmark.judging.checking.space import Space
from gradmark.judging.checking.task import Side
from gradmark.judging.checking.vector_sides import JvpSide, VjpSide
from gradmark.judging.judgement import GradientCheck
from gradmark.judging.verdict import with_expected

CHECKS = ("contract", "value", "points", "time")
"""The names of the checks; parts of "contract" follow a dot."""


def check_gradient(
    function: Callable[[Any], Any],
    gradient: Callable[[Any], Any],
    at: Any,
    *,
    seed: int = 0,
    digits: float | None = None,
    points: Iterable[Any] | None = None,
    bounds: Sequence[float] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> GradientCheck:
    """Whether ``gradient(x)`` is the gradient of the scalar ``function(x)`` at `at` and around it.

    `at` is an array (NumPy, torch or JAX) of any shape, or a dict, list or tuple of arrays of one backend,
    device and dtype: float64 or float32, in NumPy longdouble, in torch float16 or bfloat16 too. Python
    floats, and lists of numbers, are taken as float64 NumPy arrays. `gradient` returns the same structure,
    shapes, dtype and device.

    The function is differentiated along random directions by references that know their error: the complex
    step and differences over a ladder of steps, in extended precision where the function carries it. A
    gradient is called wrong only where two references agree against it by more than rounding of the dtype of
    `at` may do. It is compared at `at`, after some descent, nearby, at other scales and enlarged; with
    `points=`, at `at` and those. Points stay inside `bounds`, an interval for every entry.

    `digits` accepts a relative error of 10^-digits of the gradient's 2-norm, on top of what rounding may do.
    `expected_failures` maps a check ("contract", "value", "points", "time") to the reason why it may fail.
    After `seconds` no further evaluation begins. `seed` starts the directions and points.

    Returns a `gradmark.GradientCheck`: `verdict` ("correct", "wrong" or "undecided"), `reason`, `evidence`,
    `digits` (how many are right), `smallest_detectable` (the relative size of the smallest fault that would
    have been seen) and the `findings` they follow from; as text by `str`, and by `to_json()`, `to_junit()`
    and `to_html()`. What `gradient` raises or returns wrongly is a finding. Raises `UsageError` for a point
    or an option that is none (integers and complex numbers among them), and for a function that raises, has
    no finite real value at `at`, or changes its argument.

    >>> import numpy as np
    >>> check = check_gradient(lambda x: np.sum(x**3), lambda x: 3 * x**2, np.array([1.0, 2.0, -0.5]))
    >>> check.verdict, check.digits > 14
    ('correct', True)
    >>> check = check_gradient(lambda x: np.sum(x**3), lambda x: 2.999 * x**2, np.array([1.0, 2.0, -0.5]))
    >>> check.verdict
    'wrong'
    """

    check_callable("gradient", gradient)

    def side(space: Space, x: Any, meter: Meter) -> GradientSide:
        return GradientSide(function, gradient, space, meter, scalar, digits, seed)

    options = Options(seed, digits, points, bounds, expected_failures, seconds)
    return _run(function, at, side, options)


def check_vjp(
    function: Callable[[Any], Any],
    vjp: Callable[[Any, Any], Any],
    at: Any,
    *,
    seed: int = 0,
    digits: float | None = None,
    points: Iterable[Any] | None = None,
    bounds: Sequence[float] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> GradientCheck:
    """Whether ``vjp(x, cotangent)`` is the cotangent times the Jacobian of ``function(x)``.

    vjp: dx = J(x)^T c, with the Jacobian J of shape (outputs, entries of x), both flattened. The function
    returns an array of any shape, or a dict, list or tuple of arrays; `vjp` takes a cotangent c that is built
    like that, in its shapes and dtypes, and returns dx, built like x.

    It is checked as the gradient of the outputs weighted with a random cotangent, another one at each point.
    `at`, the options, the `gradmark.GradientCheck` that is returned and what raises `UsageError` are as for
    `gradmark.check_gradient`; rounding is allowed on top of `digits` here too.

    >>> import numpy as np
    >>> check_vjp(np.sin, lambda x, cotangent: cotangent * np.cos(x), np.array([1.0, 2.0])).verdict
    'correct'
    """
    check_callable("vjp", vjp)

    def side(space: Space, x: Any, meter: Meter) -> VjpSide:
        return VjpSide(vjp, function, space, meter, outputs_of(function, space, x, meter, seed), digits)

    options = Options(seed, digits, points, bounds, expected_failures, seconds)
    return _run(function, at, side, options)


def check_jvp(
    function: Callable[[Any], Any],
    jvp: Callable[[Any, Any], Any],
    at: Any,
    *,
    seed: int = 0,
    digits: float | None = None,
    points: Iterable[Any] | None = None,
    bounds: Sequence[float] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> GradientCheck:
    """Whether ``jvp(x, tangent)`` is the derivative of ``function(x)`` along the tangent.

    jvp: dy = J(x) v, with the Jacobian J of shape (outputs, entries of x), both flattened. `jvp` takes a
    tangent v that is built like x, in its shapes and dtype, and returns dy, built like what the function
    returns: an array of any shape, or a dict, list or tuple of arrays.

    It is compared with the function along random tangents, both weighted with a random cotangent, another one
    at each point; and it must be linear in the tangent. `at`, the options, the `gradmark.GradientCheck` that
    is returned and what raises `UsageError` are as for `gradmark.check_gradient`; rounding is allowed on top
    of `digits` here too.

    >>> import numpy as np
    >>> check_jvp(np.sin, lambda x, tangent: tangent * np.cos(x), np.array([1.0, 2.0])).verdict
    'correct'
    """
    check_callable("jvp", jvp)

    def side(space: Space, x: Any, meter: Meter) -> JvpSide:
        return JvpSide(jvp, function, space, meter, outputs_of(function, space, x, meter, seed), digits)

    options = Options(seed, digits, points, bounds, expected_failures, seconds)
    return _run(function, at, side, options)


def _run(
    function: Any, at: Any, side: Callable[[Space, Any, Meter], Side], options: Options
) -> GradientCheck:
    task = task_of(function, at, side, options, CHECKS)
    findings = with_expected(list(Course(task).findings()), task.expected)
    return GradientCheck(
        subject=task.subject,
        findings=tuple(findings),
        seconds=task.meter.clock.spent(),
        evaluations=task.meter.evaluations,
        record=record(task),
        gradient_calls=task.meter.gradient_calls,
    )
