"""Whatever a method does, it ends its own case and no other."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from gradmark.run.execute import execute, prepared
from gradmark.run.plan import Comparison
from gradmark.run.records import QUANTITIES, Record
from gradmark.run.store import OUTPUT, Store
from tests.run.plans import call

Make = Callable[..., Comparison]
Run = Callable[..., dict[str, dict[str, Record]]]
EVERYTHING = {"case", *(name for names in QUANTITIES.values() for name in names)}


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    [
        ("raises", "failed", "ZeroDivisionError: it divides by nothing"),
        ("raises_later", "failed", "RuntimeError: only three calls are free"),
        ("no_memory", "out of memory", "Unable to allocate"),
        ("leaves", "failed", "SystemExit: I am leaving"),
        ("crashes", "failed", "its process crashed with SIGSEGV in its first calls"),
        ("is_killed", "out of memory", "its process was killed in its first calls"),
        ("vanishes", "failed", "its process ended with exit code 3 in its first calls"),
        ("writes_into_parameters", "failed", "ContractError: it changed the parameters it was given"),
        ("misshapen", "failed", "shape (4,)"),
        ("endless", "skipped", "1e+15 passes"),
    ],
)
def test_a_nuisance_ends_its_own_case_with_the_reason(
    name: str, status: str, reason: str, comparison: Make, run: Run
) -> None:
    found = run(comparison("zeros", name, "honest"))
    assert found[name]["case"].status == status
    assert reason in str(found[name]["case"].reason)
    for other, error in (("zeros", 1.0), ("honest", 0.0)):
        assert found[other].keys() == EVERYTHING
        assert found[other]["case"].status == "done"
        assert found[other]["error"].value == pytest.approx(error, abs=2**-50)


def test_a_hang_is_stopped_at_the_time_limit_and_named(comparison: Make, run: Run) -> None:
    start = time.monotonic()
    found = run(comparison("zeros", "hangs", "honest", time_limit=4.0))
    assert found["hangs"]["case"].status == "timed out"
    assert found["hangs"]["case"].reason == "stopped after 4 s, in its first calls"
    assert found["hangs"]["case"].detail["P"] == 3
    assert found["zeros"]["case"].status == found["honest"]["case"].status == "done"
    # One worker to the end of its time and a second one for those that had no turn.
    assert time.monotonic() - start < 2 * (4.0 + 5.0)


def test_what_a_method_prints_goes_to_the_log_and_is_no_answer(
    comparison: Make, run: Run, store: Store
) -> None:
    found = run(comparison("prints", "honest", quantities=("error",)))
    assert found["prints"]["error"].value == 0.0
    assert found["honest"]["case"].status == "done"
    log = (store.folder / OUTPUT).read_text()
    assert '{"event": "finished"}' in log
    assert "and it complains" in log


def test_a_gradient_that_is_not_finite_has_no_value_and_says_so(comparison: Make, run: Run) -> None:
    found = run(comparison("infinite", quantities=("error",)))
    assert found["infinite"]["case"].status == "done"
    assert found["infinite"]["error"].value is None
    assert "the gradient is not finite" in str(found["infinite"]["error"].reason)


def test_a_problem_that_cannot_be_built_ends_all_its_cases(store: Store) -> None:
    wanted = Comparison("cost", "quadratic", {"size": -1}, (call("honest"), call("zeros")))
    execute(prepared([wanted]), store)
    assert [record.status for record in store.records] == ["skipped", "skipped"]
    assert all("size=-1" in str(record.reason) for record in store.records)


def test_a_worker_does_not_outlive_its_supervisor(comparison: Make, tmp_path: Path) -> None:
    pid_file, child = tmp_path / "pid", os.fork()
    if child == 0:
        from gradmark.run.store import opened

        with opened(tmp_path / "run") as store:
            execute(prepared([comparison(call("hangs", pid_file=str(pid_file)))]), store)
        os._exit(0)
    worker = _number_in(pid_file)
    os.kill(child, 9)
    os.waitpid(child, 0)
    assert _is_gone(worker)


def _number_in(path: Path) -> int:
    for _ in range(600):
        if path.exists() and path.read_text():
            return int(path.read_text())
        time.sleep(0.05)
    raise AssertionError("the worker never came to its method")


def _is_gone(process: int) -> bool:
    for _ in range(100):
        status = Path(f"/proc/{process}/status")
        if not status.exists() or "Z (zombie)" in status.read_text():
            return True
        time.sleep(0.05)
    return False
