"""Lists in sentences whose numbers stay cells."""

from collections.abc import Iterable, Sequence

from reports.table import Cell, Sentence


def listed(words: Iterable[str]) -> str:
    """Words in a list.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return "".join(map(str, joined([(word,) for word in words])))


def joined(parts: Sequence[Sentence], between: str = ", ", last: str = " and ") -> Sentence:
    """Parts of a sentence in a list."""
    found: list[str | Cell] = []
    for index, part in enumerate(parts):
        if index:
            found.append(last if index == len(parts) - 1 else between)
        found += part
    return tuple(found)
