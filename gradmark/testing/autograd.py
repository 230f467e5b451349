"""The assertion about torch's own derivatives of a function or module."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradmark.testing.gradient import asserted
from gradmark.testing.modes import check_modes

if TYPE_CHECKING:
    from gradmark.judging.judgement import GradientCheck


def assert_autograd(
    function: Callable[..., Any],
    *inputs: Any,
    forward: bool = True,
    allow_undecided: bool = False,
    seed: int = 0,
    digits: float | None = None,
    points: Iterable[Any] | None = None,
    bounds: Sequence[float] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> "GradientCheck":
    """Raise `AssertionError` unless torch's backward and forward mode of ``function(*inputs)`` are right.

    `function` is a `torch.nn.Module`, whose parameters are examined too, the ``apply`` of a
    `torch.autograd.Function`, or any function of tensors. `inputs` may hold tensors in tuples, lists and
    dicts; those with ``requires_grad`` are differentiated by (all of one dtype and device), the others are
    constants. Outputs may be a tensor or tuples, lists and dicts of them; those that require a gradient are
    examined. Nothing that was given is changed.

    float64, float32, bfloat16 and float16 are judged by what rounding in them may do. The function is
    evaluated in float64 (and complex) too, where it can be: a module as a converted copy of itself. Forward
    mode is examined where all operations define it, and skipped with the reason where one does not; random
    numbers, as those of dropout, are the same in every call.

    `digits`, `points` (each a dict with the names in the report), `bounds`, `seconds` and `seed` are those of
    `gradmark.check_gradient`; `expected_failures` maps "reverse" or "forward" to the reason why it may fail.
    An undecided check raises as well; with `allow_undecided` it passes, and only a wrong derivative raises.
    Raises `UsageError` for an option that is none, where nothing requires a gradient, and for a function that
    cannot be evaluated at these inputs. Returns the `gradmark.GradientCheck`.

    >>> import torch
    >>> x = torch.linspace(-1, 1, 6, dtype=torch.float64, requires_grad=True)
    >>> assert_autograd(torch.nn.functional.gelu, x).verdict
    'correct'
    """
    from gradmark.testing.torch_call import differentiated

    options = {"digits": digits, "points": points, "bounds": bounds}
    found = differentiated(function, inputs, seed, forward=forward)
    check = check_modes(
        found, forward=forward, seed=seed, expected_failures=expected_failures, seconds=seconds, **options
    )
    return asserted(check, allow_undecided=allow_undecided)
