"""Names written beside the lines and points they belong to, so that none covers another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.style import literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GAP = 1.5
"""Distance between labels in heights of a line."""


@dataclass(frozen=True)
class End:
    """The end of a line, in data coordinates, and its name."""

    x: float
    y: float
    text: str
    colour: str


def label_ends(canvas: "Figure", panels: Mapping["Axes", list[End]], *, size: float = 8.0) -> None:
    """Write each name right of its axes, at the height of its line's end where there is room.

    To be called when all else is drawn: the heights of the axes must be settled.
    """
    canvas.draw_without_rendering()
    for axes, ends in panels.items():
        _label_one(axes, ends, size)


def _label_one(axes: "Axes", ends: list[End], size: float) -> None:
    gap = _GAP * size * axes.figure.dpi / 72 / axes.get_window_extent().height
    ordered = sorted(ends, key=lambda end: end.y)
    heights = [_fraction(axes, end) for end in ordered]
    for end, place in zip(ordered, spread(heights, gap), strict=True):
        axes.annotate(
            literal(end.text),
            xy=(end.x, end.y),
            xytext=(1.04, place),
            textcoords="axes fraction",
            fontsize=size,
            color=end.colour,
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": end.colour,
                "lw": 0.6,
                "alpha": 0.7,
                "shrinkA": 1,
                "shrinkB": 1,
            },
        )


def name_points(canvas: "Figure", panels: Mapping["Axes", list[End]], *, size: float = 8.0) -> None:
    """Write the name of each point where it covers no other point or name, if it can.

    Points without a name are in the way only. To be called when all else is drawn.
    """
    canvas.draw_without_rendering()
    for axes, points in panels.items():
        _name_one(axes, points, size)


def _name_one(axes: "Axes", points: list[End], size: float) -> None:
    scale = axes.figure.dpi / 72
    marks = [tuple(map(float, axes.transData.transform((point.x, point.y)))) for point in points]
    taken = [(x - 4 * scale, y - 4 * scale, x + 4 * scale, y + 4 * scale) for x, y in marks]
    named = [(point, mark) for point, mark in zip(points, marks, strict=True) if point.text]
    for point, (x, y) in named:
        width, height = 0.6 * size * len(point.text) * scale, 1.3 * size * scale
        boxes = {offset: _box(x, y, width, height, *offset, scale) for offset in _OFFSETS}
        frame = axes.get_window_extent()
        offset = min(
            _OFFSETS, key=lambda one: _conflict(boxes[one], taken, frame.x0, frame.x1, frame.y0, frame.y1)
        )
        taken.append(boxes[offset])
        axes.annotate(
            literal(point.text),
            xy=(point.x, point.y),
            xytext=(offset[0], offset[1]),
            textcoords="offset points",
            fontsize=size,
            color=point.colour,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},  # A line may run behind it.
            ha="left" if offset[0] >= 0 else "right",
            va="center",
            arrowprops={
                "arrowstyle": "-",
                "color": point.colour,
                "lw": 0.5,
                "alpha": 0.6,
                "shrinkA": 0,
                "shrinkB": 3,
            },
        )


_OFFSETS = [
    (side * dx, up * dy)
    for dx, dy in ((7, 0), (6, 9), (6, 20), (8, 32), (8, 44), (8, 58))
    for up in (1, -1)
    for side in (1, -1)
]
"""Where a name may stand from its point, in points, the best first."""

_Box = tuple[float, float, float, float]


def _box(x: float, y: float, width: float, height: float, dx: float, dy: float, scale: float) -> _Box:
    left = x + dx * scale - (width if dx < 0 else 0)
    middle = y + dy * scale
    return left, middle - height / 2, left + width, middle + height / 2


def _conflict(box: _Box, taken: list[_Box], left: float, right: float, bottom: float, top: float) -> float:
    """The area that a box shares with others, plus what sticks out of the frame."""
    shared = sum(
        max(0.0, min(box[2], other[2]) - max(box[0], other[0]))
        * max(0.0, min(box[3], other[3]) - max(box[1], other[1]))
        for other in taken
    )
    outside = (
        max(0.0, left - box[0])
        + max(0.0, box[2] - right)
        + max(0.0, bottom - box[1])
        + max(0.0, box[3] - top)
    )
    return shared + 20 * outside


def spread(heights: list[float], gap: float) -> list[float]:
    """Ascending `heights` moved as little as possible (in squares) to stand at least `gap` apart.

    Pool adjacent violators: labels that would touch form a block around the mean of where they want to be.
    """
    blocks: list[list[float]] = []
    for height in heights:
        blocks.append([height])
        while len(blocks) > 1 and _top(blocks[-2], gap) + gap > _bottom(blocks[-1], gap):
            last = blocks.pop()
            blocks[-1] += last
    return [_bottom(block, gap) + gap * i for block in blocks for i in range(len(block))]


def _bottom(block: list[float], gap: float) -> float:
    return sum(block) / len(block) - gap * (len(block) - 1) / 2


def _top(block: list[float], gap: float) -> float:
    return _bottom(block, gap) + gap * (len(block) - 1)


def _fraction(axes: "Axes", end: End) -> float:
    """The height of a point as a share of the axes, kept within them."""
    inverse = axes.transAxes.inverted()
    share = float(inverse.transform(axes.transData.transform((end.x, end.y)))[1])
    return min(max(share, 0.0), 1.0)
