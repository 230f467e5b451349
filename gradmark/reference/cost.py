"""What a reference would cost, predicted from operations so that the choice is the same on every machine."""

from gradmark.parameters import size
from gradmark.reference.point import Point

LIMIT = 2.0
"""Predicted seconds that one reference, or one check of it, may take on one core."""
LAST_RESORT = 20.0
"""Predicted seconds that the last kinds of reference may take, where the others are impossible."""
_RATE = {
    "longdouble": 6e8,
    "clongdouble": 2e8,
    "float64": 1e10,
    "complex128": 2e9,
    "float32": 2e10,
    "complex64": 4e9,
}
"""Operations per second: longdouble has no BLAS. Measured on a 2024 server core, rounded down."""
_CALL = 5e-5
"""Seconds that any evaluation takes."""
_OPERATIONS_PER_PARAMETER = 20.0
"""Taken where a problem doesn't know its operations."""


def seconds(point: Point, evaluations: float, *, complex_numbers: bool = False) -> float:
    """Predicted seconds of `evaluations` of the loss, in real or complex arithmetic of the point's dtype."""
    operations = point.problem.flops
    if operations is None:
        operations = _OPERATIONS_PER_PARAMETER * size(point.parameters) * point.draw.count
    else:
        operations *= point.draw.count / point.problem.default_draw.count
    dtype = point.dtype
    if complex_numbers:
        dtype = {"longdouble": "clongdouble", "float64": "complex128"}.get(dtype, "complex64")
    return evaluations * (_CALL + operations / _RATE[dtype])


def too_long(point: Point, evaluations: int, limit: float, *, complex_numbers: bool = False) -> str | None:
    """Why that many evaluations are too many, in words; None where they stay within `limit` seconds."""
    predicted = seconds(point, evaluations, complex_numbers=complex_numbers)
    if predicted <= limit:
        return None
    return f"{evaluations} evaluations would take about {predicted:.0f} s, and the limit is {limit:g} s"


def rows_within_limit(point: Point, evaluations: float, *, complex_numbers: bool = False) -> int:
    """As many rows of the draw as keep `evaluations` within `LIMIT`; at least one."""
    predicted = seconds(point, evaluations, complex_numbers=complex_numbers)
    return max(1, int(point.draw.count * min(1.0, LIMIT / predicted)))
