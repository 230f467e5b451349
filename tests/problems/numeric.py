"""Derivatives taken without a formula: complex steps and central differences of a function of arrays."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Named = Mapping[str, Any]

COMPLEX = {"float64": np.complex128, "longdouble": np.clongdouble}
# So small that its square is beyond the last digit of anything; its size costs a complex step no accuracy.
COMPLEX_STEP = 1e-40


def complex_step(function: Callable[[Named], Any], at: Named, direction: Named) -> Any:
    """The derivative of `function` (of named arrays, analytic) along `direction`: Im f(x + i h d) / h."""
    moved = {name: at[name] + 1j * np.asarray(COMPLEX_STEP, at[name].dtype) * direction[name] for name in at}
    return np.imag(function(moved)) / COMPLEX_STEP


def jacobian(function: Callable[[Named], Any], at: Named) -> dict[str, Any]:
    """The derivative of each output by each input number, by complex steps: name to (outputs, inputs)."""
    columns: dict[str, list[Any]] = {}
    for name, array in at.items():
        for index in range(array.size):
            direction = {other: np.zeros_like(at[other]) for other in at}
            direction[name].flat[index] = 1
            columns.setdefault(name, []).append(np.ravel(complex_step(function, at, direction)))
    return {name: np.stack(each, axis=1) for name, each in columns.items()}


def central_difference(
    function: Callable[[Named], Any], at: Named, direction: Named, epsilon: float
) -> tuple[Any, Any]:
    """The derivative along `direction`, and a bound of its error.

    The step balances truncation (h^2) against rounding (epsilon / h). Of two differences, at h and at 2h, the
    truncation of the first is a third of their distance; each value of `function` is within 8 roundings.
    """
    step = epsilon ** (1 / 3)

    def slope(h: float) -> tuple[Any, Any]:
        ahead = function({name: at[name] + h * direction[name] for name in at})
        behind = function({name: at[name] - h * direction[name] for name in at})
        return (ahead - behind) / (2 * h), 8 * epsilon * np.maximum(np.abs(ahead), np.abs(behind)) / h

    near, rounding = slope(step)
    far, _ = slope(2 * step)
    return near, np.abs(far - near) + 2 * rounding
