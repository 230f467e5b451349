"""Where a problem's arrays live: backend, device and dtype, behind the array API standard.

A problem is written once against the array namespace `xp` of its `Arrays`; NumPy, torch, JAX and
array-api-strict differ only here, in `gradmark.backends` and in `gradmark.dtypes`.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradmark import dtypes
from gradmark.backends import BACKENDS as BACKENDS
from gradmark.backends import TRACED_NUMPY, device_object, namespace, reason_against_device
from gradmark.backends import installed as installed
from gradmark.dtypes import dtype_name as dtype_name
from gradmark.dtypes import epsilon as epsilon
from gradmark.dtypes import real_dtype as real_dtype
from gradmark.errors import UsageError, shown, unknown_name

Array = Any
"""An array of any backend. Its namespace is that of the problem it belongs to.

It is `Any` because no type is shared: torch tensors, JAX arrays and their tracers inherit from nothing
common, and a protocol with the operators of all of them would check nothing.
"""


@dataclass(frozen=True)
class Arrays:
    """The backend, device and dtype of a problem's arrays.

    `backend` is one of `BACKENDS`; `device` is the backend's own name ("cpu", "cuda", "cuda:1", "meta");
    `dtype` is a name ("float64", "float32", "bfloat16" and "float16" on torch, "longdouble" on NumPy, and the
    complex dtypes). Raises `UsageError` where this machine or backend has no such arrays.

    >>> Arrays(dtype="float32").array([0.1])
    array([0.1], dtype=float32)
    """

    backend: str = "numpy"
    device: str = "cpu"
    dtype: str = "float64"

    def __post_init__(self) -> None:
        for argument, value in zip(("backend", "device", "dtype"), astuple(self), strict=True):
            if not isinstance(value, str):
                raise UsageError(f"`{argument}={shown(value)}` must be a name, such as {argument}='...'.")
        if self.backend not in (*BACKENDS, *TRACED_NUMPY):
            raise unknown_name("backend", self.backend, BACKENDS)
        if not installed(self.backend):
            raise UsageError(
                f"the backend `{self.backend}` is not installed: install it, or choose another backend."
            )
        allowed = dtypes.DTYPES[self.backend]
        if self.dtype not in allowed:
            raise UsageError(
                f"gradmark's {self.backend} backend does not carry `dtype={shown(self.dtype)}`: "
                f"allowed are {', '.join(allowed)}."
            )
        if reason := reason_against_device(self.backend, self.device):
            raise UsageError(
                f"`device={shown(self.device)}` cannot be used with the {self.backend} backend: {reason}."
            )

    def __reduce__(self) -> tuple[type["Arrays"], tuple[str, str, str]]:
        """Pickled as its three names: what is cached here, such as a module, cannot be sent to a process."""
        return Arrays, (self.backend, self.device, self.dtype)

    @cached_property
    def xp(self) -> Any:
        """The array namespace, as array-api-compat gives it."""
        return namespace(self.backend)

    @cached_property
    def dtype_object(self) -> Any:
        """`dtype` as the backend's own object."""
        return np.dtype(self.dtype) if self.backend == "numpy" else getattr(self.xp, self.dtype)

    @cached_property
    def _device_object(self) -> Any:
        return device_object(self.backend, self.device)

    @property
    def epsilon(self) -> float:
        """The distance from 1 to the next larger number of `dtype`."""
        return epsilon(self.dtype)

    @property
    def itemsize(self) -> int:
        """The bytes of one number of `dtype`."""
        return dtypes.itemsize(self.dtype)

    def cast(self, named: Mapping[str, Array]) -> dict[str, Array]:
        """The floating arrays of `named`, which live on this backend and device, in this dtype."""
        return {
            name: self.xp.astype(array, self.dtype_object)
            if self.xp.isdtype(array.dtype, ("real floating", "complex floating"))
            else array
            for name, array in named.items()
        }

    def array(self, numbers: Any) -> Array:
        """Real `numbers` (NumPy, any float dtype; nested lists) as a new array here, rounded to `dtype`.

        bfloat16 is rounded to by torch, through float32; every other dtype in one step.
        """
        rounded = self.dtype if self.dtype != "bfloat16" else "float32"
        return self._here(np.array(numbers, dtype=rounded, order="C"), self.dtype_object)

    def integers(self, numbers: Any) -> Array:
        """Integer `numbers` as a new int64 array here."""
        return self._here(np.array(numbers, dtype=np.int64, order="C"), self.xp.int64)

    def booleans(self, numbers: Any) -> Array:
        """Truth values as a new array here."""
        return self._here(np.array(numbers, dtype=bool, order="C"), self.xp.bool)

    def _here(self, fresh: Any, dtype: Any) -> Array:
        """`fresh` must be a copy of its own, so that nobody who writes into one array changes another."""
        if self.backend == "torch":
            return self.xp.from_numpy(fresh).to(device=self.device, dtype=dtype)
        return self.xp.asarray(fresh, dtype=dtype, device=self._device_object)

    def zeros(self, shape: tuple[int, ...]) -> Array:
        """An array of zeros here."""
        return self.xp.zeros(shape, dtype=self.dtype_object, device=self._device_object)

    def complexified(self) -> "Arrays":
        """The complex arrays whose parts have this dtype; `UsageError` where there are none."""
        if self.dtype not in dtypes.COMPLEX:
            raise UsageError(f"`dtype={self.dtype}` has no complex counterpart: use float32 or float64.")
        return Arrays(self.backend, self.device, dtypes.COMPLEX[self.dtype])

    def synchronize(self) -> None:
        """Wait until a CUDA device has done all that torch asked of it.

        JAX has no such call: what computes with JAX blocks until its own results are ready.
        """
        if self.backend == "torch" and self.device.startswith("cuda"):
            self.xp.cuda.synchronize(self.device)


def to_numpy(array: Array) -> Any:
    """The numbers of `array` as a NumPy array on the cpu; bfloat16 and float16 come back as float32.

    A NumPy array is returned as it is, and a float32 or float64 array on the cpu without a copy: do not write
    into the result. Raises `UsageError` for torch's meta tensors, which have no numbers.

    >>> to_numpy(Arrays("torch").array([1.0, 2.0]))
    array([1., 2.])
    """
    if isinstance(array, np.ndarray):
        return array
    if type(array).__module__.startswith("torch"):
        return _from_torch(array)
    if type(array).__module__.startswith("array_api_strict"):
        array = array.to_device(device_object("array_api_strict", "cpu"))
    return np.asarray(array)


def _from_torch(tensor: Any) -> Any:
    if tensor.device.type == "meta":
        raise UsageError("meta tensors have a shape and no numbers: use device=cpu to compute with them.")
    tensor = tensor.detach().cpu().resolve_conj().resolve_neg()
    narrow = tensor.dtype.is_floating_point and tensor.dtype.itemsize < 4
    return (tensor.float() if narrow else tensor).numpy()
