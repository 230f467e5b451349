"""The cost of a gradient in forward passes over P, beside the slope that theory gives."""

from reports.figure import Figure
from reports.figures.growth import draw_series, draw_slope, over_parameters
from reports.labels import label_ends
from reports.laws import claimed
from reports.run import Run
from reports.series import growing, lines, panels
from reports.style import grid, key, literal, looks

_CAPTION = (
    "Time of one gradient divided by the time of the fastest plain forward pass of the same backend, "
    "measured in one interleaved comparison; bars are 95 % bootstrap intervals. Dashed: the slope that each "
    "method claims (0 where the number of passes does not depend on P, 1 where it grows with P), drawn "
    "through its points; beyond the last point it is an extrapolation. Methods measured at one size alone "
    "stand in the summary."
)
_COLUMNS = ["case", "scene", "place", "dtype", "variant", "family", "P", "ratio", "ratio_low", "ratio_high"]


def draw(run: Run) -> Figure | None:
    """The figure for the scene with most cases that has several sizes."""
    chosen = growing(run.main, "ratio")[:1]
    cases = run.main[run.main["scene"].isin(chosen) & run.main["ratio"].notna()]
    if cases.empty:
        return None
    look, pairs, right = looks(run.cases), panels(cases, "ratio"), cases["P"].max()
    canvas, axes = grid(len(pairs), height=3.6)
    ends = {}
    for panel, pair in zip(axes, pairs, strict=True):
        drawn = lines(cases, "ratio", pair)
        over_parameters(panel, "cost of a gradient (forward passes)")
        panel.set_title(literal(", ".join(pair)))
        for one in drawn:
            draw_series(panel, one, "ratio", look[one.variant])
        slopes = [claimed(one.last, "passes") for one in drawn]
        ends[panel] = [
            draw_slope(panel, one, "ratio", slope, right, look[one.variant])
            for one, slope in zip(drawn, slopes, strict=True)
        ]
    key(canvas, cases["family"], lines={"claimed slope": "--"})
    label_ends(canvas, ends)
    return Figure("cost", f"Cost against size: {chosen[0]}", _CAPTION, canvas, cases[_COLUMNS])
