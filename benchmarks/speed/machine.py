"""One thread on one CPU, and what the numbers were measured on."""

import importlib.util
import os
import sys


def use_one_cpu() -> None:
    """Pin this process, before a numerical library is imported."""
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def print_libraries() -> None:
    """The CPU, each BLAS with its kernels, and what may have disturbed."""
    from gradmark.run.environment import describe

    backends = {backend for backend in ("numpy", "torch", "jax") if importlib.util.find_spec(backend)}
    environment = describe(backends, 1, sys.argv, None)
    print(f"{environment['cpu']}, one pinned thread of {os.cpu_count()}")
    for pool in environment["blas"]:
        keys = ("internal_api", "user_api", "version", "architecture")
        print("  " + " ".join(str(pool[key]) for key in keys if pool.get(key)))
    for warning in environment["warnings"]:
        print(f"  warning: {warning}")
