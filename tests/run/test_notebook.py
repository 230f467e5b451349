"""The same measurements in a notebook: a row for each method."""

from pathlib import Path

import numpy as np
import pytest

import gradmark
from gradmark.errors import UsageError
from gradmark.run.execute import execute, prepared
from gradmark.run.plan import Comparison, MethodCall
from gradmark.run.store import opened
from tests.run.plans import IMPOSTORS


@gradmark.gradient_method(family="finite-difference", order=1, evaluations=lambda size: size + 1)
def one_sided(problem, parameters, seed, step=1e-7):  # type: ignore[no-untyped-def]
    """Forward differences of a vector function."""
    x = parameters["x"]
    moved = np.stack([problem.loss({"x": x + step * unit}) for unit in np.eye(len(x))])
    return {"x": (moved - problem.loss(parameters)) / step}


@pytest.fixture
def problem() -> object:
    return gradmark.get_problem("quadratic", size=6, condition=10.0)


def test_compare_takes_names_instances_and_short_form_functions(problem: object) -> None:
    methods = ["central_difference:step=1e-4", gradmark.get_method("gaussian_es", pairs=2), one_sided]
    table = gradmark.compare(problem, [*methods, f"{IMPOSTORS}:zeros"], budget=0.5)
    assert list(table["method"]) == [
        "plain forward", "central_difference", "gaussian_es", "one_sided", "impostors.py:zeros",
    ]  # fmt: skip
    assert list(table["status"]) == ["done"] * 5
    rows = table.set_index("method")
    assert list(rows["evaluations"])[1:] == [12, 4, 7, 0]
    assert rows.loc["impostors.py:zeros", "error"] == 1
    # A quadratic has no third derivative: only the rounding of the loss is left, eps |f| / h.
    assert rows.loc["central_difference", "error"] < 1e-10
    assert (rows["time"] > 0).all()
    assert (rows["ratio_low"][1:] <= rows["ratio"][1:]).all()


def test_two_functions_of_one_name_do_not_share_a_row(problem: object) -> None:
    def closure(factor: float) -> object:
        @gradmark.gradient_method(family="reverse", exact=True)
        def scaled(problem, parameters, seed):  # type: ignore[no-untyped-def]
            return {"x": factor * problem.closed_form(parameters, problem.default_draw)["x"]}

        return scaled

    table = gradmark.compare(problem, [closure(1.0), closure(2.0)], quantities=["error"])
    assert list(table["method"]) == ["scaled", "scaled (2)"]
    assert list(table["norm_ratio"]) == [pytest.approx(1), pytest.approx(2)]


def test_one_method_is_a_row(problem: object) -> None:
    row = gradmark.measure(one_sided, problem, quantities=["error", "work"])
    assert row["method"] == "one_sided"
    assert row["evaluations"] == 7
    # Truncation h |f''| / 2 with h = 1e-7 and rounding eps |f| / h are both near 1e-8 of the gradient.
    assert 1e-11 < row["error"] < 1e-6
    assert np.isnan(row["time"])


def test_what_cannot_be_done_is_said_in_its_row(problem: object) -> None:
    table = gradmark.compare(problem, ["backprop", f"{IMPOSTORS}:raises"], quantities=["work"])
    assert list(table["status"]) == ["skipped", "failed"]
    assert "no layers" in table["reason"][0]
    assert table["reason"][1] == "ZeroDivisionError: it divides by nothing"


def test_any_function_can_be_compared_on() -> None:
    problem = gradmark.from_function(lambda x: np.sum(x**2), np.array([1.0, -2.0]))
    row = gradmark.measure("central_difference", problem, quantities=["error"])
    assert row["digits"] > 8  # eps^(2/3) is 4e-11


@pytest.mark.parametrize(
    ("methods", "options", "words"),
    [
        (["nobody"], {}, "unknown method `nobody`"),
        ([3], {}, "is not a gradient method"),
        ([lambda problem: None], {}, "is not a gradient method"),
        (["gaussian_es:pairs=0"], {}, "pairs"),
        (["central_difference"], {"quantities": "error"}, "must be a list"),
        (["central_difference"], {"quantities": ["erorr"]}, "did you mean `error`"),
        (["central_difference"], {"threads": 0}, "threads"),
    ],
)
def test_bad_input_is_one_sentence(
    methods: list[object], options: dict[str, object], words: str, problem: object
) -> None:
    with pytest.raises(UsageError, match=words):
        gradmark.compare(problem, methods, **options)


def test_load_gives_a_row_for_each_record(tmp_path: Path) -> None:
    wanted = Comparison(
        "cost", "quadratic", {"size": 4}, (MethodCall("central_difference"),), ("work", "error")
    )
    with opened(tmp_path) as store:
        execute(prepared([wanted]), store)
        count = len(store.records)
    frame = gradmark.load(tmp_path)
    assert len(frame) == count
    row = frame[frame["quantity"] == "evaluations"].iloc[0]
    assert (row["method"], row["value"], row["sizes.size"], row["P"]) == ("central_difference", 8, 4, 4)
    with pytest.raises(UsageError, match="is not a run"):
        gradmark.load(tmp_path / "nowhere")


def test_two_steps_of_one_method_can_be_told_apart() -> None:
    problem = gradmark.get_problem("quadratic", size=5)
    steps = [gradmark.get_method("central_difference", step=step) for step in (1e-3, 1e-5)]
    table = gradmark.compare(problem, steps, quantities=["work"])
    assert table["method"].tolist() == ["central_difference"] * 2
    assert [hyper["step"] for hyper in table["hyper"]] == [1e-3, 1e-5]


def test_a_gradient_that_is_not_finite_has_a_reason_for_its_missing_error() -> None:
    problem = gradmark.from_function(lambda x: np.sum(x * x), np.array([1.0, 2.0]))

    @gradmark.gradient_method(family="forward", exact=True, evaluations=lambda size: 0)
    def broken(problem, parameters, seed):  # type: ignore[no-untyped-def]
        return {name: array * np.nan for name, array in parameters.items()}

    row = gradmark.measure(broken, problem, quantities=["error"])
    assert not np.isfinite(row["error"])
    assert "not finite" in row["reason"]


@pytest.mark.parametrize("problem", [None, "quadratic", 3])
def test_what_is_no_problem_is_refused_in_a_sentence(problem: object) -> None:
    with pytest.raises(UsageError, match="is not a problem: build one"):
        gradmark.compare(problem, ["backprop"])  # type: ignore[arg-type]
