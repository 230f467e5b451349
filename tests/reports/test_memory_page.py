"""The page on memory: its numbers are those of the records, its laws of theory, and gaps do not end it."""

import math
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from reports import command, numbers, page, run
from reports.studies import pages
from reports.studies.memory import cases, frontier, theory
from reports.table import Cell
from tests.reports import synthetic

WIDTH, ROWS, STATE = 128, 1024, 4 * 1024 * 128
DEPTHS = (4, 16, 64)
PART = (WIDTH + 1) / ROWS
"""The gradient of one layer, in states."""
LEAST = 10 - 8 * PART
"""Beside the gradient, in states, of 64 layers in 8 segments. Most is needed when the first segment, which is
the last to be pulled back, has its 8 states, two deltas, and the gradient of all but its own 8 layers."""
HIDDEN = (256, 512, 512, 10)
KEPT = 4 * ROWS * sum(HIDDEN)
BOTH = KEPT + 4 * ROWS * (512 + 512)
TIMES = {"backprop": 3.0, "autograd": 3.3, "checkpointed_backprop": 3.9, "torch_checkpoint": 4.6}
UNIFORM = {"schedule": "uniform", "segments": None, "states": None, "fast": True}


def add(
    records: synthetic.SyntheticRun,
    problem: str,
    sizes: dict[str, Any],
    method: str,
    P: int,
    *,
    hyper: dict[str, Any] | None = None,
    share: float = 0.25,
    **measured: Any,
) -> dict[str, Any]:
    """One case: what is `measured` among beside (the gradient), saved, forward and ratio."""
    place = {"backend": "torch", "dtype": "float32", "hyper": hyper or {}}
    key = records.key(problem, sizes, method, **place)
    detail = {
        "family": "reverse", "P": P, "rows": sizes["batch"], "depth": 2, "black_box": False,
        "stochastic": False, "reads": ["loss"], "growth": {"passes": 0, "time": {}, "memory": {}},
        "forward_flops": 1e6, "pullback_flops": 1e6 * (2 - share), "first_layer_share": share,
        "layers": ["Dense", "Activation", "Dense"],
    }  # fmt: skip
    records.add(key, "case", None, "memory", detail=detail)
    if "beside" in measured:
        told = {"resolution": 4096} | ({"saved": measured["saved"]} if "saved" in measured else {})
        records.add(key, "peak_bytes", measured["beside"] + 4 * P, "memory", unit="bytes", detail=told)
    if "forward" in measured:
        passes = {"forward": measured["forward"], "tangent": 0, "pullback": 1, "declared": False}
        records.add(key, "passes", measured["forward"] + 1, "memory", unit="passes", detail=passes)
    if "ratio" in measured:
        ratio = measured["ratio"]
        records.add(key, "ratio", ratio, "memory", unit="forward passes", low=ratio * 0.9, high=ratio * 1.1)
        records.add(key, "time", ratio * 1e-3, "memory", unit="s")
    return key


def square(steps: int, problem: str = "deep_mlp") -> dict[str, Any]:
    own = {"depth": steps - 1, "normalisation": "none"} if problem == "deep_mlp" else {"blocks": steps - 2}
    return own | {"width": WIDTH, "inputs": WIDTH, "outputs": WIDTH, "batch": ROWS, "data": "synthetic"}


def add_depths(records: synthetic.SyntheticRun, methods: tuple[str, ...] = tuple(TIMES)) -> None:
    """Exactly what theory says, and a byte more."""
    for steps in DEPTHS:
        segments = theory.segments_of(steps)
        held, again = theory.uniform(steps, segments)
        states = {
            "backprop": steps + theory.BESIDE,
            "autograd": steps + theory.BESIDE,
            "checkpointed_backprop": theory.uniform_beside(steps, segments, WIDTH, ROWS),
            "torch_checkpoint": held + theory.BESIDE,
        }
        for method in methods:
            checkpointed = "checkpoint" in method
            timed: dict[str, Any] = {"ratio": TIMES[method]} if steps == 64 else {}
            add(
                records, "deep_mlp", square(steps), method, steps * WIDTH * (WIDTH + 1),
                hyper=UNIFORM if method == "checkpointed_backprop" else {},
                beside=states[method] * STATE + 1, share=1 / steps,
                forward=1 + again * checkpointed, **timed,
            )  # fmt: skip


