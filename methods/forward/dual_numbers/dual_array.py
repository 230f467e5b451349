"""An array that carries its derivatives along K directions with it, through NumPy's functions.

With value x and tangents dx, every function f of arrays gives f(x) and f'(x) dx: so a program that computes
with such arrays computes its own derivative beside its value (Wengert 1964). K directions go together, as
the leading axis of the tangents (Revels, Lubin and Papamarkou 2016).

Each derivative that is being taken has a tag, and an inner one a higher tag than the one around it. A
function that meets arrays of several tags is differentiated for the highest; all others are constants to it.
Their tangents are then computed as what they are: value and tangents may be dual arrays of lower tags
themselves. Without tags, tangents of different derivatives would be taken for each other (perturbation
confusion: Siskind and Pearlmutter 2005, 2008; Manzyuk et al. 2019).
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NoReturn

import array_api_compat.numpy
import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from gradmark.arrays import Array
from gradmark.errors import UsageError
from methods.forward.dual_numbers import rules

_NAMES = (
    "all any argmax argmin argsort clip conj conjugate cumprod cumsum diagonal dot max mean min nonzero prod "
    "ravel repeat round squeeze std sum swapaxes take trace var"
)
_METHODS = frozenset(_NAMES.split())
"""Methods of an array that NumPy also has as functions of the same arguments."""


def _in_place(ufunc: Any) -> Callable[[Any, Any], Any]:
    """``x += y``: of one number a new name for the sum, as in NumPy; refused for arrays."""

    def changed(self: "DualArray", other: Any) -> Any:
        if self.ndim == 0:
            return ufunc(self, other)
        raise UsageError(
            f"a dual array cannot be written into, as np.{ufunc.__name__} in place would: "
            "make a new array instead, such as `x = x + y` for `x += y`."
        )

    return changed


class DualArray(NDArrayOperatorsMixin):
    """`value` with `tangents` (K, *its shape), of the derivative `tag`.

    Both are NumPy arrays or dual arrays of lower tags. Arrays are never written into. Raises `UsageError` for
    tangents of another shape, and for what would lose the derivative without a word: ``float(x)``,
    ``np.asarray(x)``, ``x[0] = 1``.

    >>> x = DualArray(np.array([1.0, 2.0]), np.eye(2), tag=1)
    >>> (x * x).tangents
    array([[2., 0.],
           [0., 4.]])
    """

    __slots__ = ("tag", "tangents", "value")
    __hash__ = None  # type: ignore[assignment]  # arrays have none

    def __init__(self, value: Array, tangents: Array, tag: int) -> None:
        self.value, self.tangents, self.tag = value, tangents, tag
        if tangents.shape[1:] != value.shape:
            raise UsageError(
                f"tangents of shape {tangents.shape} do not fit a value of shape {value.shape}: "
                "they must have its axes behind one of directions."
            )

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        shape: tuple[int, ...] = self.value.shape
        return shape

    @property
    def ndim(self) -> int:
        """How many axes the value has."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many numbers the value is."""
        return int(self.value.size)

    @property
    def dtype(self) -> Any:
        """The dtype of value and tangents."""
        return self.value.dtype

    @property
    def device(self) -> str:
        """Where NumPy's arrays are."""
        return "cpu"

    @property
    def T(self) -> Any:
        """The axes in reverse order."""
        return self.transpose()

    @property
    def mT(self) -> Any:
        """The last two axes exchanged."""
        return np.matrix_transpose(self)

    @property
    def real(self) -> Any:
        """The real part."""
        return np.real(self)

    @property
    def imag(self) -> Any:
        """The imaginary part."""
        return np.imag(self)

    def astype(self, dtype: Any, *, copy: bool = True) -> Any:
        """In another dtype; integers and truth values carry no tangents."""
        value = self.value.astype(dtype)
        if value.dtype.kind not in "fc":
            return value
        return DualArray(value, self.tangents.astype(dtype), self.tag)

    def copy(self) -> "DualArray":
        """The array itself, which nobody can write into."""
        return self

    def reshape(self, *shape: Any) -> Any:
        """Another shape, given as one tuple or as its lengths."""
        return np.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Any:
        """The axes in another order, given as one tuple or one by one; reversed where none is given."""
        return np.transpose(self, None if not axes else axes[0] if len(axes) == 1 else axes)

    def flatten(self) -> Any:
        """All numbers along one axis."""
        return np.ravel(self)

    def __getattr__(self, name: str) -> Any:
        if name in _METHODS:
            return partial(getattr(np, name), self)
        raise AttributeError(f"dual arrays have no `{name}`: use a function of NumPy, such as np.sum.")

    def __getitem__(self, index: Any) -> Any:
        return rules.item(self, index)

    def __len__(self) -> int:
        return len(self.value)

    def __iter__(self) -> Iterator[Any]:
        return (self[row] for row in range(len(self)))

    def __bool__(self) -> bool:
        return bool(self.value)

    def __repr__(self) -> str:
        return f"DualArray({self.value!r}, {self.tangents!r}, tag={self.tag})"

    def __array_ufunc__(self, ufunc: Any, method: str, *given: Any, **options: Any) -> Any:
        return rules.of_ufunc(ufunc, method, given, options)

    def __array_function__(self, function: Any, types: Iterable[type], given: Any, options: Any) -> Any:
        return rules.of_function(function, given, options)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return array_api_compat.numpy

    def _lost(self, *given: Any, **options: Any) -> NoReturn:
        raise UsageError(
            "a dual array cannot become a plain number or array, which would lose its derivative: "
            "use functions and operators of NumPy on the array itself (np.sin for math.sin, np.stack for "
            "np.array), and new arrays instead of writing into one."
        )

    __array__ = __float__ = __complex__ = __setitem__ = item = tolist = _lost
    __iadd__, __isub__, __imul__ = _in_place(np.add), _in_place(np.subtract), _in_place(np.multiply)
    __itruediv__, __ipow__ = _in_place(np.divide), _in_place(np.power)
