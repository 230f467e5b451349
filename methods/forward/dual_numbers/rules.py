"""Which rule differentiates which function of NumPy: the tables, and how a call finds its rule.

The rules stand in `elementwise`, `selecting`, `rearranging`, `reducing` and `multiplying`, which enter them
here when the package is imported. What is constant between jumps (comparisons, argmax, rounding) is computed
on the plain values and carries no tangents.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradmark.errors import UsageError

UFUNCS: dict[str, Callable[..., Any]] = {}
"""By name, so that those of SciPy need no import of it."""
FUNCTIONS: dict[Any, tuple[Callable[..., Any], frozenset[str]]] = {}
"""Each rule with the arguments it takes."""
_FLAT_UFUNCS = (
    "greater greater_equal less less_equal equal not_equal isnan isfinite isinf signbit sign floor ceil "
    "trunc rint floor_divide logical_and logical_or logical_xor logical_not heaviside spacing"
)
FLAT_UFUNCS = frozenset(_FLAT_UFUNCS.split())
_FLAT_NAMES = (
    "all allclose any argmax argmin argsort argwhere around array_equal can_cast count_nonzero empty_like "
    "fix flatnonzero iscomplexobj isclose isrealobj lexsort ndim nonzero ones_like result_type round "
    "searchsorted shape size zeros_like"
)
FLAT = frozenset(getattr(np, name) for name in _FLAT_NAMES.split())
REDUCED: dict[str, Any] = {"add": np.sum, "multiply": np.prod, "maximum": np.max, "minimum": np.min}
"""What ``ufunc.reduce`` is, but for its default axis."""

item: Callable[[Any, Any], Any]
"""x[index]; set by `rearranging`."""


def rule(*functions: Any, options: str = "") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter a rule for these functions; `options` are the names of those that it only passes on."""

    def entered(found: Any) -> Any:
        code = found.__code__
        taken = {*options.split(), *code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]}
        for function in functions:
            FUNCTIONS[function] = found, frozenset(taken)
        return found

    return entered


def of_ufunc(ufunc: Any, method: str, given: Any, options: dict[str, Any]) -> Any:
    """A ufunc of arrays of which some are dual."""
    _check_not_written(f"np.{ufunc.__name__}", options)
    if method == "reduce" and ufunc.__name__ in REDUCED:
        return REDUCED[ufunc.__name__](*given, **{"axis": 0, **options})
    if method != "__call__" or options.keys() - {"dtype"}:
        how = f".{method}" if method != "__call__" else f" with {', '.join(sorted(options))}"
        raise missing(f"np.{ufunc.__name__}{how}")
    if ufunc.__name__ in FLAT_UFUNCS:
        return ufunc(*map(plain, given), **options)
    if (found := UFUNCS.get(ufunc.__name__)) is None:
        raise missing(f"np.{ufunc.__name__}")
    return found(ufunc, *given, **options)


def of_function(function: Any, given: Any, options: dict[str, Any]) -> Any:
    """A function of NumPy of arrays of which some are dual."""
    name = f"{function.__module__}.{function.__name__}".replace("numpy", "np", 1)
    _check_not_written(name, options)
    if function in FLAT:
        return function(*map(plain, given), **{key: plain(value) for key, value in options.items()})
    if function not in FUNCTIONS:
        raise missing(name)
    found, taken = FUNCTIONS[function]
    options = {key: value for key, value in options.items() if value is not np._NoValue}
    if odd := {key for key, value in options.items() if value is not None} - taken:
        raise missing(f"{name} with {', '.join(sorted(odd))}")
    return found(*given, **options)


def plain(x: Any) -> Any:
    """`x` without tangents of any tag; lists and tuples of arrays too."""
    if isinstance(x, list | tuple):
        return type(x)(plain(each) for each in x)
    while hasattr(x, "tangents"):
        x = x.value
    return x


def _check_not_written(name: str, options: dict[str, Any]) -> None:
    if options.pop("out", None) is not None:
        raise UsageError(
            f"{name} of dual numbers cannot write into an array that is there (`out=`, or an operator such "
            "as +=): use the array that it returns."
        )


def missing(what: str) -> UsageError:
    return UsageError(
        f"dual numbers have no rule for {what}: write it with functions that have one, or add a rule to "
        "methods/forward/dual_numbers."
    )
