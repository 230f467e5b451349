"""Made-up runs for the report's tests: a full one with all studies, skips, failures and timeouts."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _load_synthetic() -> ModuleType:
    """The sibling module `synthetic`; test folders are not packages."""
    spec = importlib.util.spec_from_file_location("synthetic", Path(__file__).with_name("synthetic.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["synthetic"] = module
    spec.loader.exec_module(module)
    return module


synthetic = _load_synthetic()

MLP = {"activation": "tanh", "loss": "cross_entropy", "data": "digits", "batch": 256}
HIDDEN = {1060: 14, 3235: 43, 10060: 134, 32035: 427, 100060: 1334, 1000510: 13340}
"""Hidden width of the network 64-w-10 by its number of parameters 75 w + 10."""
DEFAULTS = {
    "gaussian_es": {"pairs": 64, "sigma": 0.01},
    "forward_gradient": {"directions": 64},
    "forward_difference": {"step": None},
    "central_difference": {"step": None},
}
SLOW = {"forward_difference", "central_difference", "complex_step", "tangent", "jvp"}
REASON = "took longer than 20 s"


def add_cost(run: Any) -> None:
    """Every method over P on three backends and two dtypes; the slow ones time out at 1e5."""
    for backend in ("numpy", "torch", "jax"):
        for dtype in ("float64", "float32"):
            for P, hidden in HIDDEN.items():
                sizes = MLP | {"widths": [64, hidden, 10]}
                place = {"backend": backend, "dtype": dtype}
                flops = run.key("mlp", sizes, "plain forward", **place)
                run.add(flops, "case", None, "cost", detail={"P": P, "depth": 2, "rows": 256})
                seconds = sum(a * b for a, b in zip(synthetic.FORWARD_SECONDS[backend], (1, P), strict=True))
                detail = {"flops_per_second": 512 * P / seconds}
                run.add(flops, "time", seconds, "cost", unit="s", low=seconds, high=seconds, detail=detail)
                for method in synthetic.FAMILY:
                    hyper = DEFAULTS.get(method, {})
                    _add_method(run, run.key("mlp", sizes, method, hyper=hyper, **place), P)


def _add_method(run: Any, key: dict[str, Any], P: int) -> None:
    method = key["method"]
    allowed = synthetic.BACKENDS.get(method)
    if allowed and key["backend"] not in allowed:
        reason = f"it runs on {', '.join(allowed)}, not on the {key['backend']} backend"
        run.case(key, "cost", P, 2, status="skipped", reason=reason)
    elif method == "complex_step" and key["dtype"] == "float32":
        run.case(
            key, "cost", P, 2, status="skipped", reason="it needs complex64, in which tanh is too coarse"
        )
    elif method in SLOW and P > 2e5:
        run.case(key, "cost", P, 2, status="skipped", reason="a smaller size timed out")
    elif method in SLOW and P > 5e4:
        run.case(key, "cost", P, 2, status="timed out", reason=REASON)
    elif method == "jax_grad" and P > 5e5 and key["dtype"] == "float32":
        run.case(key, "cost", P, 2, status="failed", reason="RuntimeError: <script>alert(1)</script>")
    else:
        run.measure(key, "cost", P)


def add_functions(run: Any) -> None:
    """Test functions of 1e2 to 1e4 arguments."""
    for problem in ("quadratic", "rosenbrock", "log_sum_exp"):
        for size in (100, 316, 1000, 3162, 10000):
            for method in synthetic.FAMILY:
                if method == "backprop" or "numpy" not in synthetic.BACKENDS.get(method, {"numpy"}):
                    continue
                hyper = DEFAULTS.get(method, {})
                run.measure(run.key(problem, {"size": size}, method, hyper=hyper), "functions", size, None)


def add_steps(run: Any) -> None:
    """Step sweeps of the two differences in two dtypes."""
    sizes = MLP | {"widths": [64, 14, 10]}
    for dtype in ("float64", "float32"):
        for method in synthetic.ORDER:
            for exponent in range(-12, 0):
                hyper = {"step": 10.0**exponent}
                key = run.key("mlp", sizes, method, hyper=hyper, dtype=dtype)
                run.measure(key, "steps", 1060, what="error")


def add_samples(run: Any) -> None:
    """Sweeps of the number of samples of the stochastic methods at two sizes."""
    for P in (1060, 10060):
        for method, field in synthetic.SAMPLES.items():
            for samples in (4, 16, 64, 256, 1024):
                key = run.key("mlp", MLP | {"widths": [64, HIDDEN[P], 10]}, method, backend="numpy")
                key["hyper"] = DEFAULTS[method] | {field: samples}
                run.measure(key, "samples", P, what="error work")


def add_depth(run: Any) -> None:
    """Peak memory over depth at constant width."""
    for depth in (2, 4, 8, 16, 32):
        widths = [64] * depth + [10]
        for method in ("backprop", "tangent", "central_difference", "gaussian_es", "forward_gradient"):
            key = run.key("mlp", MLP | {"widths": widths}, method, hyper=DEFAULTS.get(method, {}))
            run.measure(key, "depth", 4160 * (depth - 1) + 650, depth, what="memory")


@pytest.fixture(scope="session")
def full_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with all the studies."""
    run = synthetic.SyntheticRun()
    for study in (add_cost, add_functions, add_steps, add_samples, add_depth):
        study(run)
    return Path(run.write(tmp_path_factory.mktemp("runs") / "full"))


@pytest.fixture
def synthetic_run() -> Any:
    """An empty run to add records to."""
    return synthetic.SyntheticRun()
