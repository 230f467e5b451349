"""The array libraries gradmark runs on, and which of their devices this machine has."""

import importlib
import importlib.util
from typing import Any

_NAMESPACES = {
    "numpy": "array_api_compat.numpy",
    "torch": "array_api_compat.torch",
    "jax": "jax.numpy",
    "array_api_strict": "array_api_strict",
}
BACKENDS = tuple(_NAMESPACES)
"""The names of the backends."""
TRACED_NUMPY = {"autograd": "gradmark.autograd_namespace"}
"""NumPy's arrays under functions that another library traces: for the method that moves a problem there.

Nobody chooses these, so they are not offered among the others.
"""


def installed(backend: str) -> bool:
    """Whether the library of `backend` can be imported here.

    >>> installed("numpy")
    True
    """
    return importlib.util.find_spec(backend) is not None


def namespace(backend: str) -> Any:
    """The array namespace of `backend`, as array-api-compat gives it, set to compute what it is asked for.

    JAX is switched to 64 bits, without which it turns float64 into float32. torch's TF32 is switched off,
    which keeps only 10 bits of the factors of a float32 product.
    """
    if backend == "jax":
        importlib.import_module("jax").config.update("jax_enable_x64", True)
    if backend == "torch":
        torch = importlib.import_module("torch")
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    return importlib.import_module({**_NAMESPACES, **TRACED_NUMPY}[backend])


def device_object(backend: str, device: str) -> Any:
    """What `backend` wants to be given for the device named `device`."""
    if backend == "array_api_strict":
        strict = importlib.import_module("array_api_strict")
        return strict.Device("CPU_DEVICE" if device == "cpu" else device)
    if backend == "jax":
        return importlib.import_module("jax").devices(device)[0]
    return device


def reason_against_device(backend: str, device: str) -> str | None:
    """Why `backend` has no `device` on this machine; None where it has."""
    return _REASONS[backend](device)


def _numpy_reason(device: str) -> str | None:
    return None if device == "cpu" else "NumPy arrays live on the cpu"


def _torch_reason(device: str) -> str | None:
    torch = importlib.import_module("torch")
    try:
        kind, index = torch.device(device).type, torch.device(device).index or 0
    except RuntimeError:
        kind, index = None, 0
    if kind not in ("cpu", "cuda", "meta"):
        return "allowed are cpu, cuda, cuda:0 (and so on) and meta"
    if kind == "cuda" and not torch.cuda.is_available():
        return "this machine shows torch no CUDA device; use cpu"
    if kind == "cuda" and index >= torch.cuda.device_count():
        return f"this machine has {torch.cuda.device_count()} CUDA device(s), counted from cuda:0"
    return None


def _jax_reason(device: str) -> str | None:
    if device not in ("cpu", "gpu", "cuda"):
        return "allowed are cpu, gpu and cuda"
    try:
        importlib.import_module("jax").devices(device)
    except RuntimeError:
        return "JAX finds no such device here; use cpu"
    return None


def _strict_reason(device: str) -> str | None:
    allowed = ("cpu", "device1", "device2")
    return None if device in allowed else f"allowed are its pretended devices {', '.join(allowed)}"


_REASONS = {
    "numpy": _numpy_reason,
    "autograd": _numpy_reason,
    "torch": _torch_reason,
    "jax": _jax_reason,
    "array_api_strict": _strict_reason,
}
