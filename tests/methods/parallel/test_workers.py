"""Worker processes: how they end, and what is said when one of them does so too early."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays
from gradmark.layer import NamedLayer
from gradmark.measuring.forked import in_child
from methods.reverse.parallel import keeping
from methods.reverse.parallel.data_parallel_backprop import DataParallelBackprop
from methods.reverse.parallel.pipeline_backprop import PipelineBackprop
from methods.reverse.parallel.pool import WorkerError
from tests.methods.cases import CASES, reference, relative_error, rounding
from tests.methods.parallel.faulty_layers import Refusing

ROOT = Path(gradmark.__file__).parents[1]
PATIENCE = 60.0
SCRIPT = """
import gradmark
problem = gradmark.get_problem("mlp", widths=(64, 4, 10), batch=7)
prepared = gradmark.get_method("data_parallel_backprop").prepare(problem)
gradient = prepared(problem.parameters).gradient
print(*prepared.processes, flush=True)
"""


def prepared(method: Any = None) -> Any:
    problem = CASES["mlp tanh mse"](Arrays())
    return problem, (method or DataParallelBackprop()).prepare(problem)


def there(process: int) -> bool:
    """Whether a process runs, or has ended and nobody has taken notice (a zombie)."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def state(process: int) -> str:
    """The letter for what a process is doing; empty where it is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def all_gone(processes: Sequence[int], seconds: float = PATIENCE) -> bool:
    """Whether they are, within some time; another process's children may stay zombies until it looks."""
    until = time.monotonic() + seconds
    while any(state(each) not in ("", "Z") for each in processes):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_a_killed_worker_is_named_the_others_end_and_the_next_call_starts_new_ones() -> None:
    problem, function = prepared()
    first = function.processes
    os.kill(first[1], signal.SIGKILL)
    start = time.monotonic()
    with pytest.raises(WorkerError) as trouble:
        function(problem.parameters)
    assert time.monotonic() - start < 30
    assert str(trouble.value).startswith(f"mlp: worker 1 of 2 (process {first[1]}) was ended by SIGKILL")
    assert not any(there(each) for each in first)
    gradient = function(problem.parameters).gradient
    assert relative_error(gradient, reference(problem)) <= rounding("float64")
    assert not set(function.processes) & set(first)


@pytest.mark.parametrize("method", [DataParallelBackprop(timeout=2), PipelineBackprop(timeout=2)])
def test_a_worker_that_stands_still_is_named_when_the_time_is_over(method: Any) -> None:
    problem, function = prepared(method)
    function(problem.parameters)
    stopped = function.processes
    os.kill(stopped[1], signal.SIGSTOP)
    start = time.monotonic()
    with pytest.raises(WorkerError, match=r"worker 1 of 2 .* did not answer within 2 s"):
        function(problem.parameters)
    assert 1.9 < time.monotonic() - start < 30
    assert not any(there(each) for each in stopped)


@pytest.mark.parametrize(
    ("method", "whose"), [(DataParallelBackprop(), r"\d"), (PipelineBackprop(micro_batches=2), "1")]
)
def test_what_a_worker_raises_is_told_with_its_name(method: Any, whose: str) -> None:
    """Each has rows whose outputs are refused; of the stages it is the last that has the outputs."""
    problem = CASES["mlp tanh mse"](Arrays())
    layers = (*problem.layers, NamedLayer("last", Refusing(problem.arrays)))
    problem = replace(problem, layers=layers)
    function = method.prepare(problem)
    bias = f"layers.{len(layers) - 2}.bias"
    positive = {**problem.parameters, bias: problem.parameters[bias] + 100}
    assert np.isfinite(function(positive).value)
    workers = function.processes
    said = rf"worker {whose} of 2 .* raised ArithmeticError: a negative number"
    with pytest.raises(WorkerError, match=said):
        function({**problem.parameters, bias: problem.parameters[bias] - 100})
    assert not any(there(each) for each in workers)


def test_functions_share_workers_and_the_last_one_to_be_closed_ends_them() -> None:
    problem, one = prepared()
    _, other = prepared(DataParallelBackprop(timeout=30))
    workers = one.processes
    assert other.processes == workers
    one.close()
    one.close()
    value = float(other(problem.parameters).value)
    other.close()
    assert not any(there(each) for each in workers)
    assert float(one(problem.parameters).value) == value
    one.close()


def test_workers_that_nobody_uses_end_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "_IDLE", 0.05)
    _, function = prepared()
    workers = function.processes
    del function
    assert all_gone(workers)


def test_a_fork_starts_workers_of_its_own() -> None:
    problem, function = prepared()
    value = float(function(problem.parameters).value)
    assert in_child(lambda: float(function(problem.parameters).value)) == value
    assert float(function(problem.parameters).value) == value


def test_a_script_needs_no_guard_and_leaves_nobody_behind(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    ended = subprocess.run(
        [sys.executable, script], cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=120
    )
    workers = [int(each) for each in ended.stdout.split()]
    assert len(workers) == 2 and ended.stderr == ""
    assert all_gone(workers)


def test_workers_end_when_the_process_that_started_them_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT + "import time; time.sleep(600)\n")
    with subprocess.Popen(
        [sys.executable, script], cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        workers = [int(each) for each in process.stdout.readline().split()]
        process.kill()
    assert len(workers) == 2
    assert all_gone(workers)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}
