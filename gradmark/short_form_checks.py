"""What a short-form method must declare, take and return: each mistake is answered in one sentence."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from gradmark.arrays import Array, dtype_name
from gradmark.claims import Biased, Exact, Exactness, Truncated, Unbiased
from gradmark.errors import UsageError, WrongResult
from gradmark.parameters import Parameters

_GIVEN = ("problem", "parameters", "seed")
_TAKEN = ("claims", "supports", "prepare", "function")


def hyper_parameters(function: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """Type and default of each parameter of `function` after the three that it is given."""
    name, parameters = function.__name__, list(inspect.signature(function).parameters.values())
    if [each.name for each in parameters[:3]] != list(_GIVEN):
        raise UsageError(
            f"{name}: a short-form method is a function of ({', '.join(_GIVEN)}, ...), in this order."
        )
    try:
        hints = get_type_hints(function)
    except (NameError, TypeError):
        hints = {}
    found = {}
    for each in parameters[3:]:
        if each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) or each.default is each.empty:
            raise UsageError(
                f"{name}: `{each}` must be a named parameter with a default, as in {each.name}=1."
            )
        if each.name in _TAKEN:
            raise UsageError(
                f"{name}: a hyper-parameter cannot be called `{each.name}`: choose another name."
            )
        if type(each.default).__hash__ is None:
            raise UsageError(
                f"{name}: the default of `{each}` can be changed: use a number, a word or a tuple."
            )
        found[each.name] = (hints.get(each.name, _type_of(each.default)), each.default)
    return found


def _type_of(default: Any) -> Any:
    return type(default) if isinstance(default, bool | int | float | str) else Any


def exactness_of(
    function: Callable[..., Any],
    hyper: Mapping[str, Any],
    exact: bool,
    order: int | None,
    samples: str | None,
    variance_factor: Callable[[int], float] | None,
    biased: str | None,
) -> Exactness:
    """The one claim that was made."""
    name = function.__name__
    if [exact, order is not None, samples is not None, biased is not None].count(True) != 1:
        raise UsageError(f"{name}: declare one of exact=True, order=..., samples=... or biased=....")
    for claim, needed in ((order, "step"), (samples, str(samples))):
        if claim is not None and needed not in hyper:
            raise UsageError(
                f"{name}: what it declares needs the hyper-parameter `{needed}`: take {needed}=...."
            )
    if order is not None:
        return Truncated(order, "step")
    if biased is not None:
        return Biased(biased)
    if samples is None:
        return Exact()
    if variance_factor is None:
        raise UsageError(f"{name}: `samples` needs variance_factor=lambda size: ... with it.")
    return Unbiased(samples, variance_factor)


def passed_on(
    function: Callable[..., Any],
    argument: str,
    formula: Callable[..., float] | None,
    hyper: Mapping[str, Any],
) -> Callable[[int, Mapping[str, Any]], float] | None:
    """`formula` as a function of the size and all hyper-parameters, of which it is given those it names."""
    if formula is None:
        return None
    wanted = list(inspect.signature(formula).parameters)[1:]
    for name in wanted:
        if name not in hyper:
            raise UsageError(
                f"{function.__name__}: `{argument}` takes `{name}`, which is no hyper-parameter: it may take "
                f"the size and {', '.join(hyper) or 'nothing else'}."
            )
    return lambda size, values: formula(size, **{name: values[name] for name in wanted})


def check_gradient(name: str, gradient: Any, parameters: Parameters) -> None:
    """Raise `WrongResult` unless `gradient` is a dict of arrays like the parameters; any numbers will do."""
    if not isinstance(gradient, Mapping):
        raise WrongResult(
            f"{name} returned a {type(gradient).__name__}: return a dict with an array for each name."
        )
    if set(gradient) != set(parameters):
        raise WrongResult(
            f"{name} returned a gradient of {', '.join(map(str, gradient)) or 'nothing'}: return one array "
            f"for each of {', '.join(parameters)}."
        )
    for key, array in parameters.items():
        found, wanted = _described(gradient[key]), _described(array)
        if found != wanted:
            raise WrongResult(f"{name} returned for `{key}` {found}: return {wanted}, as the parameter is.")


def _described(array: Array) -> str:
    """Library, shape, dtype and device in words: what must agree."""
    if not hasattr(array, "dtype") or not hasattr(array, "shape"):
        return f"a {type(array).__name__}"
    library = type(array).__module__.split(".")[0].replace("jaxlib", "jax")
    device = f" on {array.device}" if library != "numpy" else ""
    return f"a {library} array of shape {tuple(array.shape)} and dtype {dtype_name(array)}{device}"
