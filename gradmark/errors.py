"""What a person did that gradmark cannot act on, said in one sentence."""

from collections.abc import Iterable
from difflib import get_close_matches

TRACEBACK = "GRADMARK_TRACEBACK"
"""The environment variable that asks for tracebacks where a sentence would be shown."""
_LONGEST = 80
"""Characters of a value that a message repeats."""


class UsageError(ValueError):
    """Bad input: the message says what was wrong, what is allowed and what to do.

    The command line prints the message and exits with code 2; no traceback is shown.
    """


class WrongResult(UsageError):
    """What somebody's function returned is not what it has to return."""


def shown(value: object) -> str:
    """A value as it is repeated in a message: on one line, and short.

    >>> print(shown("tanh"), shown(["a"]), shown(10**5000))
    tanh ['a'] a very large int
    """
    if isinstance(value, str) and value.isprintable():
        text = value
    else:
        try:
            text = repr(value)
        except ValueError:  # Python does not print integers of more than 4300 digits
            return f"a very large {type(value).__name__}"
    text = text.replace("\n", " ")
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def in_one_line(error: BaseException) -> str:
    """An exception as it is named in a sentence: its type and its message, without line breaks.

    >>> in_one_line(ValueError("no\\n  such file"))
    'ValueError: no such file'
    """
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def unknown_name(kind: str, name: object, allowed: Iterable[str]) -> UsageError:
    """The error for a name that is not in a table, with the closest allowed name first.

    >>> print(unknown_name("method", "bakprop", ["backprop", "jvp"]))
    unknown method `bakprop`: did you mean `backprop`? Known methods: backprop, jvp.
    >>> print(unknown_name("loss", None, ["mse"]))
    unknown loss `None`: known losses: mse.
    """
    names = sorted(allowed)
    close = get_close_matches(shown(name), names, n=1)
    hint = f"did you mean `{close[0]}`? Known" if close else "known"
    return UsageError(
        f"unknown {kind} `{shown(name)}`: {hint} {_plural(kind)}: {', '.join(names) or 'none'}."
    )


def _plural(noun: str) -> str:
    if noun.endswith("y"):
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith("s") else "s")
