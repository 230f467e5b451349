"""The speed of hand-derived backpropagation beside what people use, in one interleaved run: ``make speed``.

A dense tanh network in float32 with 256 rows, one pinned thread. For each size it prints the time of a
gradient by each method, its cost in forward passes of the same backend, and how many times as long its peers
take as `backprop` on NumPy and on torch. Whole gradients are bounded by how fast each library multiplies
matrices here, so the rate of one product of the layers' own shape is measured in the same run.
"""

import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

WIDTHS = {"1e4": (16, 64, 64, 64, 10), "1e6": (512, 512, 512, 512, 512)}
ROWS = 256
METHODS = (
    ("numpy", "backprop"),
    ("torch", "backprop"),
    ("torch", "autograd"),
    ("jax", "backprop"),
    ("jax", "jax_grad"),
)
SECONDS = 20.0
"""Time given to each size."""


def main() -> None:
    """Print the tables."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    _print_libraries()
    for label, widths in WIDTHS.items():
        _print_size(label, widths)
    _print_start_up()


def _print_size(label: str, widths: tuple[int, ...]) -> None:
    from gradmark.measuring.flops import gradient_flops
    from gradmark.measuring.threads import pinned
    from gradmark.measuring.time import interleaved, time_ratio

    calls, problem = _calls(widths)
    flops = gradient_flops(problem)
    assert flops is not None, "dense layers know their FLOPs"
    with pinned(1):
        timings = interleaved(calls, synchronize=lambda: None, budget=SECONDS)
    print(f"\nP = {label}: widths {widths}, {ROWS} rows, float32; a gradient is {flops / 1e6:.0f} MFLOP")
    print(f"{'':17}{'median':>12}{'forward passes':>20}{'by numpy backprop':>20}{'by torch backprop':>20}")
    for name, timing in timings.items():
        backend, _, what = name.partition(" ")
        row = f"{name:17}{timing.median * 1e6:9.1f} us"
        if what == "product":
            print(f"{row}{2 * ROWS * widths[1] ** 2 / timing.median / 1e9:12.0f} GFLOP/s")
            continue
        bases = [f"{backend} forward"]
        if what in ("autograd", "jax_grad"):
            bases += ["numpy backprop", "torch backprop"]
        print(row + "".join(f"{_interval(time_ratio(timing, timings[base])):>20}" for base in bases))


def _interval(ratio: Any) -> str:
    return f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"


def _calls(widths: tuple[int, ...]) -> tuple[dict[str, Callable[[], object]], Any]:
    """A zero-argument call for each product, forward pass and gradient."""
    import gradmark

    calls: dict[str, Callable[[], object]] = {}
    problem: Any = None
    for backend, method in METHODS:
        if backend == "jax" and importlib.util.find_spec("jax") is None:
            continue
        problem = gradmark.get_problem(
            "mlp", widths=widths, data="synthetic", loss="mse", batch=ROWS, backend=backend, dtype="float32"
        )
        if f"{backend} forward" not in calls:
            calls[f"{backend} product"] = _product(backend, widths[1])
            forward = problem.plain_forward()
            calls[f"{backend} forward"] = partial(forward, problem.parameters, problem.default_draw)
        gradient = gradmark.get_method(method).prepare(problem)
        calls[f"{backend} {method}"] = partial(gradient, problem.parameters)
    return calls, problem


def _product(backend: str, width: int) -> Callable[[], object]:
    """x W^T of a layer's own shape, into a buffer where the library can."""
    from gradmark.arrays import Arrays
    from gradmark.random import generator

    arrays, random = Arrays(backend, dtype="float32"), generator(0, "data")
    x = arrays.array(random.standard_normal((ROWS, width)))
    w = arrays.array(random.standard_normal((width, width)))
    xp = arrays.xp
    if backend == "jax":
        import jax

        compiled = jax.jit(lambda x, w: x @ w.T)
        return lambda: compiled(x, w).block_until_ready()
    out = xp.empty((ROWS, width), dtype=arrays.dtype_object)
    return lambda: xp.matmul(x, w.T, out=out)


def _print_libraries() -> None:
    from gradmark.run.environment import describe

    backends = {backend for backend, _ in METHODS if importlib.util.find_spec(backend)}
    environment = describe(backends, 1, sys.argv, None)
    print(f"{environment['cpu']}, one pinned thread of {os.cpu_count()}")
    for pool in environment["blas"]:
        print(
            "  "
            + " ".join(
                str(pool[key])
                for key in ("internal_api", "user_api", "version", "architecture")
                if pool.get(key)
            )
        )
    for warning in environment["warnings"]:
        print(f"  warning: {warning}")


def _print_start_up() -> None:
    """The best of five starts, in seconds; a start is a new process."""
    commands = {
        "gradmark --help": ["-m", "gradmark", "--help"],
        "import gradmark": ["-c", "import gradmark"],
    }
    print()
    for name, arguments in commands.items():
        seconds = min(_seconds([sys.executable, *arguments]) for _ in range(5))
        print(f"{name:24}{seconds:9.3f} s")


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ})
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
