"""The figure of a judgement: how exact the gradient was found, and how small a fault would have been seen."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from gradmark.judging.presenting import words
from gradmark.judging.presenting.matrix import Matrix
from gradmark.judging.verdict import Status

_LEFT, _RIGHT, _TOP, _ROW = 280.0, 880.0, 34.0, 20.0
"""Pixels: where the axis begins and ends, and the height of what is above the rows and of a row."""
_MOST = 40
"""Rows beyond these would make the figure a table, which stands below it already."""
_TICKS = 8


@dataclass(frozen=True)
class Bar:
    """One check in one dtype: positions in pixels, None where a number is not known."""

    label: str
    y: float
    status: Status
    error: float | None
    detectable: float | None
    title: str


@dataclass(frozen=True)
class Figure:
    """Everything that is drawn, in pixels. `ticks` are positions with their power of ten."""

    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, int], ...]
    left: float
    right: float
    top: float
    bottom: float
    hidden: int


def figure(table: Matrix) -> Figure | None:
    """The figure of a table's rows; None where none of them has a number."""
    known = [row for row in table.rows if row.digits is not None or row.smallest_detectable is not None]
    exponents = [value for row in known for value in _exponents(row.digits, row.smallest_detectable)]
    if not exponents:
        return None
    low, high = math.floor(min(exponents)), max(math.ceil(max(exponents)), math.floor(min(exponents)) + 1)

    def x(exponent: float) -> float:
        return _LEFT + (exponent - low) / (high - low) * (_RIGHT - _LEFT)

    bars = tuple(
        Bar(
            label=f"{row.check} {row.dtype}".strip(),
            y=_TOP + _ROW * (index + 0.5),
            status=row.status,
            error=None if row.digits is None or not math.isfinite(row.digits) else x(-row.digits),
            detectable=_position(row.smallest_detectable, x),
            title=_title(row.digits, row.smallest_detectable),
        )
        for index, row in enumerate(known[:_MOST])
    )
    step = max(1, math.ceil((high - low) / _TICKS))
    ticks = tuple((x(exponent), exponent) for exponent in range(low, high + 1, step))
    bottom = _TOP + _ROW * len(bars)
    return Figure(bars, ticks, _LEFT, _RIGHT, _TOP, bottom, max(0, len(known) - _MOST))


def _exponents(digits: float | None, detectable: float | None) -> list[float]:
    found = [] if digits is None or not math.isfinite(digits) else [-digits]
    if detectable is not None and 0 < detectable < math.inf:
        found.append(math.log10(detectable))
    return found


def _position(detectable: float | None, x: Callable[[float], float]) -> float | None:
    return x(math.log10(detectable)) if detectable is not None and 0 < detectable < math.inf else None


def _title(digits: float | None, detectable: float | None) -> str:
    parts = [] if digits is None else [f"{words.digits(digits)} correct digits"]
    if detectable is not None:
        parts.append(f"smallest detectable fault {words.small(detectable)}")
    return ", ".join(parts)
