"""What is needed to repeat a check."""

import platform
import sys
from typing import Any

from gradmark.judging.checking.task import Task

_LIBRARIES = ("numpy", "torch", "jax")


def record(task: Task) -> dict[str, Any]:
    """Seed, arrays and versions, of the libraries that are loaded; threads where torch is."""
    from gradmark import __version__

    loaded = {name: sys.modules[name] for name in _LIBRARIES if name in sys.modules}
    versions = {name: str(getattr(module, "__version__", "")) for name, module in loaded.items()}
    arrays = task.space.arrays
    found: dict[str, Any] = {
        "seed": task.seed,
        "backend": arrays.backend,
        "device": arrays.device,
        "dtype": arrays.dtype,
        "parameters": task.space.size,
        "gradmark": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": versions,
    }
    if "torch" in loaded:
        found["threads"] = loaded["torch"].get_num_threads()
    return found
