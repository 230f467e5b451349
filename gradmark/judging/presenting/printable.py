"""Foreign text made fit to be shown: what a plug-in says may hold anything."""

import unicodedata

_SPACES = {"\n", "\t"}
_UNSHOWN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode's categories of control and format characters (which turn the direction of text), lone surrogates
(which no file can hold), characters that nobody has defined, and separators of lines and paragraphs."""


def printable(value: object) -> str:
    r"""`value` as text, without what would command a terminal, break XML or turn the direction of writing.

    Such characters become ``\x1b``, as Python writes them; line ends and tabs stay.

    >>> print(printable("red \x1b[31m"))
    red \x1b[31m
    """
    return "".join(map(_shown, str(value)))


def one_line(value: object) -> str:
    """The same in one line.

    >>> one_line("two\\n  lines")
    'two lines'
    """
    return " ".join(printable(value).split())


def _shown(character: str) -> str:
    if character.isascii() and (character.isprintable() or character in _SPACES):
        return character
    if unicodedata.category(character) not in _UNSHOWN:
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
