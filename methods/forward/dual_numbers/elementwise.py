"""Functions of numbers one by one: dy = sum over the arguments of (dy/dx) dx.

`SLOPES` has dy/dx for each argument, given y and all arguments; None stands for zero. Slopes are computed
with functions of NumPy from what may be dual arrays of other tags.

At a kink the derivative is that of the left branch, as that of relu at 0 is 0: of |x| it is -1, of
maximum(x, c) at x = c it is 0, of minimum(x, c) 1. Programs that are made of several such functions then have
the derivative of one branch: exp(min(x, 0)) / (1 + exp(-|x|)), which is a sigmoid, has its own at 0.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from methods.forward.dual_numbers.level import Level
from methods.forward.dual_numbers.rules import UFUNCS

Slope = Callable[..., Any]


def _one(y: Any, *x: Any) -> int:
    return 1


def _minus_one(y: Any, *x: Any) -> int:
    return -1


def _over(y: Any, a: Any, b: Any) -> Any:
    return 1 / b


def _number(like: Any, function: Any, x: float) -> Any:
    """A constant to the digits of an array's dtype."""
    return function(np.asarray(x, like.dtype))


def _exponent(y: Any, a: Any, b: Any) -> Any:
    """b a^(b-1), which is 0 for b = 0 whatever a is."""
    if isinstance(b, int | float):
        return b * a ** (b - 1) if b else np.zeros(np.shape(y), y.dtype)
    return b * a ** np.where(b == 0, np.ones_like(b), b - 1)


def _base(y: Any, a: Any, b: Any) -> Any:
    """a^b log a, which is 0 for a = 0."""
    a = a if hasattr(a, "dtype") else np.asarray(a, y.dtype)
    return y * np.log(np.where(a == 0, np.ones_like(a), a))


def _sigmoid_slope(y: Any, x: Any) -> Any:
    e = np.exp(np.where(x > 0, -x, x))
    return e / ((1 + e) * (1 + e))


def _digamma(y: Any, x: Any) -> Any:
    from scipy.special import digamma

    return digamma(x)


SLOPES: dict[str, tuple[Slope | None, ...]] = {
    "exp": (lambda y, x: y,),
    "exp2": (lambda y, x: y * _number(y, np.log, 2),),
    "expm1": (lambda y, x: np.exp(x),),
    "log": (lambda y, x: 1 / x,),
    "log2": (lambda y, x: 1 / (x * _number(y, np.log, 2)),),
    "log10": (lambda y, x: 1 / (x * _number(y, np.log, 10)),),
    "log1p": (lambda y, x: 1 / (1 + x),),
    "sqrt": (lambda y, x: 0.5 / y,),
    "cbrt": (lambda y, x: 1 / (3 * y * y),),
    "square": (lambda y, x: 2 * x,),
    "reciprocal": (lambda y, x: -y * y,),
    "sin": (lambda y, x: np.cos(x),),
    "cos": (lambda y, x: -np.sin(x),),
    "tan": (lambda y, x: 1 + y * y,),
    "arcsin": (lambda y, x: 1 / np.sqrt((1 - x) * (1 + x)),),
    "arccos": (lambda y, x: -1 / np.sqrt((1 - x) * (1 + x)),),
    "arctan": (lambda y, x: 1 / (1 + x * x),),
    "sinh": (lambda y, x: np.cosh(x),),
    "cosh": (lambda y, x: np.sinh(x),),
    "tanh": (lambda y, x: 1 - y * y,),
    "arcsinh": (lambda y, x: 1 / np.hypot(x, 1),),
    "arccosh": (lambda y, x: 1 / np.sqrt((x - 1) * (x + 1)),),
    "arctanh": (lambda y, x: 1 / ((1 - x) * (1 + x)),),
    "deg2rad": (lambda y, x: _number(y, np.deg2rad, 1),),
    "radians": (lambda y, x: _number(y, np.deg2rad, 1),),
    "rad2deg": (lambda y, x: _number(y, np.rad2deg, 1),),
    "degrees": (lambda y, x: _number(y, np.rad2deg, 1),),
    "absolute": (lambda y, x: np.where(x > 0, np.ones_like(x), -np.ones_like(x)),),
    "fabs": (lambda y, x: np.where(x > 0, np.ones_like(x), -np.ones_like(x)),),
    "erf": (lambda y, x: np.exp(-x * x) * (2 / math.sqrt(math.pi)),),
    "erfc": (lambda y, x: np.exp(-x * x) * (-2 / math.sqrt(math.pi)),),
    "ndtr": (lambda y, x: np.exp(-0.5 * x * x) * (2 * math.pi) ** -0.5,),
    "expit": (_sigmoid_slope,),
    "log_expit": (lambda y, x: -np.expm1(y),),
    "gammaln": (_digamma,),
    "multiply": (lambda y, a, b: b, lambda y, a, b: a),
    "divide": (_over, lambda y, a, b: -y / b),
    "power": (_exponent, _base),
    "float_power": (_exponent, _base),
    "arctan2": (lambda y, a, b: b / np.hypot(a, b) ** 2, lambda y, a, b: -a / np.hypot(a, b) ** 2),
    "hypot": (lambda y, a, b: a / y, lambda y, a, b: b / y),
    "logaddexp": (lambda y, a, b: np.exp(a - y), lambda y, a, b: np.exp(b - y)),
    "logaddexp2": (lambda y, a, b: np.exp2(a - y), lambda y, a, b: np.exp2(b - y)),
    "remainder": (_one, lambda y, a, b: -np.floor_divide(a, b)),
    "fmod": (_one, lambda y, a, b: -np.trunc(a / b)),
    "copysign": (lambda y, a, b: np.copysign(1, a) * np.copysign(1, b), None),
    "positive": (_one,),
    "negative": (_minus_one,),
    "add": (_one, _one),
    "subtract": (_one, _minus_one),
}


def _differentiated(slopes: tuple[Slope | None, ...]) -> Callable[..., Any]:
    """The rule for a ufunc with these slopes."""

    def rule(ufunc: Any, *given: Any, **options: Any) -> Any:
        level = Level(given)
        values = [level.value(x) for x in given]
        y, tangents = ufunc(*values, **options), None
        values = [_widened(x, y.dtype) for x in values]
        for slope, x in zip(slopes, given, strict=True):
            if slope is not None and level.moves(x):
                part = _along(slope, level.lifted(x, y.ndim), y, values)
                tangents = part if tangents is None else tangents + part
        return y if tangents is None else level.dual(y, tangents)

    return rule


def _widened(x: Any, dtype: Any) -> Any:
    """`x` in the dtype of the result, so that no slope is rounded more; numbers of Python take any."""
    return x.astype(dtype) if hasattr(x, "dtype") and x.dtype != dtype else x


def _along(slope: Slope, tangents: Any, y: Any, values: list[Any]) -> Any:
    """Slope times tangents, without a product where the slope is one.

    A quotient stays one: in longdouble 1 / b of a number of Python would be rounded to float64.
    """
    if slope is _one:
        return tangents
    if slope is _over:
        return tangents / values[1]
    return -tangents if slope is _minus_one else tangents * slope(y, *values)


UFUNCS.update({name: _differentiated(slopes) for name, slopes in SLOPES.items()})


def conjugate(ufunc: Any, x: Any, **options: Any) -> Any:
    """The conjugate moves by the conjugate."""
    level = Level([x])
    return level.dual(ufunc(x.value, **options), ufunc(x.tangents))


UFUNCS["conjugate"] = conjugate
