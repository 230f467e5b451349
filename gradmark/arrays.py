"""Where a problem's arrays live: backend, device and dtype, behind the array API standard.

A problem is written once against the array namespace `xp` of its `Arrays`; NumPy, torch, JAX and
array-api-strict differ only here.
"""

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradmark.errors import UsageError, unknown_name

Array = Any
"""An array of any backend. Its namespace is that of the problem it belongs to."""

_NAMESPACES = {
    "numpy": "array_api_compat.numpy",
    "torch": "array_api_compat.torch",
    "jax": "jax.numpy",
    "array_api_strict": "array_api_strict",
}
_EPSILON = {"bfloat16": 2.0**-7, "float16": 2.0**-10, "float32": 2.0**-23, "float64": 2.0**-52}
_DTYPES = {
    "numpy": ("float32", "float64", "longdouble", "complex64", "complex128", "clongdouble"),
    "torch": ("bfloat16", "float16", "float32", "float64", "complex64", "complex128"),
    "jax": ("float32", "float64", "complex64", "complex128"),
    "array_api_strict": ("float32", "float64", "complex64", "complex128"),
}
_ITEMSIZE = {"bfloat16": 2, "float16": 2, "float32": 4, "float64": 8}
_COMPLEX = {"float32": "complex64", "float64": "complex128", "longdouble": "clongdouble"}
_REAL = {complex_name: real for real, complex_name in _COMPLEX.items()}
BACKENDS = tuple(_NAMESPACES)


def installed(backend: str) -> bool:
    """Whether the library of `backend` can be imported here."""
    return importlib.util.find_spec(_NAMESPACES[backend].split(".")[0]) is not None and (
        backend != "torch" or importlib.util.find_spec("torch") is not None
    )


def epsilon(dtype: str) -> float:
    """The distance from 1 to the next larger number of `dtype` (for complex dtypes: of its parts)."""
    real = _REAL.get(dtype, dtype)
    return float(np.finfo(np.longdouble).eps) if real == "longdouble" else _EPSILON[real]


def real_dtype(dtype: str) -> str:
    """The dtype of the real part: float64 for complex128, and a real dtype itself."""
    return _REAL.get(dtype, dtype)


