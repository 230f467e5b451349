"""Methods and problems as one writes them on a command line: ``name:key=value,key=value``."""

import ast
import re
from typing import Any

from gradmark.errors import UsageError

_ARGUMENT = re.compile(r"\w+:\w+=")
_WORDS = {"true": True, "false": False, "none": None}


def parsed(kind: str, text: str) -> tuple[str, dict[str, Any]]:
    """Name and arguments of a method or problem.

    A value may be a number, true, false, none, a word, or several of them: what has no ``=`` continues the
    value before it. Raises `UsageError` for anything else.

    >>> parsed("problem", "mlp:widths=64,32,10,batch=16")
    ('mlp', {'widths': (64, 32, 10), 'batch': 16})
    >>> parsed("method", "here/mine.py:mine:step=1e-5")
    ('here/mine.py:mine', {'step': 1e-05})
    >>> parsed("method", "clipped_by_norm:method=here/mine.py:mine")
    ('clipped_by_norm', {'method': 'here/mine.py:mine'})
    """
    name, rest = _split_name(text)
    if not name:
        raise UsageError(f"{kind} `{text}` has no name: write name or name:key=value.")
    values: dict[str, list[Any]] = {}
    for part in rest.split(",") if rest is not None else []:
        key, equals, value = part.partition("=")
        if equals:
            if not key.isidentifier() or key in values or not value:
                raise UsageError(_malformed(kind, text, part))
            values[key] = [_value(value)]
        elif values and part:
            values[next(reversed(values))].append(_value(part))
        else:
            raise UsageError(_malformed(kind, text, part))
    return name, {key: items[0] if len(items) == 1 else tuple(items) for key, items in values.items()}


def _split_name(text: str) -> tuple[str, str | None]:
    """The name, which for a file includes the path before it, and what comes after it."""
    path, separator, _ = text.partition(".py:")
    of_an_argument = _ARGUMENT.match(path) is not None  # as in clipped_by_norm:method=mine.py:mine
    start = len(path) + len(separator) if separator and not of_an_argument else 0
    end = text.find(":", start)
    return (text, None) if end < 0 else (text[:end], text[end + 1 :])


def _value(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, int | float) else text


def _malformed(kind: str, text: str, part: str) -> str:
    return f"{kind} `{text}`: `{part}` is not key=value: write it like name:key=value,key=value."
