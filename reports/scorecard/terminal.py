"""A table of the page on a terminal."""

from rich.table import Table as Grid
from rich.text import Text

from gradmark.cli.console import console
from reports.table import Cell, Table

_STYLES = {"good": "green", "bad": "red", "unsure": "yellow", "muted": "dim"}


def show(table: Table) -> None:
    """Print the table; a column's group stands before its name."""
    grid = Grid(title=table.title, title_justify="left", header_style="bold", box=None)
    for number, column in enumerate(table.columns):
        right = bool(table.rows) and table.rows[0][number].kind.startswith("number")
        group, _, name = column.rpartition("|")
        grid.add_column(
            Text(f"{group.partition(' ')[0]}\n{name}".strip()), justify="right" if right else "left"
        )
    for row in table.rows:
        grid.add_row(*(_text(cell) for cell in row))
    console().print(grid)


def _text(cell: Cell) -> Text:
    style = next((_STYLES[word] for word in cell.kind.split() if word in _STYLES), "")
    return Text(f"{cell.text} {cell.sub}".strip(), style=style)
