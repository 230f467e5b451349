"""Made-up runs for the report's tests: a full one with all studies, skips, failures and timeouts."""

from pathlib import Path
from typing import Any

import pytest

from reports import page, run, write
from tests.reports import synthetic

MLP = {"activation": "tanh", "loss": "cross_entropy", "data": "digits", "batch": 256}
HIDDEN = {1060: 14, 3235: 43, 10060: 134, 32035: 427, 100060: 1334, 1000510: 13340}
"""Hidden width of the network 64-w-10 by its number of parameters 75 w + 10."""
DEFAULTS = {
    "gaussian_es": {"pairs": 64, "sigma": 0.01},
    "forward_gradient": {"directions": 64},
    "forward_difference": {"step": None},
    "central_difference": {"step": None},
}
PLACES = (("numpy", "float64"), ("numpy", "float32"), ("torch", "float64"), ("jax", "float64"))
SLOW = {"forward_difference", "central_difference", "complex_step", "tangent", "jvp"}
REASON = "took longer than 20 s"


def add_cost(records: synthetic.SyntheticRun) -> None:
    """Every method over P; the slow ones time out at 1e5."""
    for backend, dtype in PLACES:
        for P, hidden in HIDDEN.items():
            sizes = MLP | {"widths": [64, hidden, 10]}
            place = {"backend": backend, "dtype": dtype}
            flops = records.key("mlp", sizes, "plain forward", **place)
            seconds = sum(a * b for a, b in zip(synthetic.FORWARD_SECONDS[backend], (1, P), strict=True))
            detail = {"flops_per_second": 512 * P / seconds}
            records.add(flops, "time", seconds, "cost", unit="s", low=seconds, high=seconds, detail=detail)
            for method in synthetic.FAMILY:
                key = records.key("mlp", sizes, method, hyper=DEFAULTS.get(method, {}), **place)
                _add_method(records, key, P)


def _add_method(records: synthetic.SyntheticRun, key: dict[str, Any], P: int) -> None:
    method = key["method"]
    allowed = synthetic.BACKENDS.get(method)
    if allowed and key["backend"] not in allowed:
        reason = f"it runs on {', '.join(allowed)}, not on the {key['backend']} backend"
        records.case(key, "cost", P, 2, status="skipped", reason=reason)
    elif method == "complex_step" and key["dtype"] == "float32":
        records.case(
            key, "cost", P, 2, status="skipped", reason="it needs complex64, in which tanh is too coarse"
        )
    elif method in SLOW and P > 2e5:
        records.case(key, "cost", P, 2, status="skipped", reason="a smaller size timed out")
    elif method in SLOW and P > 5e4:
        records.case(key, "cost", P, 2, status="timed out", reason=REASON)
    elif method == "jax_grad" and P > 5e5:
        records.case(key, "cost", P, 2, status="failed", reason="RuntimeError: <script>alert(1)</script>")
    else:
        records.measure(key, "cost", P)


def add_functions(records: synthetic.SyntheticRun) -> None:
    """Test functions of 1e2 to 1e4 arguments."""
    for problem in ("quadratic", "rosenbrock", "log_sum_exp"):
        for size in (100, 316, 1000, 3162, 10000):
            for method in synthetic.FAMILY:
                if method == "backprop" or "numpy" not in synthetic.BACKENDS.get(method, {"numpy"}):
                    continue
                hyper = DEFAULTS.get(method, {})
                records.measure(
                    records.key(problem, {"size": size}, method, hyper=hyper), "functions", size, None
                )


def add_steps(records: synthetic.SyntheticRun) -> None:
    """Step sweeps of the two differences in two dtypes."""
    sizes = MLP | {"widths": [64, 14, 10]}
    for dtype in ("float64", "float32"):
        for method in synthetic.ORDER:
            for exponent in range(-12, 0):
                hyper = {"step": 10.0**exponent}
                key = records.key("mlp", sizes, method, hyper=hyper, dtype=dtype)
                records.measure(key, "steps", 1060, what="error")


def add_samples(records: synthetic.SyntheticRun) -> None:
    """Sweeps of the number of samples of the stochastic methods at two sizes."""
    for P in (1060, 10060):
        for method, field in synthetic.SAMPLES.items():
            for samples in (4, 16, 64, 256, 1024):
                key = records.key("mlp", MLP | {"widths": [64, HIDDEN[P], 10]}, method, backend="numpy")
                key["hyper"] = DEFAULTS[method] | {field: samples}
                records.measure(key, "samples", P, what="error work")


def add_depth(records: synthetic.SyntheticRun) -> None:
    """Peak memory over depth at constant width."""
    for depth in (2, 4, 8, 16, 32):
        widths = [64] * depth + [10]
        for method in ("backprop", "tangent", "central_difference", "gaussian_es", "forward_gradient"):
            key = records.key("mlp", MLP | {"widths": widths}, method, hyper=DEFAULTS.get(method, {}))
            records.measure(key, "depth", 4160 * (depth - 1) + 650, depth, what="memory")


@pytest.fixture(scope="session")
def full_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with all the studies."""
    records = synthetic.SyntheticRun()
    for study in (add_cost, add_functions, add_steps, add_samples, add_depth):
        study(records)
    return records.write(tmp_path_factory.mktemp("runs") / "full")


@pytest.fixture
def synthetic_run() -> synthetic.SyntheticRun:
    """An empty run to add records to."""
    return synthetic.SyntheticRun()


@pytest.fixture(scope="session")
def full(full_run: Path) -> run.Run:
    """The full run as reports see it."""
    return run.read(full_run)


@pytest.fixture(scope="session")
def full_page(full: run.Run) -> page.Page:
    """The page of the full run."""
    return page.make(full)


@pytest.fixture(scope="session")
def report(full: run.Run, full_page: page.Page, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the full run's report."""
    return write.write(full_page, full, tmp_path_factory.mktemp("reports") / "full").parent
