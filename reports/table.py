"""What a table module hands over: cells that know their case, and the raw numbers for a CSV file."""

from dataclasses import dataclass, field
from itertools import groupby

import pandas as pd


@dataclass(frozen=True)
class Cell:
    """A printed value: `text`, smaller `sub` text, the `case` it comes from, a `note` shown on hovering."""

    text: str
    sub: str = ""
    case: str = ""
    note: str = ""
    kind: str = ""
    """Classes for the style sheet: ``number``, ``good``, ``bad``, ``muted`` or a family."""

    def __str__(self) -> str:
        return f"{self.text} {self.sub}".rstrip()


Sentence = tuple[str | Cell, ...]
"""A sentence in which numbers are cells, so that they can be traced."""


@dataclass(frozen=True)
class Table:
    """A table for the page (`columns`, `rows` of cells) and the same numbers raw for a CSV file (`data`).

    A column "group|name" stands under a heading `group` that it shares with its neighbours of the same group.
    """

    name: str
    title: str
    caption: str
    columns: list[str]
    rows: list[list[Cell]]
    data: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def groups(self) -> list[tuple[str, int]]:
        """The upper headings with the number of columns they span; none, where no column has one."""
        names = [column.rpartition("|")[0] for column in self.columns]
        return [(name, len(list(run))) for name, run in groupby(names)] if any(names) else []

    @property
    def names(self) -> list[str]:
        """The headings of the columns without their groups."""
        return [column.rpartition("|")[2] for column in self.columns]

    @property
    def cited(self) -> set[str]:
        """The cases whose numbers the table prints."""
        return {cell.case for row in self.rows for cell in row if cell.case}
