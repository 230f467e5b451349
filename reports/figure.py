"""What a figure module hands over."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas


@dataclass(frozen=True)
class Figure:
    """A drawn figure: `name` (of its files), `title`, `caption`, and the numbers in it with their cases."""

    name: str
    title: str
    caption: str
    canvas: "Canvas"
    data: pd.DataFrame

    @property
    def narrow(self) -> bool:
        """Whether it has a single panel, which looks lost at full width."""
        return len(self.canvas.axes) == 1
