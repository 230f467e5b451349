"""How figures look: one colour for each family in all of them, one marker and shade for each method."""

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.ticker import Formatter

FAMILIES = {
    "reverse": "#0072B2",
    "forward": "#009E73",
    "finite-difference": "#D55E00",
    "evolution": "#AA4499",
}
"""Colours that people with any common colour vision tell apart (Okabe and Ito 2008; purple from Tol 2021)."""

OTHER = "#555555"
INK = "#222222"
_MARKERS = "osD^vPX*<>"

_SETTINGS: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.edgecolor": "#999999",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "lines.linewidth": 1.5,
    "lines.markersize": 4.5,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "gradmark",
    "mathtext.fontset": "dejavusans",
}


@dataclass(frozen=True)
class Look:
    """The colour and marker of a method."""

    colour: str
    marker: str


@contextmanager
def house_style() -> Iterator[None]:
    """Matplotlib with the settings of this report and no others, drawing into memory."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)  # type: ignore[arg-type]  # a literal type for each of 300 keys
        yield


def looks(cases: pd.DataFrame) -> dict[str, Look]:
    """A look for each ``variant``: the family's colour in shades, and a marker of its own as far as they go.

    Given all the cases of a run, whatever a figure shows of them, so that looks agree between figures.
    """
    ordered = cases[["family", "variant", "main"]].drop_duplicates("variant")
    ordered = ordered.assign(place=ordered["family"].map(family_order), swept=~ordered["main"].astype(bool))
    ordered = ordered.sort_values(["swept", "place", "variant"])
    rank = ordered.groupby(["family", "swept"], dropna=False).cumcount()
    size = ordered.groupby(["family", "swept"], dropna=False)["variant"].transform("size")
    return {
        name: Look(_shade(FAMILIES.get(str(family), OTHER), position / of), _MARKERS[index % len(_MARKERS)])
        for index, (name, family, position, of) in enumerate(
            zip(ordered["variant"], ordered["family"], rank, size, strict=True)
        )
    }


def settle(canvas: "Figure") -> None:
    """Lay the figure out once and for all, instead of anew for each file it is saved to."""
    canvas.draw_without_rendering()
    canvas.set_layout_engine("none")


def log_log(axes: "Axes") -> None:
    """Logarithmic axes; where they span less than two powers of ten, 2 and 5 are labelled as well."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_formatter(_between_powers())


def _between_powers() -> "Formatter":
    from matplotlib.ticker import Formatter

    class BetweenPowers(Formatter):
        """Labels for 2 and 5 times a power of ten, where powers alone would not show a scale."""

        def __call__(self, x: float, pos: int | None = None) -> str:
            assert self.axis is not None
            low, high = sorted(self.axis.get_view_interval())
            if math.floor(math.log10(high)) > math.ceil(math.log10(low)):
                return ""
            exponent = math.floor(math.log10(x) + 1e-9)  # 2e-4 / 1e-4 is 1.9999999999999998
            mantissa = round(x / 10.0**exponent, 6)
            return rf"${mantissa:g}\times10^{{{exponent}}}$" if mantissa in (2, 5) else ""

    return BetweenPowers()


def literal(text: str) -> str:
    """Text for a figure in which a dollar sign is one, and no mathematics."""
    return text.replace("$", r"\$")


def family_order(family: Any) -> int:
    """The place of a family in lists: as in `FAMILIES`, others last."""
    return list(FAMILIES).index(family) if family in FAMILIES else len(FAMILIES)


def grid(
    panels: int, *, columns: int = 2, height: float = 3.4, share: bool = True
) -> "tuple[Figure, list[Axes]]":
    """A figure of `panels` axes, at most `columns` in a row, `height` inches each; `share`: equal y axes."""
    from matplotlib.figure import Figure as Canvas

    columns = min(panels, columns)
    rows = -(-panels // columns)
    canvas = Canvas(figsize=(9.6 if columns > 1 else 7.2, height * rows + 0.3), layout="constrained")
    axes = canvas.subplots(rows, columns, squeeze=False, sharey=share).ravel().tolist()
    for panel in axes:
        panel.tick_params(labelleft=True)
    for surplus in axes[panels:]:
        surplus.set_axis_off()
    return canvas, axes[:panels]


def key(
    canvas: "Figure",
    families: Iterable[Any] = (),
    *,
    methods: Mapping[str, Look] | None = None,
    lines: Mapping[str, str] | None = None,
) -> None:
    """The legend, in a free panel or below: colours of families, or looks of `methods`, and line styles."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    present = sorted(set(map(str, families)), key=family_order)
    entries: list[Any] = [Patch(color=FAMILIES.get(name, OTHER), label=literal(name)) for name in present]
    for name, look in (methods or {}).items():
        entries.append(Line2D([], [], color=look.colour, marker=look.marker, label=literal(name)))
    for text, style in (lines or {}).items():
        entries.append(Line2D([], [], color=INK, ls=style, linewidth=1, label=text))
    free = [axes for axes in canvas.axes if not axes.axison]
    if free:
        free[0].legend(handles=entries, loc="center left", fontsize=9, labelspacing=0.8)
    else:
        canvas.legend(handles=entries, loc="outside lower center", ncols=min(len(entries), 5))


def _shade(colour: str, share: float) -> str:
    """The colour mixed with white by up to 45 %: siblings of one family stay recognisable."""
    mixed = [round(int(colour[i : i + 2], 16) * (1 - 0.45 * share) + 255 * 0.45 * share) for i in (1, 3, 5)]
    return "#" + "".join(f"{channel:02x}" for channel in mixed)
