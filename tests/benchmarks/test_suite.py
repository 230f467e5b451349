"""The asv suite: its grid, its skips, and one real run of a few cells with what a user adds."""

import json
import math
import os
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.suite import ROOT, Results, asv, cloned_suite, stored_results

MOST_CELLS = 150

DESCRIBE = """
import importlib, json, pkgutil, benchmarks
found = {}
for module in pkgutil.iter_modules(benchmarks.__path__):
    for name, thing in vars(importlib.import_module(f"benchmarks.{module.name}")).items():
        for member in dir(thing) if isinstance(thing, type) else ():
            if member.startswith(("time_", "track_")):
                found[f"{module.name}.{name}.{member}"] = [thing.param_names, thing.params]
print(json.dumps(found))
"""


def described(folder: Path = ROOT, **environment: str) -> dict[str, dict[str, list[Any]]]:
    """The parameters of every benchmark in `folder`, as a process with these variables sees them."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GRADMARK_")}
    output = subprocess.run(
        [sys.executable, "-c", DESCRIBE],
        cwd=folder,
        env={**clean, **environment},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return {
        name: dict(zip(names, values, strict=True)) for name, (names, values) in json.loads(output).items()
    }


@pytest.fixture(scope="module")
def default_grid() -> dict[str, dict[str, list[Any]]]:
    return described()


def cells(grid: dict[str, dict[str, list[Any]]]) -> int:
    return sum(math.prod(map(len, parameters.values())) for parameters in grid.values())


def test_the_default_grid_is_small_and_covers_every_quantity(default_grid: Any) -> None:
    assert len(default_grid) == 5
    assert cells(default_grid) <= MOST_CELLS


def test_every_built_in_method_is_in_the_grid_or_left_out_for_a_reason(default_grid: Any) -> None:
    import gradmark
    from benchmarks.common import LEFT_OUT

    full = described(GRADMARK_GRID="full")
    for name, parameters in full.items():
        assert {*parameters["method"], *LEFT_OUT} == set(gradmark.list_methods())
        assert not set(parameters["method"]) & set(LEFT_OUT)
        assert parameters["method"][: len(default_grid[name]["method"])] == default_grid[name]["method"]
    assert all(LEFT_OUT.values())


def test_times_have_enough_sizes_to_fit_a_law(default_grid: Any) -> None:
    for name in ("timing.Timing.time_gradient", "cost.Cost.track_forward_passes"):
        assert len(default_grid[name]["size"]) >= 4


def test_what_a_user_adds_stands_behind_the_built_in_values(default_grid: Any, folder: Path) -> None:
    added = described(
        folder,
        GRADMARK_METHODS="mine.py:zeros,mine.py:nan",
        GRADMARK_PROBLEMS="mine.py:bowl",
        GRADMARK_DEVICES="cpu,cuda",
    )
    new = {
        "method": ["mine.py:zeros", "mine.py:nan"],
        "problem": ["mine.py:bowl"],
        "size": [],
        "device": ["cuda"],
    }
    for name, parameters in default_grid.items():
        assert added[name] == {key: [*values, *new[key]] for key, values in parameters.items()}


def test_the_full_grid_holds_the_default_one(default_grid: Any) -> None:
    full = described(GRADMARK_GRID="full")
    for name, parameters in default_grid.items():
        assert set(product(*parameters.values())) < set(product(*full[name].values()))


def test_a_file_that_is_not_there_is_named_before_anything_runs() -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        described(GRADMARK_METHODS="nowhere/mine.py:zeros")
    assert "GRADMARK_METHODS: there is no file" in caught.value.stderr


@pytest.mark.parametrize(
    ("cell_parameters", "reason"),
    [
        (("backprop", "rosenbrock", 1_000, "cpu"), "has no layers"),
        (("backprop", "logistic_regression", 300, "cpu"), "one size only"),
        (("tangent", "mlp", 100_000, "cpu"), "take minutes"),
        (("jvp", "mlp", 300, "cuda:99"), "cuda:99"),
        (("invented_later", "mlp", 300, "cpu"), "no method invented_later"),
    ],
)
def test_a_cell_that_cannot_be_says_why(cell_parameters: tuple[str, str, int, str], reason: str) -> None:
    from asv_runner.benchmarks.mark import SkipNotImplemented

    from benchmarks.common import cell

    with pytest.raises(SkipNotImplemented, match=reason):
        cell(*cell_parameters)


@pytest.mark.parametrize(
    ("method", "backend"), [("backprop", "numpy"), ("autograd", "torch"), ("jax_grad", "jax")]
)
def test_a_method_is_measured_on_the_first_backend_it_has(method: str, backend: str) -> None:
    from benchmarks.common import cell

    if backend == "jax":
        pytest.importorskip("jax", reason="jax is an optional peer")
    assert cell(method, "mlp", 300, "cpu").problem.arrays.backend == backend


MINE = """
import gradmark

