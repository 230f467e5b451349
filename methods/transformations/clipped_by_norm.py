"""Gradient clipping by norm: the gradient, no longer than a limit (Pascanu, Mikolov and Bengio 2013).

    g min(1, c / |g|),   |g| the 2-norm of all arrays together.

Its direction is that of g, to rounding; its length is min(|g|, c).
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gradmark.arguments import check_positive
from gradmark.arrays import Arrays
from gradmark.claims import Claims, Target
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.problem import Problem
from methods.transformations.clipping import Clipped, Named, clipped_claims, inner_method, representable


@dataclass(frozen=True)
class ClippedByNorm:
    """The gradient of `method`, shortened to the length `limit` where it is longer.

    `method` is a name, with hyper-parameters as in ``gaussian_es:pairs=4;sigma=0.1``. A gradient that is not
    finite has no direction: the result is NaN everywhere.
    """

    method: str = "backprop"
    limit: float = 1.0

    def __post_init__(self) -> None:
        check_positive("clipped_by_norm", "limit", self.limit)
        inner_method("clipped_by_norm", self.method)

    @property
    def claims(self) -> Claims:
        """Those of the method inside, for the direction and a length of at most `limit`."""
        return clipped_claims(
            inner_method("clipped_by_norm", self.method).claims, Target("direction", longest=self.limit)
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """What the method inside supports, of gradients."""
        inner = inner_method("clipped_by_norm", self.method)
        return unsupported(self, problem, want) or inner.supports(problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Prepare the method inside."""
        check_supported(self, problem, want)
        inner = inner_method("clipped_by_norm", self.method).prepare(problem, want)
        return Clipped(inner, partial(shortened, problem.arrays, self.limit))


def shortened(arrays: Arrays, limit: float, gradient: Named) -> Named:
    """g c / max(|g|, c): without a branch, so that no device has to wait for the length."""
    with np.errstate(invalid="ignore"):  # what is not finite becomes NaN
        length = norm(arrays, gradient)
        # As arrays: torch divides a number by an array by way of its reciprocal, and c / c is then not 1.
        most = arrays.xp.full_like(length, representable(limit, arrays.xp, length.dtype))
        factor = most / arrays.xp.maximum(length, most)
        return {
            name: arrays.xp.astype(factor * _wide(arrays, array), array.dtype)
            for name, array in gradient.items()
        }


def norm(arrays: Arrays, gradient: Named) -> Any:
    """|g| by way of g / max |g_i|, whose squares do not overflow; in float32 at least. NaN for inf."""
    xp = arrays.xp
    wide = [_wide(arrays, array) for array in gradient.values()]
    largest = xp.max(xp.stack([xp.max(xp.abs(array)) for array in wide]))
    unit = xp.where(largest > 0, largest, xp.ones_like(largest))
    return unit * xp.sqrt(xp.sum(xp.stack([xp.sum((array / unit) ** 2) for array in wide])))


def _wide(arrays: Arrays, array: Any) -> Any:
    return arrays.xp.astype(array, arrays.xp.float32) if arrays.itemsize < 4 else array
