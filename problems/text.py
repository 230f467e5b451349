"""Text made by a grammar: sums in nested brackets with their last digits, for models of characters.

    text       = sentence text
    sentence   = operand sign operand "=" digit ";"
    operand    = digit | "(" operand sign operand ")"      brackets at most three deep
    sign       = "+" | "-" | "*"

The digit after "=" is the value modulo ten. So there is something to learn at every distance: which character
may follow, which bracket is open, and what the brackets are worth.
"""

from collections.abc import Callable
from operator import add, mul, sub
from typing import Any

import numpy as np

from gradmark.random import generator

ALPHABET = "0123456789+-*()=;"
ROWS = 512
"""So many rows there are where no more are drawn."""
_LONGEST = 2**17
"""Characters that are written at most, unless one row takes more: then rows overlap."""
_DEEPEST = 3
_MOST_CHOICES = 4 * 2 ** (_DEEPEST + 1)
"""A sentence has at most 2^(depth + 1) digits, and fewer signs and pairs of brackets."""
_SIGNS: dict[str, Callable[[int, int], int]] = {"+": add, "-": sub, "*": mul}


def text(characters: int, seed: int) -> str:
    """The first `characters` of a text of its own for each `seed`.

    >>> text(41, seed=0)
    '(6+((1-4)+8))-0=1;(7+7)*(9-(9*5))=6;8+((4'
    """
    random, sentences, length = generator(seed, "data"), list[str](), 0
    while length < characters:
        sentences.append(_sentence(iter(random.random(_MOST_CHOICES).tolist()).__next__))
        length += len(sentences[-1])
    return "".join(sentences)[:characters]


def windows(rows: int, positions: int, seed: int) -> dict[str, Any]:
    """``inputs`` (rows, positions), and as ``targets`` (rows, positions, characters) the next ones, one-hot.

    Rows begin at equal distances of the text and do not overlap as long as they fit into it.
    """
    characters = max(positions + 1, min(rows * positions + 1, _LONGEST))
    codes = np.array([ALPHABET.index(each) for each in text(characters, seed)])
    starts = np.arange(rows) * (characters - 1 - positions) // max(rows - 1, 1)
    places = starts[:, None] + np.arange(positions)
    return {"inputs": codes[places], "targets": np.eye(len(ALPHABET))[codes[places + 1]]}


def _sentence(choose: Callable[[], float]) -> str:
    written, value = _sum(choose, 0)
    return f"{written}={value % 10};"


def _sum(choose: Callable[[], float], depth: int) -> tuple[str, int]:
    left, first = _operand(choose, depth)
    sign = "+-*"[int(3 * choose())]
    right, second = _operand(choose, depth)
    return f"{left}{sign}{right}", _SIGNS[sign](first, second)


def _operand(choose: Callable[[], float], depth: int) -> tuple[str, int]:
    """Brackets in a third of all cases: fewer than half, or sentences would be as deep as they may."""
    if depth < _DEEPEST and choose() < 1 / 3:
        written, value = _sum(choose, depth + 1)
        return f"({written})", value
    digit = int(10 * choose())
    return str(digit), digit