@gradmark.gradient_method(family="reverse", exact=True, evaluations=lambda size: 0)
def zeros(problem, parameters, seed):
    return {name: 0 * array for name, array in parameters.items()}

@gradmark.gradient_method(family="reverse", exact=True, evaluations=lambda size: 0)
def nan(problem, parameters, seed):
    return {name: array * float("nan") for name, array in parameters.items()}

@gradmark.gradient_method(family="reverse", exact=True, evaluations=lambda size: 0)
def broken(problem, parameters, seed):
    raise ZeroDivisionError("on purpose")

@gradmark.vector_problem(start=lambda random, size: random.normal(size=size), gradient=lambda xp, x: 2 * x)
def bowl(xp, x):
    return xp.sum(x * x, axis=-1)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the suite, a user's file and one commit: asv writes into it, not into ours."""
    return cloned_suite(tmp_path_factory.mktemp("suite"), mine=MINE)


@pytest.fixture(scope="module")
def measured(folder: Path) -> tuple[int, Results]:
    """A quick run of the smallest cells, recorded as `make bench` records."""
    asv(folder, "machine", "--yes")
    run = asv(
        folder,
        *("run", "--python=same", "--set-commit-hash=HEAD", "--quick", "--show-stderr"),
        *("--bench", r"\('backprop', 'mlp', 300,"),
        *("--bench", r"evaluations.*\('central_difference', 'mlp', 300,"),
        *("--bench", r"accuracy.*\('(jvp|mine.py:\w+)', 'mine.py:bowl', 1000,"),
        GRADMARK_METHODS="mine.py:zeros,mine.py:nan,mine.py:broken",
        GRADMARK_PROBLEMS="mine.py:bowl",
    )
    return run.returncode, stored_results(folder)


def test_asv_finds_no_fault_in_the_suite(folder: Path) -> None:
    check = asv(folder, "check", "--python=same")
    assert check.returncode == 0, check.stdout + check.stderr
    assert "No problems found" in check.stdout


def test_every_quantity_of_a_built_in_method_is_measured(measured: Any) -> None:
    _, values = measured
    for name in (
        "timing.Timing.time_gradient",
        "cost.Cost.track_forward_passes",
        "memory.Memory.track_peak_bytes",
    ):
        value = values[name, "backprop", "mlp", "300", "cpu"]
        assert value is not None
        assert 0 < value < math.inf


def test_evaluations_are_counted(measured: Any) -> None:
    import gradmark.parameters
    from problems.mlp import mlp, widths_for

    _, values = measured
    size = gradmark.parameters.size(mlp(widths=widths_for(300)).parameters)
    name = "evaluations.Evaluations.track_evaluations"
    assert values[name, "backprop", "mlp", "300", "cpu"] == 1
    assert values[name, "central_difference", "mlp", "300", "cpu"] == 2 * size


def test_a_users_method_and_problem_are_judged_like_any_other(measured: Any) -> None:
    _, values = measured
    name = "accuracy.Accuracy.track_relative_error"
    exact = values[name, "jvp", "mine.py:bowl", "1000", "cpu"]
    # A sum of one product and a rounding for each coordinate: a few roundings of the largest.
    assert exact is not None
    assert exact < 8 * 2.0**-52
    assert values[name, "mine.py:zeros", "mine.py:bowl", "1000", "cpu"] == 1
    assert values[name, "mine.py:nan", "mine.py:bowl", "1000", "cpu"] == math.inf


def test_a_method_that_raises_fails_its_cells_alone_and_the_exit_code_says_so(measured: Any) -> None:
    code, values = measured
    assert code == 2
    assert (
        values["accuracy.Accuracy.track_relative_error", "mine.py:broken", "mine.py:bowl", "1000", "cpu"]
        is None
    )
