"""Methods that start processes of their own, inside of the worker that measures them."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from gradmark.run.plan import Comparison, MethodCall
from gradmark.run.records import Record

Run = Callable[..., dict[str, dict[str, Record]]]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system has no affinities")
def test_what_a_pinned_process_starts_may_use_every_cpu_again() -> None:
    script = """
import os, subprocess, sys
from gradmark.run.cpus import settle, unsettle
settle(1)
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
before = len(os.sched_getaffinity(child.pid))
unsettle(child.pid)
print(before, len(os.sched_getaffinity(child.pid)))
child.communicate(b"go")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", str(len(os.sched_getaffinity(0)))]


def test_the_phases_of_a_call_are_kept_with_its_time(run: Run) -> None:
    methods = (MethodCall("backprop"), MethodCall("data_parallel_backprop", {"workers": 2}))
    sizes = {"widths": (64, 8, 10), "batch": 7}
    found = run(Comparison("parallel", "mlp", sizes, methods, ("time", "error")))
    phases = found["data_parallel_backprop"]["time"].detail["phases"]
    assert set(phases) == {"send", "compute", "communicate", "call"}
    assert max(phases.values()) == phases["call"]
    assert "phases" not in found["backprop"]["time"].detail
    assert found["data_parallel_backprop"]["case"].status == "done"
