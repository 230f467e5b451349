"""A run that is killed at any moment loses nothing that it had recorded, and repeats nothing."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from gradmark.run.plan import Comparison
from gradmark.run.records import PLAIN_FORWARD, QUANTITIES
from gradmark.run.store import RECORDS, read_records
from tests.run.plans import IMPOSTORS, call

ROOT = Path(__file__).parents[2]
KILLS = 20
SIZES = range(2, 14)
TAGS = range(3)
PLAN = [
    Comparison(
        "cost",
        f"{IMPOSTORS}:sphere",
        {"size": size},
        tuple(call("honest", tag=tag) for tag in TAGS),
        ("time", "error", "work"),
    )
    for size in SIZES
]
RUN = """
import sys
from pathlib import Path
from gradmark.run.execute import execute, prepared
from gradmark.run.store import opened
from tests.run.test_kill import PLAN
with opened(Path(sys.argv[1])) as store:
    execute(prepared(PLAN[: int(sys.argv[2])]), store)
"""


def start(folder: Path, comparisons: int = len(PLAN)) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", RUN, str(folder), str(comparisons)], cwd=ROOT)


def seconds_of_one_comparison(folder: Path) -> float:
    begin = time.monotonic()
    assert start(folder, comparisons=1).wait() == 0
    return time.monotonic() - begin


def whole_lines(folder: Path) -> list[bytes]:
    path = folder / RECORDS
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def test_twenty_kills_at_random_moments_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    moments, interrupted = random.Random(0), 0
    usual = seconds_of_one_comparison(tmp_path / "calibration")
    for _ in range(KILLS):
        before = whole_lines(tmp_path)
        process = start(tmp_path)
        try:
            process.wait(timeout=usual * moments.uniform(0.3, 1.3))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            interrupted += 1
        assert whole_lines(tmp_path)[: len(before)] == before
    assert interrupted >= KILLS // 2
    assert start(tmp_path).wait() == 0
    records = read_records(tmp_path)
    assert len(whole_lines(tmp_path)) == len(records), "a quantity was recorded twice"
    methods = {"case", *(name for group in ("time", "error", "work") for name in QUANTITIES[group])}
    expected = len(PLAN) * (len(TAGS) * len(methods) + len({"case", "time"}))
    assert len(records) == expected
    assert all(record.status == "done" for record in records)
    assert {record.key["method"] for record in records} == {PLAIN_FORWARD, "impostors.py:honest"}
