"""The complex step in the next narrower arithmetic: where the wider one would take too long.

It is the fastest independent reference for a function of many parameters without structure: NumPy has fast
matrix products for complex128, and none for clongdouble.
"""

from gradmark.reference import complex_step, cost
from gradmark.reference.point import Point
from gradmark.reference.rounding import Computed

NAME = complex_step.NAME
READS = complex_step.READS


def impossible(point: Point) -> str | None:
    """It needs a narrower arithmetic that still has the digits of float64."""
    if point.narrower != "float64":
        return f"no arithmetic between float64 and {point.dtype} is left"
    return complex_step.impossible(point.to("float64"), cost.LAST_RESORT)


def estimate(point: Point) -> Computed:
    """The gradient in complex128; its uncertainty is rounding."""
    return complex_step.estimate(point.to("float64"))
