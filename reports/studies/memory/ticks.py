"""Axes of bytes, and of ratios that span less than two powers of ten."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def in_bytes(axes: "Axes") -> None:
    """The y axis in bytes, with labels at 1, 2 and 5 times each power of ten."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(EngFormatter(unit="B"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def at(axes: "Axes", values: list[float]) -> None:
    """A logarithmic x axis with a label at each of the `values`, and none between them."""
    from matplotlib.ticker import NullLocator

    axes.set_xscale("log")
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.xaxis.set_minor_locator(NullLocator())
