"""What a person holds their parameters in: one array, or dicts, lists and tuples of arrays."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradmark.errors import UsageError, shown

SINGLE = "x"
"""The name of an array that stands alone."""


def leaves(at: Any) -> dict[str, Any]:
    """The arrays of `at` by name: the keys on the way to each, joined by dots; "x" where `at` is one array.

    A list or tuple of plain numbers is one array, as it is to NumPy. Raises `UsageError` for two arrays of
    one name.

    >>> list(leaves({"w": [np.ones(2), np.ones(1)], "b": [1.0, 2.0]}))
    ['w.0', 'w.1', 'b']
    """
    found: dict[str, Any] = {}
    for path, leaf in _walk(at, ()):
        name = ".".join(path) or SINGLE
        if name in found:
            raise UsageError(f"`at` holds two arrays that are both called {name}: rename one of them.")
        found[name] = leaf
    return found


def rebuilt(at: Any, named: Mapping[str, Any]) -> Any:
    """A structure like `at` with the arrays of `named`, which has the names that `leaves` gives.

    >>> rebuilt([np.ones(1), np.ones(1)], {"0": 3, "1": 4})
    [3, 4]
    """
    if hasattr(at, "dtype"):  # a single array, asked for at every evaluation
        return named[SINGLE]
    return mapped(at, lambda name, leaf: named[name])


def mapped(at: Any, change: Callable[[str, Any], Any], path: tuple[str, ...] = ()) -> Any:
    """A structure like `at` with ``change(name, array)`` in the place of each array."""
    if isinstance(at, Mapping):
        return {key: mapped(value, change, (*path, str(key))) for key, value in at.items()}
    if not _holds_arrays(at):
        return change(".".join(path) or SINGLE, at)
    parts = [mapped(value, change, (*path, str(index))) for index, value in enumerate(at)]
    if isinstance(at, list):
        return parts
    return type(at)(*parts) if hasattr(at, "_fields") else tuple(parts)


def leaves_like(at: Any, result: Any) -> dict[str, Any]:
    """The arrays of `result`, which should be built like `at`, under the names of those of `at`.

    A list may stand for a tuple. Raises ValueError with the end of a sentence ("returned ...") where it is
    built otherwise.
    """
    return dict(_walk_together(at, result, ()))


def _walk(at: Any, path: tuple[str, ...]) -> Any:
    if isinstance(at, Mapping):
        for key, value in at.items():
            yield from _walk(value, (*path, str(key)))
    elif _holds_arrays(at):
        for index, value in enumerate(at):
            yield from _walk(value, (*path, str(index)))
    else:
        yield path, at


def _walk_together(at: Any, result: Any, path: tuple[str, ...]) -> Any:
    here = f" for {'.'.join(path)}" if path else ""
    if isinstance(at, Mapping):
        if not isinstance(result, Mapping):
            raise ValueError(f"returned {_kind(result)}{here} where a dict is wanted")
        if set(at) != set(result):
            wanted = ", ".join(sorted(map(str, at)))
            raise ValueError(
                f"returned a dict of {', '.join(sorted(map(str, result))) or 'nothing'}{here} "
                f"where one of {wanted} is wanted"
            )
        for key in at:
            yield from _walk_together(at[key], result[key], (*path, str(key)))
    elif _holds_arrays(at):
        if not isinstance(result, list | tuple):
            raise ValueError(f"returned {_kind(result)}{here} where a list or tuple is wanted")
        if len(result) != len(at):
            raise ValueError(f"returned {len(result)} arrays{here} where {len(at)} are wanted")
        for index, value in enumerate(at):
            yield from _walk_together(value, result[index], (*path, str(index)))
    elif isinstance(result, Mapping) or _holds_arrays(result) or result is None:
        raise ValueError(f"returned {_kind(result)}{here} where an array is wanted")
    else:
        yield ".".join(path) or SINGLE, result


def _holds_arrays(value: Any) -> bool:
    """Whether a list or tuple is a structure of arrays, and not one array written as numbers."""
    if not isinstance(value, list | tuple):
        return False
    return any(isinstance(v, Mapping) or _is_array(v) or _holds_arrays(v) for v in value)


def _is_array(value: Any) -> bool:
    return hasattr(value, "dtype") and hasattr(value, "shape") and not isinstance(value, np.generic)


def _kind(value: Any) -> str:
    return "None" if value is None else f"{type(value).__name__} {shown(value)}"
