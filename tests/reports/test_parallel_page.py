"""The page on parallel work prints what records and simulator say, and makes do with what there is."""

from pathlib import Path
from typing import Any

import pytest

from methods.reverse.parallel.schedule import bubble, in_flight, simulate
from reports import numbers
from reports.command import make_report
from reports.page import Page, make
from reports.run import Run, of_study, read
from reports.studies.pages import of_run
from reports.studies.parallel import schedules, speed, workers
from reports.table import Table
from tests.reports.synthetic import SyntheticRun

MLP = {"widths": [64, 256, 10], "batch": 1021}
EPSILON = 2.0**-52
OWN_STATISTICS = {2: 0.22, 4: 0.36, 8: 0.42}
WAITS = {1: 0.0, 2: 0.25, 3: 0.5, 4: 0.75}


def add(
    records: SyntheticRun, problem: str, sizes: dict[str, Any], method: str, rows: int, **more: Any
) -> str:
    """A finished case with its error and time; the method's hyper-parameters are all in its key."""
    error, time, hyper = more.pop("error"), more.pop("time", None), more
    key = records.key(problem, sizes, method, hyper=hyper)
    records.case(key, "parallel", 1000, None)
    records.records[-1]["detail"]["rows"] = rows
    records.add(key, "error", error, "parallel", unit="relative")
    records.add(key, "digits", 15.0, "parallel", unit="digits")
    if time is not None:
        phases = {"compute": time, "communicate": WAITS[hyper.get("workers", 1)], "call": 1.0}
        records.add(key, "time", time, "parallel", unit="s", detail={"phases": phases})
        records.add(key, "ratio", 3 * time, "parallel", low=2.9 * time, high=3.2 * time)
    return str(key)


def shards(count: int, *, local_statistics: bool = False, weighted: bool = True) -> dict[str, Any]:
    return {"workers": count, "local_statistics": local_statistics, "weighted": weighted, "timeout": 60.0}


def pipeline(stages: int, micro_batches: int, schedule: str) -> dict[str, Any]:
    return {"stages": stages, "micro_batches": micro_batches, "schedule": schedule, "local_statistics": False}


def filled(records: SyntheticRun) -> SyntheticRun:
    """All that the study asks: backprop takes 2 s, K workers 2/K s, pipelines 3 s."""
    add(records, "mlp", MLP, "backprop", 1021, error=EPSILON, time=2.0)
    for count in (2, 3, 4):
        add(
            records,
            "mlp",
            MLP,
            "data_parallel_backprop",
            1021,
            error=count * EPSILON,
            time=2 / count,
            **shards(count),
        )
        for schedule in ("gpipe", "1f1b"):
            more = pipeline(count, 4 * count, schedule)
            add(records, "mlp", MLP, "pipeline_backprop", 1021, error=EPSILON, time=3.0, **more)
    for count in (1, 2, 16):
        more = pipeline(2, count, "gpipe")
        add(records, "mlp", MLP, "pipeline_backprop", 1021, error=EPSILON, time=2.5, **more)
    for plain, error in ((True, EPSILON), (False, 0.135)):
        more = shards(3, weighted=plain)
        add(records, "transformer", {"batch": 7}, "data_parallel_backprop", 7, error=error, **more)
    for normalisation in ("batch", "none"):
        sizes = {"normalisation": normalisation, "batch": 256}
        add(records, "deep_mlp", sizes, "backprop", 256, error=EPSILON)
        for count, error in OWN_STATISTICS.items():
            own = normalisation == "batch"
            more = shards(count, local_statistics=own)
            add(
                records,
                "deep_mlp",
                sizes,
                "data_parallel_backprop",
                256,
                error=error if own else EPSILON,
                **more,
            )
    return records


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run as reports see it."""
    return read(filled(SyntheticRun()).write(tmp_path_factory.mktemp("parallel") / "run"))


@pytest.fixture(scope="module")
def page(whole: Run) -> Page:
    """Its page on parallel work."""
    return of_run(whole)["parallel"]


def table(page: Page, name: str) -> Table:
    return next(table for table in page.summary if table.name == f"parallel-{name}")


def said(page: Page) -> dict[str, str]:
    """The lead's sentences by label."""
    return {label: "".join(map(str, parts)) for label, parts in page.lead}


def test_every_number_with_a_case_is_that_of_the_case(whole: Run, page: Page) -> None:
    run = of_study(whole, "parallel")
    assert run is not None
    errors = run.cases.set_index("case")["error"]
    printed = [cell for row in table(page, "exactness").rows for cell in row if cell.case]
    printed += [cell for row in table(page, "normalised").rows for cell in row if cell.case]
    printed += [cell for row in table(page, "weights").rows for cell in row if cell.case]
    assert len(printed) == 10 + 4 + 1 + 8 + 2  # mlp, deep_mlp, transformer; normalised; weights
    assert all(cell.text == numbers.three(errors[cell.case]) for cell in printed)
    linked = {cell.case for sentence in page.lead for cell in sentence[1] if not isinstance(cell, str)}
    assert linked and linked <= set(errors.index)


def test_time_is_in_that_of_one_worker_and_says_on_how_many_cpus(page: Page) -> None:
    rows = {row[0].text: row for row in table(page, "time").rows}
    for count in (2, 3, 4):
        _, time, waits = rows[f"data parallel, K = {count}"]
        assert time.text == numbers.three(1 / count)
        assert time.sub == numbers.interval(2.9 / 3 / count, 3.2 / 3 / count)
        assert waits.text == f"{100 * WAITS[count]:.0f} %"
        # Of several numbers of micro-batches it is the usual one, 4 K.
        assert rows[f"pipeline GPipe, K = {count}"][1].text == "1.50"
    assert "measured on 2 CPUs" in table(page, "time").caption
    assert "0.250 [0.242, 0.267] (data parallel, K = 4)" in said(page)["Time"]
    assert said(page)["Time"].endswith("measured on 2 CPUs, where 0.500 is ideal.")
    assert speed.ideal(4.0, 2) == speed.ideal(2.0, 2) == 0.5


