"""In which arithmetics a function can be computed: its own, a wider one, and complex ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Arrays, epsilon
from gradmark.dtypes import real_dtype
from gradmark.errors import UsageError
from gradmark.judging.checking.carried import Carried
from gradmark.judging.checking.objective import Objective
from gradmark.reference.point import longdouble_is_wider


@dataclass(frozen=True)
class Arithmetic:
    """`own` is that of the point, `real` the widest that the function carries, the complex ones their
    partners.

    A complex one is None where the function does not carry it.
    """

    own: Arrays
    real: Arrays
    complex_own: Arrays | None
    complex_wide: Arrays | None

    @property
    def extended(self) -> bool:
        """Whether real differences have more digits than float64, and than the point."""
        return self.real.dtype == "longdouble" and self.own.dtype != "longdouble"


def arithmetic(objective: Objective, x: Any) -> Arithmetic:
    """What the function carries at the point `x`: two or three evaluations."""
    own = objective.space.arrays
    real = next((wide for wide in _wider(own) if Carried(objective, wide).attempt(x)[1]), own)
    complex_wide = _complex(objective, real, x)
    complex_own = complex_wide if real == own else _partner(own) if complex_wide else None
    return Arithmetic(own, real, complex_own, complex_wide)


def _wider(own: Arrays) -> list[Arrays]:
    names = ["longdouble"] if own.backend == "numpy" and longdouble_is_wider() else []
    names += ["float64"]
    return [Arrays(own.backend, own.device, name) for name in names if epsilon(name) < own.epsilon]


def _complex(objective: Objective, real: Arrays, x: Any) -> Arrays | None:
    partner = _partner(real)
    if partner is None or not Carried(objective, partner).attempt(x.astype(np.clongdouble))[1]:
        return None
    return partner


def _partner(arrays: Arrays) -> Arrays | None:
    if real_dtype(arrays.dtype) not in ("float32", "float64", "longdouble"):
        return None
    try:
        return arrays.complexified()
    except UsageError:
        return None