def add_reversible(records: synthetic.SyntheticRun) -> None:
    for steps, method in product(DEPTHS, ("backprop", "reversible_backprop")):
        own = method == "reversible_backprop"
        timed: dict[str, Any] = {"ratio": 3.6 if own else 3.0} if steps == 64 else {}
        add(
            records, "reversible_mlp", square(steps, "reversible_mlp"), method, steps * 9000,
            beside=9 * STATE if own else 3 * steps * STATE, forward=1.9 if own else 1.0,
            share=0.5 / steps, **timed,
        )  # fmt: skip


def add_revolve(records: synthetic.SyntheticRun) -> None:
    for states in (2, 3, 4, 8, 16):
        again = theory.with_states(64, states)[1]
        beside = theory.with_states_beside(64, states, WIDTH, ROWS) * STATE
        hyper = {"schedule": "revolve", "segments": None, "states": states, "fast": True}
        add(
            records, "deep_mlp", square(64), "checkpointed_backprop", 64 * WIDTH * (WIDTH + 1), hyper=hyper,
            beside=beside, forward=1 + again, ratio=3.0 + again, share=1 / 64,
        )  # fmt: skip


def add_activations(records: synthetic.SyntheticRun) -> None:
    for activation, rows in (("tanh", ROWS), ("relu", ROWS), ("gelu", ROWS), ("tanh", 4 * ROWS)):
        sizes = {"widths": list(HIDDEN), "activation": activation, "batch": rows}
        held = (BOTH if activation == "gelu" else KEPT) * rows // ROWS
        saved = {"layers.0": held // 4, "layers.1": held - held // 4 - 1000, "layers.2": 0, "loss": 1000}
        for method in ("backprop", "autograd"):
            add(records, "mlp", sizes, method, 400_000, beside=2 * held, saved=saved)


def all_there_is() -> synthetic.SyntheticRun:
    """A run with all that the page is about."""
    made = synthetic.SyntheticRun()
    for part in (add_depths, add_reversible, add_revolve, add_activations):
        part(made)
    sizes = {"batch": 32, "blocks": 1, "activation": "gelu"}
    add(made, "transformer", sizes, "backprop", 5000, share=0.0, beside=8e6, saved={"loss": 5}, forward=1.0)
    return made


@pytest.fixture
def records() -> synthetic.SyntheticRun:
    """The same, to be changed."""
    return all_there_is()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder, with its report."""
    written = all_there_is().write(tmp_path_factory.mktemp("runs") / "memory")
    command.make_report(written)
    return written


@pytest.fixture(scope="module")
def found(folder: Path) -> page.Page:
    """Its page."""
    return pages.of_run(run.read(folder))["memory"]


def made(records: synthetic.SyntheticRun, folder: Path) -> page.Page:
    return pages.of_run(run.read(records.write(folder)))["memory"]


def table(found: page.Page, name: str) -> Any:
    return next(each for each in found.summary if each.name == name)


def said(found: page.Page, label: str) -> str:
    return "".join(map(str, dict(found.lead)[label]))


def test_what_is_kept_is_named_after_the_law_that_it_is_to_the_byte(found: page.Page) -> None:
    which = {(str(row[0]), str(row[1])): row[5] for row in table(found, "memory-activations").rows}
    kept, twice = which[("tanh", "1\u202f024")], which[("gelu", "1\u202f024")]
    assert (kept.text, twice.text) == ("h alone", "h and z")
    assert f"h alone with relu and tanh, {numbers.si(KEPT, 'B')}" in said(found, "Kept")
    both = f"h and z with gelu, {numbers.si(BOTH, 'B')} ({BOTH / KEPT:.2f} times the law)"
    assert both in said(found, "Kept")
    torch = f"keeps from 1.00 (tanh) to {BOTH / KEPT:.2f} (gelu) times the law"
    assert torch in re.sub(r"\((relu|tanh)\)", "(tanh)", said(found, "Kept by torch"))
    assert "4.00 times as many rows (1024 to 4096, tanh), backprop keeps 4.00 times" in said(found, "Rows")


def test_bytes_by_layer_add_up_and_name_the_layers(found: page.Page) -> None:
    data = table(found, "memory-layers").data
    tanh = data[data["network"].str.contains("tanh") & data["network"].str.contains("1024")]
    assert list(tanh["layer_kind"]) == ["Dense", "Activation", ""] and tanh["kept"].sum() == KEPT
    assert tanh["share"].sum() == pytest.approx(1)


def test_memory_by_depth_is_measured_beside_its_formula(found: page.Page) -> None:
    rows = {str(row[0]): row[1:] for row in table(found, "memory-depths").rows}
    assert list(rows) == [
        "backprop", "autograd", "checkpointed, √L", "torch_checkpoint, √L", "reversible"
    ]  # fmt: skip
    deepest = rows["checkpointed, √L"][2]
    assert deepest.text == numbers.si(LEAST * STATE, "B") == deepest.sub.removeprefix("formula ")
    assert rows["reversible"][3].text == "0.00" and rows["reversible"][3].sub == "large L: 0"
    # From 16 to 64 layers: (64 + 3) / (16 + 3), a power of 4. In 4 segments 16 layers need most at the end of
    # the third one: 2 states stored, its own 4, 2 deltas and the gradient of the 4 layers behind it.
    assert rows["backprop"][3].text == "0.91" and "formula 0.91" in rows["backprop"][3].sub
    assert rows["checkpointed, √L"][3].text == f"{math.log(LEAST / (8 - 12 * PART), 4):.2f}"


def test_the_lead_trades_memory_for_time_as_the_records_do(found: page.Page) -> None:
    checkpointed = said(found, "Checkpointing")
    assert "takes 1.30 [1.17, 1.43] times the time of backprop (1.26 by matrix products" in checkpointed
    share = f"{LEAST / 67:.3f}"
    assert f"{share} of its memory beside the gradient (formula: {share}; " in checkpointed
    assert "runs 0.766 of a forward pass again at 64 layers" in checkpointed
    assert f"takes {4.6 / 3.3:.2f} [" in said(found, "torch") and "the time of autograd" in said(
        found, "torch"
    )
    assert "formula says in all choices" in said(found, "Revolve")
    again = 1 + theory.with_states(64, 2)[1]
    assert f"with 2 it makes {again:.2f} (formula {again:.2f})" in said(found, "Revolve")
    assert "it takes 1.20" in said(found, "Reversible")
    assert "in all 4 networks" in said(found, "Operations")


def test_a_number_that_breaks_a_law_is_said_to(records: synthetic.SyntheticRun, tmp_path: Path) -> None:
    hyper = {"schedule": "revolve", "segments": None, "states": 5, "fast": True}
    add(
        records,
        "deep_mlp",
        square(64),
        "checkpointed_backprop",
        1056768,
        hyper=hyper,
        beside=1e7,
        forward=9.0,
    )
    sizes = {"widths": list(HIDDEN), "activation": "silu", "batch": ROWS}
    add(records, "mlp", sizes, "backprop", 400_000, beside=1e7, saved={"loss": KEPT + 1})
    found = made(records, tmp_path)
    assert "formula says in 5 of 6 choices" in said(found, "Revolve")
    assert "neither with silu" in said(found, "Kept")
    for each in records.records:
        if each["quantity"] == "case" and each["key"]["problem"] == "transformer":
            each["detail"]["pullback_flops"] *= 1.5
    assert "in 3 of 4 networks" in said(made(records, tmp_path), "Operations")


def test_every_number_leads_to_its_case_and_both_figures_hold_the_records(
    found: page.Page, folder: Path
) -> None:
    html = (folder / "report" / "memory.html").read_text()
    known = set(re.findall(r'id="case-([0-9a-f]+)"', html))
    assert set(re.findall(r'href="#case-([0-9a-f]+)"', html)) <= known
    assert all(part.case for _, parts in found.lead for part in parts if isinstance(part, Cell))
    assert {each.name for each in found.figures} == {"memory-depth", "memory-frontier"}
    data = {each.name: each.data for each in found.figures}
    assert (data["memory-depth"]["beside"] - data["memory-depth"]["formula"]).dropna().eq(1).all()
    points = data["memory-frontier"].set_index("label")
    assert points.loc["revolve, s = 4", "relative"] == pytest.approx((3 + theory.with_states(64, 4)[1]) / 3)
    assert points.loc["reversible", "relative"] == pytest.approx(1.2)
    assert (folder / "report" / "figures" / "memory-depth.png").stat().st_size > 10_000


def test_a_run_of_this_study_alone_has_an_index_that_leads_to_the_page(folder: Path) -> None:
    index = (folder / "report" / "index.html").read_text()
    assert 'href="memory.html"' in index and "This run holds no cases" not in index


@pytest.mark.parametrize("missing", ["backprop", "autograd", "checkpointed_backprop", "reversible_backprop"])
def test_a_method_that_is_missing_does_not_break_the_page(
    records: synthetic.SyntheticRun, tmp_path: Path, missing: str
) -> None:
    records.records = [each for each in records.records if each["key"]["method"] != missing]
    found = made(records, tmp_path)
    assert found.summary and all("nan" not in said(found, label) for label, _ in found.lead)


@pytest.mark.parametrize("quantity", ["peak_bytes", "passes", "ratio", "case"])
def test_a_quantity_that_is_missing_does_not_break_the_page(
    records: synthetic.SyntheticRun, tmp_path: Path, quantity: str
) -> None:
    records.records = [each for each in records.records if each["quantity"] != quantity]
    found = made(records, tmp_path)
    assert found.lead and all("nan" not in said(found, label) for label, _ in found.lead)


@pytest.mark.parametrize("kept", [0, 1, 5, 30, 70])
def test_a_run_that_was_stopped_anywhere_has_a_page(
    records: synthetic.SyntheticRun, tmp_path: Path, kept: int
) -> None:
    records.records = records.records[: kept + 1]
    assert made(records, tmp_path).lead


def test_a_case_that_failed_is_listed_with_its_reason(tmp_path: Path) -> None:
    made_up = synthetic.SyntheticRun()
    key = made_up.key("reversible_mlp", square(64, "reversible_mlp"), "reversible_backprop", backend="torch")
    detail = {"family": "reverse", "P": 10, "rows": ROWS, "black_box": False, "stochastic": False}
    made_up.add(key, "case", None, "memory", status="failed", reason="it lost its digits", detail=detail)
    found = made(made_up, tmp_path)
    skips = next(section for section in found.sections if section.anchor == "skips")
    assert "it lost its digits" in str(skips.tables[0].rows[0][-1])
    assert found.lead[0][0] == "Empty"


@pytest.mark.parametrize("steps", [1, 2, 7, 16, 64])
def test_the_formulas_of_the_page_are_those_of_counting(steps: int) -> None:
    """Against the schedules run step by step, as the methods run them."""
    from methods.reverse.checkpointing import operations, uniform

    for segments in range(1, steps + 1):
        done = operations.operations(uniform.uniform(steps, segments), steps)
        held = operations.states_at_once(done, [1] * steps)
        assert theory.uniform(steps, segments) == (held, (len(operations.steps_run(done)) - steps) / steps)
    # A step's part of the gradient is half a state. Without segments most is needed at the first step back.
    # Of a single step, whose input needs no delta, it is the outputs and their gradient.
    least = steps + 1 - (steps - 1) / 2 if steps > 1 else 1.5
    assert frontier.curve(steps, cases.UNIFORM, 4, 10)[0] == (least, 0.0)
