"""The pages on differences, structure, Jacobians and variance print records beside what is predicted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradmark.registry import get_method, get_problem
from methods.finite_difference.stencils.weights import central, one_sided
from reports import cells
from reports.page import Page
from reports.run import read
from reports.studies.differences.prediction import Curve, Prediction
from reports.studies.jacobians.ratios import zero
from reports.studies.pages import of_run
from tests.reports.synthetic import SyntheticRun

SMALL = {"widths": [3, 4, 2], "activation": "tanh", "data": "synthetic", "batch": 4}
STEPS = [10.0**power for power in range(-8, 0)]


def add(
    records: SyntheticRun, study: str, key: dict[str, Any], P: int, detail: dict[str, Any], **values: Any
) -> None:
    records.case(key, study, P, None)
    records.records[-1]["detail"] |= detail
    for quantity, (value, more) in values.items():
        records.add(key, quantity, value, study, **more)


def filled(records: SyntheticRun) -> SyntheticRun:
    """A best step of 1e-5, savings of sqrt(P), Jacobians that cross at 1, variances of formulas."""
    for step in STEPS:
        error = 0.1 * step**2 + 2e-16 / step
        key = records.key("mlp", SMALL, "central_difference", hyper={"step": step})
        add(records, "differences", key, 26, {}, error=(error, {}))
    for P in (100, 1_000, 10_000, 100_000):
        key = records.key("mlp", {"widths": [P]}, "central_difference", hyper={"step": None})
        add(records, "differences", key, P, {}, error=(1e-10 * P**0.5, {}))
        for method, power, growth in (("central_difference", 1.0, 1.0), ("node_difference", 0.5, 0.5)):
            time, passes = 1e-9 * P * P**power, 2 * P**power
            detail = {"growth": {"passes": growth}, "family": "finite-difference"}
            key = records.key("mlp", {"widths": [P]}, method)
            timed = (time, {"low": 0.9 * time, "high": 1.1 * time})
            add(
                records,
                "structure",
                key,
                P,
                detail,
                time=timed,
                passes=(passes, {"detail": {"forward": passes}}),
            )
    for inputs in (2, 4, 8, 16, 32):
        for method, family, passes in (("tangent", "forward", inputs), ("backprop", "reverse", 64 / inputs)):
            sizes = {"inputs": inputs, "outputs": 64 // inputs, "width": 8}
            key = records.key("vector_map", sizes, method, want="jacobian")
            timed = (passes, {"low": 0.9 * passes, "high": 1.1 * passes})
            add(records, "jacobians", key, inputs, {"family": family}, time=timed)
    for method, factor in (("forward_gradient", 26.0), ("activity_perturbation", 2.0)):
        for count in (2, 8):
            key = records.key("mlp", SMALL, method, hyper={"directions": count, "law": "gaussian"})
            told = {"predicted_error": (factor / count) ** 0.5, "repetitions": 50}
            error = told["predicted_error"]
            more = {"low": 0.95 * error, "high": error / 0.95, "detail": told}
            add(records, "variance", key, 26, {"family": "forward"}, error=(error, more))
    return records


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    return of_run(read(filled(SyntheticRun()).write(tmp_path_factory.mktemp("forward") / "run")))


def _flat(gradient: Any) -> Any:
    return np.concatenate([np.ravel(array) for array in gradient.values()]).astype(np.longdouble)


def said(page: Page) -> str:
    return " ".join("".join(map(str, sentence)) for _, sentence in page.lead)


def table(page: Page, name: str) -> list[list[str]]:
    return [[str(cell) for cell in row] for each in page.summary if each.name == name for row in each.rows]


def test_derivatives_along_coordinates_are_those_of_closed_form() -> None:
    problem = get_problem("log_sum_exp", size=4, dtype="float64")
    found, h, x = Prediction(problem).derivatives, 1e-3, problem.parameters
    name, point = next(iter(x.items()))
    for index in range(4):
        line = []
        for k in (-2, -1, 0, 1, 2):
            moved = point.astype(np.longdouble).copy()
            moved[index] += k * h
            line.append(problem.to(dtype="longdouble").loss({name: moved}))
        third = (line[4] - 2 * line[3] + 2 * line[1] - line[0]) / (2 * h**3)
        # The stencil errs by h^2 / 4 times the fifth derivative, which is below ten here.
        assert found[3][index] == pytest.approx(float(third), abs=2.5 * h**2 + 1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_predicted_errors_are_measured_without_a_fit(dtype: str) -> None:
    problem = get_problem("mlp", **{**SMALL, "widths": (8, 12, 4)}, dtype=dtype)
    known = Prediction(problem)
    wide = problem.to(dtype="longdouble")
    exact = _flat(get_method("backprop").prepare(wide)(wide.parameters).gradient)
    for stencil, name in ((one_sided(), "forward_difference"), (central(2), "central_difference")):
        curve = known.curve(stencil)
        for step in (curve.best_step / 30, curve.best_step, curve.best_step * 10):
            prepared = get_method(name, step=step).prepare(problem)
            error = _flat(prepared(problem.parameters).gradient) - exact
            measured = float(np.sqrt(np.sum(error**2) / np.sum(exact**2)))
            assert 0.5 < measured / curve.error(step) < 2.0, (name, step)


def test_the_best_step_is_where_the_curve_is_least() -> None:
    curve = Curve(2, 0.3, 1e-12)
    around = curve.error(curve.best_step * np.array([0.9, 1.0, 1.1]))
    assert around.argmin() == 1 and curve.floor == around[1]


def test_measured_best_steps_stand_beside_predicted_ones(pages: dict[str, Page]) -> None:
    (row,) = table(pages["differences"], "differences-steps")
    assert row[:2] == ["central_difference", "1.00×10⁻⁵"]
    assert "×" in row[2] and "×" in row[4]
    assert "best measured step" in said(pages["differences"])


def test_what_structure_saves_and_its_exponents_are_printed(pages: dict[str, Page]) -> None:
    (row,) = table(pages["structure"], "structure-ratio")
    assert row[:2] == ["central_difference", "node_difference"]
    assert [text.partition(" ")[0] for text in row[3:]] == ["10.0", "31.6", "100", "316"]
    black, node = table(pages["structure"], "structure-growth")
    assert (black[2][:4], black[3][:4]) == ("1.00", "2.00")
    assert (node[2][:4], node[3][:4]) == ("0.50", "1.50")


def test_jacobians_cross_where_inputs_and_outputs_are_as_many(pages: dict[str, Page]) -> None:
    ((*_, crossing),) = table(pages["jacobians"], "jacobians-crossings")
    assert crossing.startswith("1.00 [0.8")
    assert "tangent and backprop" in said(pages["jacobians"])


def test_a_crossing_that_was_not_measured_is_not_made_up() -> None:
    assert np.isnan(zero([0.0, 1.0], [1.0, 2.0]))
    assert zero([0.0, 2.0], [-1.0, 1.0]) == 1.0


def test_variance_over_its_formula_is_one_with_an_interval(pages: dict[str, Page]) -> None:
    rows = table(pages["variance"], "variance-26")
    assert len(rows) == 2 and all(row[-1].startswith("1.00 [0.9") for row in rows)
    assert "13.0 times smaller" in said(pages["variance"])


def test_all_figures_are_drawn(pages: dict[str, Page]) -> None:
    drawn = {figure.name for page in pages.values() for figure in page.figures}
    assert drawn == {
        "differences-steps", "differences-sizes", "structure-cost", "structure-ratio", "jacobians",
        "variance",
    }  # fmt: skip


@pytest.mark.parametrize("quantity", ["time", "passes", "case"])
def test_missing_quantities_break_nothing(quantity: str, tmp_path: Path) -> None:
    records = filled(SyntheticRun())
    records.records = [each for each in records.records if each["quantity"] != quantity]
    assert set(of_run(read(records.write(tmp_path / "run")))) == {
        "differences", "structure", "jacobians", "variance",
    }  # fmt: skip


def test_how_a_method_looks_at_a_problem_is_told_in_a_word() -> None:
    assert cells.access_of(["jax trace", "loss"]) == "traced"
    assert cells.access_of(["loss", "pushforward", "torch graph"]) == "structured"
