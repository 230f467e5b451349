"""log(1 + z) of complex numbers, where a library's own is wrong for tiny ones."""

from typing import Any

from gradmark.arrays import Array, Arrays


def log1p(arrays: Arrays, z: Array) -> Array:
    """log(1 + z), for real or complex `z`.

    torch's own gives NaN for a complex64 z whose imaginary part is subnormal (torch 2.13). With z = a + ib it
    is 1/2 log1p(2a + a^2 + b^2) + i atan2(b, 1 + a), which keeps the digits of both parts.
    """
    xp: Any = arrays.xp
    if arrays.backend != "torch" or not xp.isdtype(z.dtype, "complex floating"):
        return xp.log1p(z)
    a, b = xp.real(z), xp.imag(z)
    return xp.complex(0.5 * xp.log1p(2 * a + a * a + b * b), xp.atan2(b, 1 + a))
