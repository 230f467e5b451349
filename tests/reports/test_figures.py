"""Figures show the numbers of the records, with theory beside them and units on their axes."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

from reports.figure import Figure
from reports.figures import cost, depth, frontier, functions, samples, steps, time
from reports.page import Page
from reports.run import Run, read
from tests.reports.synthetic import EPSILON, SyntheticRun

NAMES = ("cost", "frontier", "time", "steps", "samples", "depth", "functions")
UNITS = ("(s)", "(B)", "(forward passes)", "number of", "|ĝ - g| / |g|", "cosine", "step h")
"""What an axis label must contain: a unit, a count, or a ratio that has none."""


@pytest.fixture
def figures(full_page: Page) -> dict[str, Figure]:
    return {figure.name: figure for figure in full_page.figures}


def lines(figure: Figure, title: str) -> list[tuple[list[float], list[float]]]:
    """The points of every line in the panel called `title`."""
    panel = next(axes for axes in figure.canvas.axes if axes.get_title(loc="left") == title)
    return [(list(map(float, line.get_xdata())), list(map(float, line.get_ydata()))) for line in panel.lines]


def test_a_full_run_has_all_the_figures(figures: dict[str, Figure]) -> None:
    assert tuple(figures) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_axis_has_its_unit(figures: dict[str, Figure], name: str) -> None:
    for axes in figures[name].canvas.axes:
        if axes.axison:
            for label in (axes.get_xlabel(), axes.get_ylabel()):
                assert any(unit in label for unit in UNITS), label


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_of_a_figure_are_those_of_its_cases(
    full: Run, figures: dict[str, Figure], name: str
) -> None:
    data, cases = figures[name].data.set_index("case"), full.cases.set_index("case")
    assert len(data) > 0
    for quantity in {"ratio", "time", "error", "cosine", "peak_bytes", "P", "depth"} & set(data.columns):
        expected = cases.loc[data.index, quantity]
        assert ((data[quantity] == expected) | (data[quantity].isna() & expected.isna())).all()


@pytest.mark.parametrize(("name", "quantity"), [("cost", "ratio"), ("time", "time")])
@pytest.mark.parametrize("place", ["numpy", "torch", "jax"])
def test_each_method_is_a_line_through_its_cases(
    full: Run, figures: dict[str, Figure], name: str, quantity: str, place: str
) -> None:
    drawn = lines(figures[name], f"{place}, float64")
    here = full.main.query("place == @place and dtype == 'float64' and depth == 2").dropna(subset=[quantity])
    groups = [group.sort_values("P") for _, group in here.groupby("variant")]
    assert len(groups) >= 6
    for group in groups:
        assert (group["P"].tolist(), group[quantity].tolist()) in drawn


def test_the_dashed_lines_of_the_cost_have_the_slopes_of_theory(figures: dict[str, Figure]) -> None:
    slopes = []
    for x, y in lines(figures["cost"], "numpy, float64"):
        if len(x) == 2 and x[1] > 1e6:
            slopes.append(np.log(y[1] / y[0]) / np.log(x[1] / x[0]))
    # Four methods need passes in proportion to P, three a fixed number.
    assert sorted(np.round(slopes, 12)) == [0.0] * 3 + [1.0] * 4


def test_the_optimum_of_the_v_curve_is_where_the_laws_of_the_run_put_it(figures: dict[str, Figure]) -> None:
    for dtype, title in (("float64", "float64 *"), ("float32", "float32")):
        rounding = 4 * (1060 / 1e3) ** 0.5 * EPSILON[dtype]
        best = {rounding**0.5 / 0.3**0.5, (rounding / (2 * 0.3)) ** (1 / 3)}
        rings = {x[0] for x, _ in lines(figures["steps"], title) if len(x) == 1}
        # The fit is exact but for rounding; float32's curve is predicted from the fit to float64.
        assert sorted(rings) == pytest.approx(sorted(best), rel=1e-9)


def test_the_vertical_lines_are_the_roots_of_the_unit(figures: dict[str, Figure]) -> None:
    vertical = {x[0] for x, _ in lines(figures["steps"], "float32") if len(x) == 2 and x[0] == x[1]}
    assert sorted(vertical) == pytest.approx([2.0 ** (-23 / 2), 2.0 ** (-23 / 3)], rel=1e-12)


def test_the_lines_of_the_samples_are_the_cosine_law(figures: dict[str, Figure]) -> None:
    curves = [line for line in figures["samples"].canvas.axes[0].lines if len(line.get_xdata()) == 100]
    assert len(curves) == 4  # two methods at two sizes
    for curve in curves[::2]:  # of each method the smaller problem
        samples = np.asarray(curve.get_xdata(), float)
        # The claimed cosine is inverted and applied again: a few roundings.
        assert curve.get_ydata() == pytest.approx(np.sqrt(samples / (samples + 1061)), rel=1e-9)


def test_the_frontier_is_marked_where_no_method_is_better_in_both(figures: dict[str, Figure]) -> None:
    data = figures["frontier"].data
    for _, here in data[data["scene"].str.startswith("mlp")].groupby("dtype"):
        front = here[here["frontier"]]
        assert front["variant"].isin(["backprop", "jax_grad"]).all()
        assert front["time"].min() == here["time"].min()


def test_every_method_keeps_its_look_in_all_figures(figures: dict[str, Figure]) -> None:
    colours: dict[tuple[float, ...], set[str]] = {}
    for name in ("cost", "time"):
        for axes in figures[name].canvas.axes:
            for text in axes.texts:
                method = text.get_text().split()[0]
                colours.setdefault(method, set()).add(str(text.get_color()))
    assert len(colours) == 10
    assert all(len(found) == 1 for found in colours.values())


def test_names_do_not_cover_each_other(figures: dict[str, Figure]) -> None:
    for name in ("cost", "time", "depth"):
        canvas = figures[name].canvas
        for axes in canvas.axes:
            # An annotation's own extent holds its leading line as well.
            boxes = sorted((Text.get_window_extent(text) for text in axes.texts), key=lambda box: box.y0)
            for lower, upper in pairwise(boxes):
                assert upper.y0 >= lower.y1 - 1  # one pixel of leading


def test_memory_below_the_resolution_is_drawn_hollow_at_the_resolution(
    tmp_path: Path, synthetic_run: SyntheticRun
) -> None:
    for number in (2, 3, 4):
        key = synthetic_run.key("mlp", {"widths": [8] * number + [2]}, "backprop")
        synthetic_run.case(key, "depth", 100 * number, number)
        synthetic_run.add(key, "peak_bytes", 10.0 ** (2 * number), "depth", detail={"resolution": 5e4})
    figure = depth.draw(read(synthetic_run.write(tmp_path / "run")))
    assert figure is not None
    hollow = [line for line in figure.canvas.axes[0].lines if line.get_markerfacecolor() == "white"]
    assert [list(line.get_ydata()) for line in hollow] == [[5e4]]


@pytest.mark.parametrize("module", [cost, depth, frontier, functions, samples, steps, time])
def test_a_figure_without_numbers_is_left_out(
    tmp_path: Path, synthetic_run: SyntheticRun, module: object
) -> None:
    key = synthetic_run.key("quadratic", {"size": 100}, "backprop")
    synthetic_run.case(key, "", 100, None, status="skipped", reason="no layers")
    run = read(synthetic_run.write(tmp_path / "run"))
    assert module.draw(run) is None  # type: ignore[attr-defined]
