"""The dtypes of gradmark by name: where they exist, how fine they are, how large."""

from typing import Any

import numpy as np

DTYPES = {
    "numpy": ("float32", "float64", "longdouble", "complex64", "complex128", "clongdouble"),
    "torch": ("bfloat16", "float16", "float32", "float64", "complex64", "complex128"),
    "jax": ("float32", "float64", "complex64", "complex128"),
    "array_api_strict": ("float32", "float64", "complex64", "complex128"),
    "autograd": ("float32", "float64", "longdouble"),
}
"""The dtypes of each backend."""
COMPLEX = {"float32": "complex64", "float64": "complex128", "longdouble": "clongdouble"}
"""The complex dtype whose parts have a real dtype."""
_REAL = {complex_name: real for real, complex_name in COMPLEX.items()}
_EPSILON = {"bfloat16": 2.0**-7, "float16": 2.0**-10, "float32": 2.0**-23, "float64": 2.0**-52}
_WIDE = {
    "float96": "longdouble",
    "float128": "longdouble",
    "complex192": "clongdouble",
    "complex256": "clongdouble",
}
"""NumPy names its widest type by how it is padded, which says nothing of its precision."""
_SMALLEST = {"bfloat16": 2.0**-126, "float16": 2.0**-24, "float32": 2.0**-126, "float64": 2.0**-1022}
_BYTES = {"bfloat16": 2, "float16": 2, "float32": 4, "float64": 8}


def real_dtype(dtype: str) -> str:
    """The dtype of the real part: float64 for complex128, and a real dtype itself.

    >>> real_dtype("complex64"), real_dtype("bfloat16")
    ('float32', 'bfloat16')
    """
    return _REAL.get(dtype, dtype)


def epsilon(dtype: str) -> float:
    """The distance from 1 to the next larger number of `dtype` (for complex dtypes: of its parts).

    >>> epsilon("float32") == 2.0**-23
    True
    """
    real = real_dtype(dtype)
    return float(np.finfo(np.longdouble).eps) if real == "longdouble" else _EPSILON[real]


def smallest(dtype: str) -> float:
    """The size below which numbers of `dtype` may become zero.

    float16 has subnormal numbers wherever it is; in wider dtypes XLA, and torch if told so, has none.

    >>> smallest("float16") == 2.0**-24
    True
    """
    real = real_dtype(dtype)
    return float(np.finfo(np.longdouble).tiny) if real == "longdouble" else _SMALLEST[real]


def itemsize(dtype: str) -> int:
    """The bytes of one number of `dtype`.

    >>> itemsize("bfloat16"), itemsize("complex128")
    (2, 16)
    """
    real = real_dtype(dtype)
    parts = 1 if real == dtype else 2
    return parts * _BYTES.get(real, np.dtype(np.longdouble).itemsize)


def dtype_name(array: Any) -> str:
    """The dtype of `array` as a name: "float64", "bfloat16", "complex128"; "longdouble" for NumPy's widest.

    >>> dtype_name(np.ones(1, np.longdouble)), dtype_name(np.ones(1, bool))
    ('longdouble', 'bool')
    """
    name = str(array.dtype).rsplit(".", 1)[-1]
    return _WIDE.get(name, name)
