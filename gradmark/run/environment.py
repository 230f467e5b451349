"""Where a run was measured: machine, versions, BLAS kernels and threads, devices, commit.

``python -P -m gradmark.run.environment THREADS BACKEND...`` prints it as JSON. It is asked of a process
of its own that has the workers' environment, because a library reads its variables when it is loaded.
"""

import importlib.metadata
import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from gradmark.arguments import memory_bytes
from gradmark.run.kernels import VARIABLES, cpu_flags, warnings
from gradmark.run.process import environment as worker_variables

_PACKAGES = ("numpy", "scipy", "torch", "jax", "jaxlib", "array-api-compat", "scikit-learn", "pandas")
_BUSY = 0.5
"""Foreign load in CPUs from which on timings are doubtful: a pinned worker may lose its CPU half the time."""


def describe(
    backends: Iterable[str], threads: int, command: Sequence[str], profile: str | None
) -> dict[str, Any]:
    """The environment of a run on these backends, as `environment.json` holds it."""
    here = _asked_of_a_worker(backends, threads)
    variables = {name: os.environ[name] for name in VARIABLES if name in os.environ}
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shlex.join(command),
        "profile": profile,
        **commit(),
        **here,
        "variables": variables,
        "warnings": [*warnings(variables, cpu_flags()), *_load_warnings()],
    }


def commit() -> dict[str, Any]:
    """The commit of the source tree gradmark runs from, and whether it has changes; null outside of git."""
    root = Path(__file__).resolve().parents[2]
    top = _git(root, "rev-parse", "--show-toplevel")
    if top is None or Path(top).resolve() != root:
        return {"commit": None, "dirty": None}
    return {
        "commit": _git(root, "rev-parse", "HEAD"),
        "dirty": bool(_git(root, "status", "--porcelain", "--untracked-files=no")),
    }


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What a resumed run finds changed: numbers from before and after should not be compared lightly."""
    changed = [name for name in ("cpu", "commit", "dirty", "python") if before.get(name) != now.get(name)]
    if _choices(before) != _choices(now):
        changed.append("variables")
    old, new = before.get("versions") or {}, now.get("versions") or {}
    changed += [
        f"{name} {old[name]} -> {new[name]}" for name in old if name in new and old[name] != new[name]
    ]
    return changed


def _choices(environment: Mapping[str, Any]) -> dict[str, str]:
    """The recorded variables without the numbers of threads, which workers get from their comparison."""
    variables = environment.get("variables") or {}
    return {name: value for name, value in variables.items() if not name.endswith("_NUM_THREADS")}


def in_this_process(backends: Iterable[str], threads: int) -> dict[str, Any]:
    """Machine, versions, libraries and devices, with the libraries of `backends` loaded."""
    for backend in backends:
        import_module(backend)
    from gradmark.measuring.threads import in_use

    return {
        "gradmark": importlib.metadata.version("gradmark"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": platform.node(),
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_bytes": memory_bytes(),
        "versions": _versions(),
        "blas": in_use(),
        "threads": threads,
        **_devices(),
    }


def _asked_of_a_worker(backends: Iterable[str], threads: int) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "gradmark.run.environment", str(threads), *sorted(backends)]
    answer = subprocess.run(
        command, env=worker_variables(threads), capture_output=True, text=True, check=False
    )
    if answer.returncode != 0:
        last = (answer.stderr.strip().splitlines() or ["no message"])[-1]
        return {"error": f"the environment could not be described: {last}"}
    described: dict[str, Any] = json.loads(answer.stdout)
    return described


def _versions() -> dict[str, str]:
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _devices() -> dict[str, Any]:
    """CUDA devices as torch sees them, and whether it may use TF32; nothing where torch isn't loaded."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return {"devices": [], "tf32": None}
    names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return {"devices": names, "tf32": bool(torch.backends.cuda.matmul.allow_tf32)}


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())


def _load_warnings() -> list[str]:
    load = os.getloadavg()[0]
    if load < _BUSY:
        return []
    return [f"other processes kept {load:.1f} CPUs busy in the last minute: timings may be noisy."]


def _git(root: Path, *arguments: str) -> str | None:
    try:
        answer = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None


if __name__ == "__main__":
    print(json.dumps(in_this_process(sys.argv[2:], int(sys.argv[1]))))