def test_the_lead_says_what_was_found(page: Page) -> None:
    found = said(page)
    assert "In all 16 cases" in found["Equality"]  # 12 on mlp, 1 on the transformer, 3 on deep_mlp
    assert f"{numbers.three(4 * EPSILON)} (data parallel, K = 4, mlp, 1021 rows)" in found["Equality"]
    assert "0.220 with 2, 0.360 with 4 and 0.420 with 8 workers" in found["Batch normalisation"]
    assert "shards of 3, 2 and 2 rows is off by 0.135 (transformer, 7 rows)" in found["Weights"]
    assert "exactly (K - 1) / (M + K - 1)" in found["Bubble"]


def test_a_gradient_that_is_not_that_of_one_worker_is_named(
    synthetic_run: SyntheticRun, tmp_path: Path
) -> None:
    add(synthetic_run, "mlp", MLP, "data_parallel_backprop", 1021, error=0.1, **shards(2))
    found = said(of_run(read(synthetic_run.write(tmp_path / "run")))["parallel"])
    assert found["Equality"].endswith(
        "off by more than rounding: data parallel, K = 2, mlp, 1021 rows 0.100."
    )


def test_simulated_bubbles_are_those_of_the_law_whatever_the_way_back_costs() -> None:
    data = schedules.simulated()
    assert (data["bubble"] - data["law"]).abs().max() < 1e-15
    for cost in (1, 3):
        simulated = simulate("1f1b", 4, 8, backward_cost=cost)
        assert float(bubble(simulated)) == schedules.law(4, 8)
    last = data[(data["K"] == 8) & (data["schedule"] == "1f1b")].iloc[-1]
    assert last["in_flight"] == "8 7 6 5 4 3 2 1"


def test_the_drawn_slots_are_those_of_the_simulator(page: Page) -> None:
    drawn = next(figure for figure in page.figures if figure.name == "parallel-schedules")
    own = drawn.data[drawn.data["schedule"] == "1f1b"]
    assert len(own) == 2 * schedules.STAGES * schedules.MICRO_BATCHES
    # As many patches as slots: nothing is drawn where a stage is idle.
    assert [len(axes.patches) for axes in drawn.canvas.axes] == [len(own), len(own)]
    flying = in_flight(simulate("1f1b", schedules.STAGES, schedules.MICRO_BATCHES))
    assert f"at most {max(flying)} in flight" in drawn.canvas.axes[1].get_title(loc="left")


def test_all_figures_are_drawn_and_their_numbers_stand_beside_the_page(
    whole: Run, page: Page, tmp_path: Path
) -> None:
    assert [figure.name for figure in page.figures] == [
        f"parallel-{name}" for name in ("time", "micro-batches", "normalised", "schedules", "bubble")
    ]
    folder = make_report(whole.folder, tmp_path / "report").parent
    for name in ("parallel-exactness", "parallel-weights", "figure-parallel-time", "parallel-schedules"):
        assert (folder / "tables" / f"{name}.csv").exists()
    assert "Batch normalisation" in (folder / "parallel.html").read_text()


def test_a_run_of_this_study_alone_sends_the_reader_to_its_page(whole: Run) -> None:
    assert said(make(whole)) == {
        "Studies": "All that this run holds is on the pages of its studies: parallel."
    }


@pytest.mark.parametrize("left", ["backprop", "data_parallel_backprop", "pipeline_backprop"])
def test_missing_methods_break_nothing(left: str, tmp_path: Path) -> None:
    records = filled(SyntheticRun())
    records.records = [each for each in records.records if each["key"]["method"] != left]
    page = of_run(read(records.write(tmp_path / "run")))["parallel"]
    assert ("parallel-time" in {table.name for table in page.summary}) == (left != "backprop")
    assert {figure.name for figure in page.figures} >= {"parallel-schedules", "parallel-bubble"}


@pytest.mark.parametrize("quantity", ["time", "ratio", "error", "case"])
def test_missing_quantities_break_nothing(quantity: str, tmp_path: Path) -> None:
    records = filled(SyntheticRun())
    records.records = [each for each in records.records if each["quantity"] != quantity]
    page = of_run(read(records.write(tmp_path / "run")))["parallel"]
    assert "Bubble" in said(page)


def test_a_worker_that_died_is_among_the_failures(synthetic_run: SyntheticRun, tmp_path: Path) -> None:
    key = synthetic_run.key("mlp", MLP, "data_parallel_backprop", hyper=shards(2))
    reason = "WorkerError: worker 1 of 2 was ended by SIGKILL"
    synthetic_run.case(key, "parallel", 1000, None, status="failed", reason=reason)
    page = of_run(read(synthetic_run.write(tmp_path / "run")))["parallel"]
    skips = next(section for section in page.sections if section.anchor == "skips")
    assert skips.tables[0].rows[0][-1].text == reason
    assert "Equality" not in said(page)


def test_kinds_are_told_by_method_and_schedule(whole: Run) -> None:
    run = of_study(whole, "parallel")
    assert run is not None
    found = workers.of_run(run)
    assert list(dict.fromkeys(found["kind"])) == list(workers.LOOKS)
    assert set(found.loc[found["kind"] == workers.SHARDS, "workers"]) == {2.0, 3.0, 4.0, 8.0}
