"""The array namespace over ``autograd.numpy`` (HIPS autograd), whose functions can be traced.

autograd wraps NumPy's functions under NumPy's names; the array API's own names are looked up in
array-api-compat, and then under what NumPy calls the same function. Those that autograd has no derivative of,
or that take no traced arrays, are written here in terms of others.
"""

from importlib import import_module
from types import ModuleType
from typing import Any

from autograd.extend import Box

plain: Any = import_module("array_api_compat.numpy")
traced: Any = import_module("autograd.numpy")
special: Any = import_module("autograd.scipy.special")
"""erfc, which the array API lacks."""


def __getattr__(name: str) -> Any:
    """autograd's function where it has one, else what NumPy has: dtypes, constants and makers of arrays."""
    found = getattr(plain, name)
    if isinstance(found, type | ModuleType) or not callable(found):
        return found
    return getattr(traced, getattr(found, "__name__", name), found)


def asarray(x: Any, **options: Any) -> Any:
    """A traced array is one already; it may only be given another dtype."""
    if not isinstance(x, Box):
        return plain.asarray(x, **options)
    return x if options.get("dtype") is None else astype(x, options["dtype"])


def astype(x: Any, dtype: Any, *, copy: bool = True) -> Any:
    """A copy in another dtype, through the method that autograd can trace."""
    return x.astype(dtype)


def matrix_transpose(x: Any) -> Any:
    """The last two axes exchanged."""
    return traced.swapaxes(x, -1, -2)


def permute_dims(x: Any, axes: tuple[int, ...]) -> Any:
    """The axes in another order."""
    return traced.transpose(x, axes)


def take(x: Any, indices: Any, *, axis: int = -1) -> Any:
    """Slices at `indices`, by indexing."""
    axis = axis % x.ndim
    return x[(slice(None),) * axis + (indices,)]


def cumulative_sum(x: Any, *, axis: int = -1, dtype: Any = None) -> Any:
    """Sums of the leading entries along `axis`."""
    return traced.cumsum(x if dtype is None else astype(x, dtype), axis=axis)


def unstack(x: Any, *, axis: int = 0) -> tuple[Any, ...]:
    """The slices along `axis`, by indexing."""
    lead = (slice(None),) * (axis % x.ndim)
    return tuple(x[(*lead, index)] for index in range(x.shape[axis]))
