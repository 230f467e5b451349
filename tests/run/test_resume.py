"""A run given again measures what is missing, and nothing else."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from gradmark.run.execute import execute, lacking, prepared
from gradmark.run.plan import Comparison
from gradmark.run.records import PLAIN_FORWARD, QUANTITIES, Record
from gradmark.run.store import RECORDS, Store, opened, read_records
from tests.run.plans import call

Make = Callable[..., Comparison]
Run = Callable[..., dict[str, dict[str, Record]]]


def places(folder: Path) -> list[tuple[str, str, str]]:
    return [record.place for record in read_records(folder)]


def lines(folder: Path) -> list[bytes]:
    return (folder / RECORDS).read_bytes().splitlines()


def test_a_run_given_twice_measures_nothing_new(comparison: Make, run: Run, store: Store) -> None:
    plan = [comparison("honest", "raises", "noisy", repetitions=3), comparison("honest", size=5)]
    run(*plan)
    before = lines(store.folder)
    assert not lacking(prepared(plan), store)
    run(*plan)
    assert lines(store.folder) == before


@pytest.mark.parametrize("lost", ["peak_bytes", "ulp", "ratio", "case", "passes"])
def test_only_the_group_of_a_missing_quantity_is_measured_again(
    lost: str, comparison: Make, tmp_path: Path
) -> None:
    tasks = prepared([comparison("honest", "zeros")])
    with opened(tmp_path) as store:
        execute(tasks, store)
    kept = [
        line
        for record, line in zip(read_records(tmp_path), lines(tmp_path), strict=True)
        if not (record.quantity in (lost, "case") and record.key["method"].endswith("honest"))
    ]
    (tmp_path / RECORDS).write_bytes(b"".join(line + b"\n" for line in kept))
    with opened(tmp_path) as store:
        execute(tasks, store)
    new = read_records(tmp_path)[len(kept) :]
    assert lines(tmp_path)[: len(kept)] == kept
    assert {record.quantity for record in new} == {lost, "case"}
    assert {record.key["method"].rpartition(":")[2] for record in new} == {"honest"}


def test_a_method_that_joins_later_is_timed_beside_the_loss(comparison: Make, run: Run) -> None:
    first = run(comparison("honest"))
    both = run(comparison("honest", "zeros"))
    assert both["zeros"].keys() == first["honest"].keys()
    assert both["honest"] == first["honest"]
    # The forward pass was timed again, and its first record stays.
    assert both[PLAIN_FORWARD] == first[PLAIN_FORWARD]
    again = both["zeros"]["ratio"].detail["forward_seconds"]
    assert again != first["honest"]["ratio"].detail["forward_seconds"]


def test_quantities_asked_for_later_are_added(comparison: Make, run: Run) -> None:
    assert run(comparison("honest", quantities=("error",)))["honest"].keys() == {"case", *QUANTITIES["error"]}
    found = run(comparison("honest", quantities=("error", "work")))["honest"]
    assert found.keys() == {"case", *QUANTITIES["error"], *QUANTITIES["work"]}


def test_sizes_above_one_that_timed_out_are_skipped_and_say_so(
    comparison: Make, run: Run, store: Store
) -> None:
    def stuck(size: int, **more: float) -> Comparison:
        return comparison("hangs", "honest", size=size, quantities=("error",), **{"time_limit": 3.0, **more})

    run(stuck(4), stuck(2), stuck(8))
    endings = {
        record.key["sizes"]["size"]: (record.status, record.reason)
        for record in store.records
        if record.quantity == "case" and "hangs" in record.key["method"]
    }
    assert endings[4] == ("timed out", "stopped after 3 s, in its first calls")
    assert endings[2] == ("timed out", "stopped after 3 s, in its first calls")
    assert endings[8] == ("skipped", "it was stopped after 3 s at P = 2 already")


def test_what_timed_out_is_tried_again_when_it_gets_more_time(comparison: Make, run: Run) -> None:
    wanted = comparison(
        call("slow", seconds_per_parameter=3.0), size=2, time_limit=2.5, quantities=("error",)
    )
    assert run(wanted)["slow"]["case"].status in ("timed out", "skipped")
    assert run(wanted)["slow"]["case"].status in ("timed out", "skipped")
    assert run(replace(wanted, time_limit=20.0))["slow"]["case"].status == "done"


def test_a_size_that_would_take_too_long_is_predicted_and_skipped(comparison: Make, run: Run) -> None:
    slow = call("slow", seconds_per_parameter=0.02)
    found = run(comparison(slow, size=10), comparison(slow, size=1_000, time_limit=10.0))
    case = found["slow"]["case"]
    assert (case.key["sizes"]["size"], case.status) == (1_000, "skipped")
    # 1000 passes of 20 ms, by the cost of a pass at P = 10; the forward pass that it is counted in is noisy.
    assert 10 < case.detail["predicted_seconds"] < 200
    assert "1000 passes" in str(case.reason)


def test_an_executor_measures_the_same_cases(comparison: Make, tmp_path: Path) -> None:
    tasks = prepared([comparison("honest", "noisy", size=size) for size in (2, 3)] + [comparison("raises")])
    with opened(tmp_path / "here") as store:
        execute(tasks, store)
    with opened(tmp_path / "there") as store, ThreadPoolExecutor(2) as executor:
        execute(tasks, store, executor=executor)
    assert sorted(places(tmp_path / "there")) == sorted(places(tmp_path / "here"))


def test_a_task_that_an_executor_loses_fails_and_says_so(
    comparison: Make, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(task: object) -> list[Record]:
        raise ConnectionError("the machine is gone")

    monkeypatch.setattr("gradmark.run.execute.collect", lose)
    with ThreadPoolExecutor(1) as executor:
        execute(prepared([comparison("honest")]), store, executor=executor)
    assert [record.status for record in store.records] == ["failed"]
    assert "ConnectionError: the machine is gone" in str(store.records[0].reason)


def test_a_dask_cluster_is_an_executor(comparison: Make, store: Store) -> None:
    distributed = pytest.importorskip("distributed", reason="Dask is an extra: gradmark[distributed]")
    with (
        distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        execute(prepared([comparison("honest")]), store, executor=client.get_executor())
    assert [record.status for record in store.records if record.quantity == "case"] == ["done", "done"]
