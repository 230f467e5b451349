"""scipy.optimize.check_grad, which returns the norm of a difference and leaves the verdict to who asked."""

from typing import Any

import numpy as np

from gradmark.arrays import installed as has
from reports.scorecard.battery.case import Question
from reports.scorecard.checkers.arguments import on_numpy as refuses
from reports.scorecard.checkers.arguments import spread
from reports.scorecard.checkers.said import Said

__all__ = ["REJECTIONS", "TITLE", "check", "installed", "refuses"]

TITLE = "scipy check_grad"
REJECTIONS = (Exception,)
RELATIVE = 1e-5
"""Wrong where the norm of the difference exceeds this share of the gradient's: forward differences of double
precision have eight digits at best, on a thousand coordinates seldom more than six."""


def installed() -> bool:
    """Whether SciPy is."""
    return has("scipy")


def check(question: Question) -> Said:
    """``check_grad`` with its default step."""
    from scipy.optimize import check_grad

    asked = spread(question)
    ends = np.cumsum([array.size for array in asked.arrays])[:-1]

    def cut(x: Any) -> list[Any]:
        dtype = asked.arrays[0].dtype
        parts = zip(np.split(x, ends), asked.arrays, strict=True)
        return [part.reshape(array.shape).astype(dtype) for part, array in parts]

    def gradient(x: Any) -> Any:
        return np.concatenate([np.ravel(array) for array in asked.gradient(*cut(x))])

    start = np.concatenate([array.ravel() for array in asked.arrays])

    def function(x: Any) -> Any:
        return asked.function(*cut(x))

    difference = check_grad(function, gradient, start)
    size = float(np.linalg.norm(gradient(start)))
    said = f"|difference| = {difference:.1e}, |gradient| = {size:.1e}"
    return Said("correct" if difference <= RELATIVE * size else "wrong", said)
