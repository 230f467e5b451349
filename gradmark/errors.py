"""What a person did that gradmark cannot act on, said in one sentence."""

from collections.abc import Iterable
from difflib import get_close_matches


class UsageError(ValueError):
    """Bad input: the message says what was wrong, what is allowed and what to do.

    The command line prints the message and exits with code 2; no traceback is shown.
    """


def unknown_name(kind: str, name: object, allowed: Iterable[str]) -> UsageError:
    """The error for a name that is not in a table, with the closest allowed name first.

    >>> print(unknown_name("method", "bakprop", ["backprop", "jvp"]))
    unknown method `bakprop`: did you mean `backprop`? Known methods: backprop, jvp.
    >>> print(unknown_name("loss", None, ["mse"]))
    unknown loss `None`: Known losses: mse.
    """
    names = sorted(allowed)
    close = get_close_matches(str(name), names, n=1)
    hint = f"did you mean `{close[0]}`? " if close else ""
    return UsageError(f"unknown {kind} `{name}`: {hint}Known {_plural(kind)}: {', '.join(names) or 'none'}.")


def _plural(noun: str) -> str:
    if noun.endswith("y"):
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith("s") else "s")