@dataclass(frozen=True)
class Arrays:
    """The backend, device and dtype of a problem's arrays.

    `backend` is one of `BACKENDS`; `device` is the backend's own name ("cpu", "cuda", "cuda:1", "meta");
    `dtype` is a name ("float64", "float32", "bfloat16" and "float16" on torch, "longdouble" on NumPy, and the
    complex dtypes). Raises `UsageError` where this machine or backend has no such arrays.
    """

    backend: str = "numpy"
    device: str = "cpu"
    dtype: str = "float64"

    def __post_init__(self) -> None:
        if self.backend not in _NAMESPACES:
            raise unknown_name("backend", self.backend, _NAMESPACES)
        if not installed(self.backend):
            raise UsageError(
                f"the backend `{self.backend}` is not installed: install it, or choose another backend."
            )
        if self.dtype not in _DTYPES[self.backend]:
            allowed = ", ".join(_DTYPES[self.backend])
            raise UsageError(
                f"`dtype={self.dtype}` does not exist on the {self.backend} backend: allowed are {allowed}."
            )
        self._check_device()

    def _check_device(self) -> None:
        reason = None
        if self.backend == "numpy" and self.device != "cpu":
            reason = "NumPy arrays live on the cpu"
        if self.backend == "torch":
            reason = _torch_device_problem(self.device)
        if self.backend == "jax" and self.device not in ("cpu", "gpu", "cuda"):
            reason = "allowed are cpu and gpu"
        if self.backend == "jax" and reason is None:
            reason = _jax_device_problem(self.device)
        if reason:
            raise UsageError(
                f"`device={self.device}` cannot be used with the {self.backend} backend: {reason}."
            )

    @cached_property
    def xp(self) -> Any:
        """The array namespace, as array-api-compat gives it."""
        if self.backend == "jax":
            importlib.import_module("jax").config.update("jax_enable_x64", True)
        if self.backend == "torch":
            # Full float32 products: TF32 keeps only 10 bits of the factors.
            torch = importlib.import_module("torch")
            torch.backends.cuda.matmul.allow_tf32 = False
            torch.backends.cudnn.allow_tf32 = False
        return importlib.import_module(_NAMESPACES[self.backend])

    @cached_property
    def dtype_object(self) -> Any:
        """`dtype` as the backend's own object."""
        if self.backend == "numpy":
            return np.dtype(self.dtype)
        return getattr(self.xp, self.dtype)

    @cached_property
    def _device_object(self) -> Any:
        if self.backend == "array_api_strict":
            name = "CPU_DEVICE" if self.device == "cpu" else self.device
            return self.xp.Device(name)
        if self.backend == "jax":
            return importlib.import_module("jax").devices(self.device)[0]
        return self.device

    @property
    def epsilon(self) -> float:
        """The distance from 1 to the next larger number of `dtype`."""
        return epsilon(self.dtype)

    @property
    def itemsize(self) -> int:
        """The bytes of one number of `dtype`."""
        real = real_dtype(self.dtype)
        bytes_of_real = _ITEMSIZE.get(real, np.dtype(np.longdouble).itemsize)
        return bytes_of_real * (1 if real == self.dtype else 2)

    def cast(self, named: Mapping[str, Array]) -> dict[str, Array]:
        """The floating arrays of `named`, which live on this backend and device, in this dtype."""
        return {
            name: self.xp.astype(array, self.dtype_object)
            if self.xp.isdtype(array.dtype, ("real floating", "complex floating"))
            else array
            for name, array in named.items()
        }

    def array(self, numbers: Any) -> Array:
        """Real `numbers` (NumPy, any float dtype) as an array here, rounded once to `dtype`."""
        numbers = np.asarray(numbers)
        if self.backend == "numpy":
            return np.array(numbers, dtype=self.dtype_object)
        if numbers.dtype.kind == "f" and numbers.dtype.itemsize > 8:
            numbers = numbers.astype(np.float64)
        if self.backend == "torch":
            torch = self.xp
            # numpy has no bfloat16: torch rounds float64 to it, once.
            return torch.asarray(np.ascontiguousarray(numbers)).to(
                device=self.device, dtype=self.dtype_object
            )
        return self.xp.asarray(numbers, dtype=self.dtype_object, device=self._device_object)

    def integers(self, numbers: Any) -> Array:
        """Integer `numbers` as an int64 array here."""
        numbers = np.ascontiguousarray(numbers, dtype=np.int64)
        if self.backend in ("numpy", "torch"):
            return self.xp.asarray(numbers, device=self.device, copy=True)
        return self.xp.asarray(numbers, dtype=self.xp.int64, device=self._device_object)

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """An array of zeros here."""
        return self.xp.zeros(shape, dtype=self.dtype_object, device=self._device_object)

    def complexified(self) -> "Arrays":
        """The complex arrays whose parts have this dtype; `UsageError` where there are none."""
        if self.dtype not in _COMPLEX:
            raise UsageError(f"`dtype={self.dtype}` has no complex counterpart: use float32 or float64.")
        return Arrays(self.backend, self.device, _COMPLEX[self.dtype])

    def synchronize(self) -> None:
        """Wait until the device has done all that was asked of it."""
        if self.backend == "torch" and self.device.startswith("cuda"):
            self.xp.cuda.synchronize(self.device)


def to_numpy(array: Array) -> Any:
    """The numbers of `array` as a NumPy array on the cpu; bfloat16 and float16 come back as float32.

    A NumPy array is returned as it is, without a copy.
    """
    if isinstance(array, np.ndarray):
        return array
    if type(array).__module__.startswith("torch"):
        array = array.detach().cpu()
        return (
            array.float() if array.dtype.itemsize < 4 and array.dtype.is_floating_point else array
        ).numpy()
    if type(array).__module__.startswith("array_api_strict"):
        namespace = importlib.import_module("array_api_strict")
        return np.asarray(array.to_device(namespace.Device("CPU_DEVICE")))
    return np.asarray(array)


def dtype_name(array: Array) -> str:
    """The dtype of `array` as a name: "float64", "bfloat16", "complex128"; "longdouble" for NumPy's widest."""
    if isinstance(array, np.ndarray | np.generic) and array.dtype.itemsize > 8 and array.dtype.kind == "f":
        return "longdouble"
    if isinstance(array, np.ndarray | np.generic) and array.dtype.itemsize > 16:
        return "clongdouble"
    return str(array.dtype).rsplit(".", 1)[-1]


def _torch_device_problem(device: str) -> str | None:
    torch = importlib.import_module("torch")
    try:
        kind = torch.device(device).type
    except RuntimeError:
        return "it is not a torch device; allowed are cpu, cuda, cuda:0, meta"
    if kind == "cuda" and not torch.cuda.is_available():
        return "this machine shows torch no CUDA device; use `cpu`"
    if kind == "cuda" and (torch.device(device).index or 0) >= torch.cuda.device_count():
        return f"this machine has {torch.cuda.device_count()} CUDA device(s)"
    return None


def _jax_device_problem(device: str) -> str | None:
    try:
        importlib.import_module("jax").devices(device)
    except RuntimeError:
        return "JAX finds no such device here; use `cpu`"
    return None
