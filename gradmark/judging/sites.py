"""Where a gradient is examined: several points of one problem, each with a draw of its own."""

from dataclasses import dataclass

from gradmark.draw import Draw
from gradmark.parameters import Parameters


@dataclass(frozen=True)
class Site:
    """A point and a draw, with a `name` such as "as built", "after descent" or "near a kink"."""

    name: str
    parameters: Parameters
    draw: Draw
