"""The grid that the suite runs over, and a cell of it: a method and a problem it supports.

Four environment variables change the grid; what they add stands behind the built-in values, so that history
does not split:

- ``GRADMARK_METHODS=my_method.py:name,...`` and ``GRADMARK_PROBLEMS=my_problem.py:name,...``: what else to
  measure; paths are relative to the folder that holds `benchmarks/`.
- ``GRADMARK_DEVICES=cpu,cuda``: the devices.
- ``GRADMARK_GRID=full``: every method and problem at every size, for all quantities (hours).
"""

import math
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

# For the fork server, which hands them to every cell. Nothing of torch may run: a child of its threads hangs.
import pandas  # noqa: F401
import torch  # noqa: F401
from asv_runner.benchmarks.mark import SkipNotImplemented

from gradmark.arrays import Arrays
from gradmark.errors import UsageError
from gradmark.method import Method
from gradmark.parameters import size as parameter_count
from gradmark.problem import Problem
from gradmark.run.records import Group

METHODS: tuple[str, ...] = (
    *("backprop", "autograd", "tangent", "jvp", "forward_gradient"),
    *("forward_difference", "central_difference", "complex_step", "gaussian_es", "jax_grad"),
)
MORE = (
    *("path_sum", "func_grad", "compiled", "hips_autograd"),
    *("checkpointed_backprop", "reversible_backprop", "torch_checkpoint"),
    *("mixed_precision_backprop", "torch_autocast", "clipped_by_norm", "clipped_by_value"),
    *("node_tangent", "activity_perturbation", "divided_difference"),
    *("weight_difference", "node_difference"),
    *("low_rank_es", "node_perturbation", "hadamard_node_es"),
)
"""Variants and peers of the methods above, in the full grid alone: the default one is kept small."""
_KIN = "a variant or a peer of a method in the grid: `gradmark run` compares them"
LEFT_OUT = {
    **dict.fromkeys(("forward_ad", "jax_jvp", "dual_numbers", "backward_difference"), _KIN),
    **dict.fromkeys(("stencil_difference", "richardson", "adaptive_difference"), _KIN),
    **dict.fromkeys(("scipy_difference", "scipy_jacobian", "numdifftools_gradient"), _KIN),
    "gradient_difference": "it computes Hessians, and the suite measures gradients",
    **dict.fromkeys(("spsa", "sphere_es", "orthogonal_es", "sobol_es", "least_squares_es", "mezo"), _KIN),
    **dict.fromkeys(("guided_es", "control_variate", "evosax_open_es", "evotorch_pgpe"), _KIN),
    **dict.fromkeys(("persistent_es", "noise_reuse_es"), "it walks in time, which no problem here has"),
    **dict.fromkeys(("data_parallel_backprop", "pipeline_backprop", "distributed_es"), "it starts processes"),
}
"""Registered methods that the suite does not measure, and why; ``gradmark run`` does."""
PROBLEMS = ("mlp", "logistic_regression", "quadratic", "rosenbrock", "log_sum_exp")
"""Those whose size is one number here; the networks of other layers are measured by `benchmarks.speed`."""
SIZES = (100, 300, 1_000, 3_000, 10_000, 30_000, 100_000)
"""Numbers of parameters; a network comes as near to them as its widths allow."""

_MOST_WORK = 1e11
"""Multiplications of one call, above which a cell would take minutes and is left out."""
_ROOT = Path(__file__).parents[1]


def _extra(variable: str) -> dict[str, str]:
    """What an environment variable adds: its short name in the grid, and the name by which it is found."""
    listed = [name.strip() for name in os.environ.get(variable, "").split(",") if name.strip()]
    found = {}
    for name in listed:
        path, separator, attribute = name.rpartition(":")
        if separator and not (_ROOT / path).is_file():
            raise UsageError(f"{variable}: there is no file {_ROOT / path}; give path/to/file.py:name.")
        short = f"{Path(path).name}:{attribute}" if separator else name
        found[short] = f"{_ROOT / path}:{attribute}" if separator else name
    return found


_EXTRA_METHODS = _extra("GRADMARK_METHODS")
_EXTRA_PROBLEMS = _extra("GRADMARK_PROBLEMS")


