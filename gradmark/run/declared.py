"""Arguments as a person writes them, made to fit the types that a method or problem declares.

``step=1`` and ``step=1.0`` must be the same case, and ``batch=abc`` must be refused before anything is
measured.
"""

import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from gradmark.errors import UsageError


def fitted(factory: Any, what: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """`arguments` in the types that `factory` declares; what it does not declare stays as it is.

    Whole floats become integers and integers become floats where the other is asked for, sequences become
    tuples. Raises `UsageError` for a value that does not fit, naming the argument and the type.
    """
    hints = _hints(factory)
    result = {}
    for name, value in arguments.items():
        hint = hints.get(name, Any)
        try:
            result[name] = _fit(value, hint)
        except TypeError:
            raise UsageError(f"{what}: `{name}={value!r}` must be {_described(hint)}.") from None
    return result


def defaults(factory: Callable[..., Any]) -> dict[str, Any]:
    """The arguments of `factory` that have a default."""
    signature = inspect.signature(factory)
    return {
        name: parameter.default
        for name, parameter in signature.parameters.items()
        if parameter.default is not parameter.empty
    }


def _hints(factory: Any) -> dict[str, Any]:
    """The declared type of each argument, else that of its default; Any where nothing is known."""
    try:
        hints = get_type_hints(factory)
    except (NameError, TypeError, AttributeError):
        hints = {}
    if is_dataclass(factory):
        return hints
    return {name: hints.get(name, _of_default(value)) for name, value in defaults(factory).items()}


def _of_default(value: Any) -> Any:
    return type(value) if type(value) in (bool, int, float, str) else Any


def _fit(value: Any, hint: Any) -> Any:
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        return _fit_one_of(value, get_args(hint))
    if origin is Literal:
        return _require(value in get_args(hint), value)
    if origin in (tuple, list, Sequence):
        items = [item for item in get_args(hint) if item is not Ellipsis]
        _require(isinstance(value, tuple | list), value)
        return tuple(_fit(item, items[0] if len(set(items)) == 1 else Any) for item in value)
    fit = _FITS.get(hint)
    return value if fit is None else fit(value)


def _fit_one_of(value: Any, hints: tuple[Any, ...]) -> Any:
    # A float that is allowed as it is must not be turned into the integer that is allowed too.
    exact = [hint for hint in hints if type(value) is hint]
    for hint in (*exact, *hints):
        try:
            return _fit(value, hint)
        except TypeError:
            continue
    raise TypeError


def _require(holds: bool, value: Any) -> Any:
    if not holds:
        raise TypeError
    return value


def _fit_float(value: Any) -> float:
    return float(_require(isinstance(value, int | float) and not isinstance(value, bool), value))


def _fit_int(value: Any) -> int:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return int(_require(whole and not isinstance(value, bool), value))


_FITS: dict[Any, Callable[[Any], Any]] = {
    float: _fit_float,
    int: _fit_int,
    bool: lambda value: _require(isinstance(value, bool), value),
    str: lambda value: _require(isinstance(value, str), value),
    types.NoneType: lambda value: _require(value is None, value),
}
_WORDS = {
    float: "a number",
    int: "an integer",
    bool: "true or false",
    str: "a word",
    types.NoneType: "none",
}


def _described(hint: Any) -> str:
    if hint in _WORDS:
        return _WORDS[hint]
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(_described(item) for item in get_args(hint))
    if get_origin(hint) is Literal:
        return "one of " + ", ".join(map(str, get_args(hint)))
    if get_origin(hint) in (tuple, list, Sequence):
        return "several values separated by commas"
    return str(hint)
