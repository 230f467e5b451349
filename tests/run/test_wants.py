"""Runs of what is computed beside the gradient: measured like gradients, and kept apart from them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import gradmark
from gradmark.claims import Want
from gradmark.cli.main import app
from gradmark.cli.selection import Selection, plan
from gradmark.errors import UsageError
from gradmark.method import Estimate, Method
from gradmark.run.direction import direction_of
from gradmark.run.execute import execute, prepared
from gradmark.run.plan import Comparison, MethodCall, from_json, to_json
from gradmark.run.records import digest
from gradmark.run.remaining import prepare
from gradmark.run.store import opened, read_records
from reports.run import read

BACKPROP: Method = gradmark.get_method("backprop")
SIZES: dict[str, Any] = {"data": "synthetic", "widths": (3, 3, 2), "batch": 3}


@dataclass(frozen=True)
class Changed:
    """backprop, whose answers are passed through `change`."""

    change: Callable[[Any, Any], Any]
    base: Method = BACKPROP

    @property
    def claims(self) -> Any:
        return self.base.claims

    def supports(self, problem: Any, want: Want = "gradient") -> str | None:
        return self.base.supports(problem, want)

    def prepare(self, problem: Any, want: Want = "gradient") -> Any:
        function = self.base.prepare(problem, want)

        def call(parameters: Any, seed: int = 0, **more: Any) -> Estimate:
            estimate = function(parameters, seed, **more)
            return replace(estimate, result=self.change(estimate.result, more.get("direction")))

        return call


@pytest.fixture
def problem() -> Any:
    return gradmark.get_problem("mlp", **SIZES)


@pytest.mark.parametrize("want", ["vjp", "jacobian"])
def test_a_quantity_has_its_error_work_and_time_and_a_wrong_one_its_error(problem: Any, want: Want) -> None:
    doubled = Changed(lambda result, _: {name: 2 * array for name, array in result.items()})
    table = gradmark.compare(problem, ["backprop", doubled], want=want, budget=0.02)
    assert list(table["status"]) == ["done"] * 3
    assert table["error"][1] < 1e-14 and table["digits"][1] > 14
    assert table["error"][2] == pytest.approx(1)
    passes = {"vjp": 1, "jacobian": 6}[want]
    assert table["passes"][1] == 1 + passes and table["time"][1] > 0 and table["peak_bytes"][1] >= 0


def test_who_cannot_compute_it_says_so_in_its_row(problem: Any) -> None:
    row = gradmark.measure("central_difference", problem, want="hessian", quantities=["error"])
    assert row["status"] == "skipped" and "not hessian" in row["reason"]
    with pytest.raises(UsageError, match="did you mean `hessian`"):
        gradmark.compare(problem, "backprop", want="hesian")  # type: ignore[arg-type]


WRONG: dict[str, tuple[Want, Callable[[Any, Any], Any], str]] = {
    "shape": ("vjp", lambda g, w: {name: a.ravel() for name, a in g.items()}, "has shape"),
    "names": ("jacobian", lambda j, _: {name.upper(): a for name, a in j.items()}, "has the names"),
    "writes": ("vjp", lambda g, w: (w.fill(0), g)[1], "changed the direction"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_form_ends_the_case(problem: Any, fault: str) -> None:
    want, change, word = WRONG[fault]
    row = gradmark.measure(Changed(change), problem, want=want, quantities=["work"])
    assert row["status"] == "failed" and word in row["reason"]


def test_the_direction_is_that_of_the_seed_and_no_gradient_has_one(problem: Any) -> None:
    one, same, other = (direction_of(problem, "vjp", seed) for seed in (0, 0, 1))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert direction_of(problem, "gradient", 0) is None and direction_of(problem, "hessian", 0) is None
    wide = gradmark.get_problem("mlp", **SIZES, dtype="float32")
    assert np.array_equal(direction_of(wide, "vjp", 0), one.astype(np.float32))


def test_the_key_of_a_gradient_is_what_it_was_and_that_of_another_quantity_differs() -> None:
    comparison = Comparison("cost", "mlp", SIZES, (MethodCall("backprop"),))
    gradient = prepare(comparison).methods[0].key
    vjp = prepare(replace(comparison, want="vjp")).methods[0].key
    assert gradient["want"] == "gradient" and set(gradient) == set(vjp)
    assert digest(gradient) != digest(vjp) and {**vjp, "want": "gradient"} == gradient
    old = {name: value for name, value in to_json(comparison).items() if name != "want"}
    assert from_json(old) == comparison
    assert str(replace(comparison, want="vjp")) == f"vjp of {comparison}"


def test_a_selection_takes_all_methods_that_compute_it_and_a_profile_what_it_has_of_it() -> None:
    problems = (("mlp", SIZES),)
    (one,) = plan(Selection(problems=problems, want="vjp", backends=("numpy",)))
    names = {call.name for call in one.methods}
    assert one.want == "vjp" and "backprop" in names and "central_difference" not in names
    with pytest.raises(UsageError, match="nothing for the quantity `vjp`"):
        plan(Selection(profile="quick", want="vjp"))


def test_a_run_keeps_and_shows_each_quantity_by_itself(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    of = Comparison("cost", "mlp", SIZES, (MethodCall("backprop"),), ("error", "work"))
    with opened(folder) as store:
        execute(prepared([of, replace(of, want="jacobian")]), store)
    cases = {r.key["want"]: r for r in read_records(folder) if r.quantity == "error"}
    assert cases["jacobian"].value is not None and cases["jacobian"].value < 1e-14
    shown = CliRunner().invoke(app, ["show", str(folder)]).output
    assert "cost: mlp(" in shown and "cost: jacobian of mlp(" in shown
    assert set(read(folder).cases["want"]) == {"gradient"}
    assert set(read(folder).records["want"]) == {"gradient", "jacobian"}
