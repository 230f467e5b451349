"""Functions that copy, repeat, leave out or surround numbers.

Each is asked where the numbers go, by being given their positions; the tangents are then taken from there.
"""

from typing import Any

import numpy as np

from methods.forward.dual_numbers.dual_array import DualArray
from methods.forward.dual_numbers.rules import rule


def gathered(x: DualArray, value: Any, positions: Any) -> DualArray:
    """`value`, whose numbers are those of `x` at `positions`."""
    flat = np.reshape(x.tangents, (x.tangents.shape[0], x.size))
    return DualArray(value, flat[:, np.asarray(positions)], x.tag)


def _by_positions(function: Any) -> None:
    def rearranged(x: Any, *given: Any, **options: Any) -> Any:
        positions = function(np.arange(x.size).reshape(x.shape), *given, **options)
        values = function(x.value, *given, **options)
        if not isinstance(positions, list | tuple):
            return gathered(x, values, positions)
        return type(positions)(gathered(x, *each) for each in zip(values, positions, strict=True))

    rule(function, options=_OPTIONS)(rearranged)


_OPTIONS = "axis axes k offset axis1 axis2 shift reps repeats indices indices_or_sections new_shape"
_MOVING = "delete diagonal flip fliplr flipud repeat resize roll rot90 take take_along_axis tile"
_PARTS = "array_split dsplit hsplit split vsplit"
for _name in f"{_MOVING} {_PARTS}".split():
    _by_positions(getattr(np, _name))


def _with_zeros(function: Any) -> None:
    """Functions that put zeros, or constants, between the numbers."""

    def placed(x: Any, *given: Any, **options: Any) -> Any:
        constants = {key: options.pop(key) for key in ("constant_values",) if key in options}
        positions = function(1 + np.arange(x.size).reshape(x.shape), *given, **options)
        value = function(x.value, *given, **options, **constants)
        flat = np.reshape(x.tangents, (x.tangents.shape[0], x.size))
        beside = np.concatenate([np.zeros((flat.shape[0], 1), x.dtype), flat], axis=1)
        return DualArray(value, beside[:, positions], x.tag)

    rule(function, options="k pad_width mode constant_values")(placed)


for _function in (np.diag, np.diagflat, np.pad, np.tril, np.triu):
    _with_zeros(_function)
