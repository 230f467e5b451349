"""The function in one arithmetic, of a flat vector."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arrays import Arrays, epsilon
from gradmark.dtypes import COMPLEX
from gradmark.judging.checking.meter import OutOfTime
from gradmark.judging.checking.objective import Objective


@dataclass(frozen=True)
class Carried:
    """An objective whose arguments are made of `arrays`."""

    objective: Objective
    arrays: Arrays

    @property
    def epsilon(self) -> float:
        """The rounding of the arithmetic."""
        return epsilon(self.arrays.dtype)

    @property
    def is_complex(self) -> bool:
        """Whether the arithmetic is one of complex numbers."""
        return self.arrays.dtype in COMPLEX.values()

    def __call__(self, vector: Any) -> Any:
        """The value at a flat vector, longdouble or clongdouble; NaN where the function raises."""
        return self.attempt(vector)[0]

    def attempt(self, vector: Any) -> tuple[Any, bool]:
        """The value, and whether it came back in this arithmetic and finite."""
        wide, space = (np.clongdouble if self.is_complex else np.longdouble), self.objective.space
        try:
            with warnings.catch_warnings():
                if self.is_complex:
                    # NumPy only warns where a function drops the imaginary part.
                    warnings.simplefilter("error", np.exceptions.ComplexWarning)
                raw = self.objective(space.built(vector, self.arrays))
            if np.iscomplexobj(raw.number) != self.is_complex:
                return wide("nan"), False
            number = wide(raw.number)
        except OutOfTime:
            raise
        except (Exception, SystemExit):
            return wide("nan"), False
        return number, bool(np.isfinite(number)) and raw.dtype == self.arrays.dtype
