"""The page on evolution strategies prints measured laws beside claimed ones, and finds a broken law."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reports.page import Page
from reports.run import read
from reports.studies.evolution import estimates, laws
from reports.studies.pages import of_run
from tests.reports.synthetic import SyntheticRun

STUDY, P = "evolution", 40


def error_of(variance: float, law: float | None, scale: float, seeds: int = 400) -> dict[str, Any]:
    """The record of an error: its square is the variance, known to a percent."""
    root = variance**0.5
    told: dict[str, Any] = {
        "repetitions": seeds,
        "scale": {"value": scale, "low": scale - 0.005, "high": scale + 0.005},
    }
    if law is not None:
        told |= {"predicted_error": law**0.5, "predicted_cosine": (1 + law) ** -0.5}
    return {"value": root, "low": root * 0.998, "high": root * 1.002, "detail": told}


def add(
    records: SyntheticRun, key: dict[str, Any], size: int, error: dict[str, Any], evaluations: float | None
) -> None:
    records.case(key, STUDY, size, None)
    value = error.pop("value")
    records.add(key, "error", value, STUDY, **error)
    records.add(key, "cosine", (1 + value**2) ** -0.5, STUDY, low=0.1, high=0.2)
    if evaluations is not None:
        records.add(key, "evaluations", evaluations, STUDY)


@pytest.fixture
def page(tmp_path: Path) -> tuple[Page, Any]:
    records = SyntheticRun()
    for pairs in (4, 8, 16):
        for method, law, scale in (("spsa", (P - 1) / pairs, 1.0), ("sphere_es", (P - 1) / pairs, 1.3)):
            key = records.key("polynomial", {"size": P, "degree": 1}, method, hyper={"pairs": pairs})
            add(records, key, P, error_of(law, law, scale), 2 * pairs)
        key = records.key("polynomial", {"size": P, "degree": 1}, "sobol_es", hyper={"pairs": pairs})
        add(records, key, P, error_of(3.0, None, 1.0), 2 * pairs)
    for sigma in (1e-3, 1e-2, 1e-1):
        for method, hyper, error in (
            ("hadamard_node_es", {}, 3 * sigma**2),
            ("gaussian_es", {}, 4.0),
            ("gaussian_es", {"antithetic": False}, 2.0 + 40 * sigma),
        ):
            key = records.key("mlp", {"widths": [3, 4]}, method, hyper={**hyper, "sigma": sigma})
            add(records, key, 1_000, error_of(error**2, None, 1.0), None)
    for size in (100, 1_000):
        key = records.key("mlp", {"widths": [size]}, "gaussian_es", hyper={"pairs": 128, "sigma": 1e-3})
        add(records, key, size, error_of((size + 1) / 128, (size + 1) / 128, 1.0), 256)
    run = read(records.write(tmp_path / "run"))
    return of_run(run)[STUDY], run


def test_a_scale_that_is_off_is_said_to_differ_and_no_other(page: tuple[Page, Any]) -> None:
    (table,) = [each for each in page[0].summary if each.name == "evolution-laws"]
    verdicts = {(row[0].text, row[-1].text) for row in table.rows}
    assert verdicts == {("spsa", "equal"), ("sphere_es", "differs"), ("sobol_es", "equal")}
    assert "differs" in str(dict(page[0].lead)["Laws"])


def test_the_page_says_rate_order_crossover_and_evaluations(page: tuple[Page, Any]) -> None:
    said = {title: " ".join(map(str, sentence)) for title, sentence in page[0].lead}
    assert "spsa  -0.500" in said["Rate"]
    assert "to the power  2.000" in said["Sigma"]
    # 2 + 40 sigma passes 4 at 0.05; on a line through logarithms between 1e-2 and 1e-1, a little below.
    assert 0.02 < float(said["Sigma"].split("From sigma =")[1].split()[0]) < 0.06
    # 1001 / 3 samples of two evaluations.
    assert "667  with gaussian_es" in said["Evaluations"]
    assert {figure.name for figure in page[0].figures} == {"evolution-sigma", "evolution-sizes"}


def test_a_p_value_is_that_of_the_interval() -> None:
    assert laws.p_value(1.0, 0.9, 1.1, 1.1) == pytest.approx(0.05)
    assert laws.p_value(1.0, 0.9, 1.2, 1.0) == 1


def test_the_error_of_an_estimate_shrunk_by_the_best_factor_is_that_of_theory() -> None:
    variance = np.array([0.5, 3.0])
    import pandas as pd

    cases = pd.DataFrame({"variance": variance, "variance_law": variance, "scale": 1.0})
    found = estimates._with_shrunk(cases)
    assert np.allclose(found["shrunk"], found["shrunk_law"]) and np.allclose(
        found["shrunk"] ** 2, variance / (1 + variance)
    )