def grid(problems: tuple[str, ...], sizes: tuple[int, ...]) -> list[list[Any]]:
    """asv's `params`: every method on `problems` at `sizes`; the full grid where it is asked for."""
    methods = METHODS
    if os.environ.get("GRADMARK_GRID") == "full":
        methods, problems, sizes = (*METHODS, *MORE), PROBLEMS, SIZES
    devices = os.environ.get("GRADMARK_DEVICES", "cpu").split(",")
    return [[*methods, *_EXTRA_METHODS], [*problems, *_EXTRA_PROBLEMS], list(sizes), devices]


@dataclass(frozen=True)
class Cell:
    """A method, and a problem that it supports."""

    method: Method
    problem: Problem


class Grid:
    """A benchmark of this suite: `setup` finds the cell or says why there is none."""

    param_names: ClassVar = ["method", "problem", "size", "device"]
    version = "1"
    timeout = 120
    cell: Cell

    def setup(self, method: str, problem: str, size: int, device: str) -> None:
        """Find the cell; a repeated call costs nothing."""
        self.cell = cell(method, problem, size, device)


@cache
def cell(method_name: str, problem_name: str, size: int, device: str) -> Cell:
    """The cell of these parameters. Raises `SkipNotImplemented` with the reason why there is none."""
    from gradmark.registry import list_methods, list_problems
    from gradmark.run.plan import MethodCall
    from gradmark.run.resolving import build_method

    _check_known("method", method_name, [*list_methods(), *_EXTRA_METHODS])
    _check_known("problem", problem_name, [*list_problems(), *_EXTRA_PROBLEMS])
    method = build_method(MethodCall(_EXTRA_METHODS.get(method_name, method_name)))
    backend = _backend(method, device)
    problem = _problem(_EXTRA_PROBLEMS.get(problem_name, problem_name), size, device, backend)
    if reason := method.supports(problem) or _too_much_work(method, problem):
        raise SkipNotImplemented(f"{method_name} on {problem_name}: {reason}")
    return Cell(method, problem)


def measured(cell: Cell, group: Group, field: str, **options: Any) -> float:
    """One field of ``gradmark.measure(method, problem, quantities=[group])``.

    NaN becomes infinity: asv takes it for a skipped cell. Raises `SkipNotImplemented` where the cell was
    skipped and RuntimeError where it failed, with the reason.
    """
    import gradmark

    row = gradmark.measure(cell.method, cell.problem, quantities=[group], **options)
    if row["status"] == "skipped":
        raise SkipNotImplemented(row["reason"])
    if row["status"] != "done":
        raise RuntimeError(f"{row['status']}: {row['reason']}")
    return math.inf if math.isnan(row[field]) else float(row[field])


def _check_known(kind: str, name: str, known: list[str]) -> None:
    """An older commit, measured with this suite, need not have all that the grid lists."""
    if name not in known:
        raise SkipNotImplemented(f"this version of gradmark has no {kind} {name}")


def _backend(method: Method, device: str) -> str:
    """The first backend that the method, the device and this machine have in common."""
    reason = f"it has no backend for {device}"
    for backend in ("numpy", "torch", "jax"):
        if backend in method.claims.backends and (device == "cpu" or backend != "numpy"):
            try:
                Arrays(backend, device)
            except UsageError as error:
                reason = str(error)
            else:
                return backend
    raise SkipNotImplemented(reason)


def _problem(name: str, size: int, device: str, backend: str) -> Problem:
    """The problem nearest to `size` parameters, in float64."""
    from gradmark.run.plan import Comparison
    from gradmark.run.resolving import build_problem

    sizes = _sizes(name, size)
    return build_problem(Comparison("asv", name, sizes, (), backend=backend, device=device, dtype="float64"))


def _sizes(name: str, size: int) -> dict[str, Any]:
    """The arguments that give problem `name` about `size` parameters."""
    from gradmark.registry import load
    from gradmark.run.declared import defaults
    from problems.mlp import widths_for

    arguments = defaults(load("problem", name))
    if "widths" in arguments:
        return {"widths": widths_for(size)}
    if "size" in arguments:
        return {"size": size}
    if size != SIZES[0]:
        raise SkipNotImplemented(f"{name} has one size only, and stands at {SIZES[0]}")
    return {}


def _too_much_work(method: Method, problem: Problem) -> str | None:
    """The reason why one call would take minutes, or None."""
    if method.claims.work is None:
        return None
    passes = method.claims.work(problem).passes
    parameters = parameter_count(problem.parameters)
    if passes * (problem.flops or parameters) <= _MOST_WORK:
        return None
    return f"{passes:.0f} passes at {parameters} parameters take minutes"
