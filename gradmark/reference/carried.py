"""What rounding does to a gradient on its way back through layers: by adding some and looking.

A number x in the arithmetic of a dtype is x (1 + d) + e, with |d| at most epsilon and, where x is nearly too
small for the dtype, |e| at most its smallest number (Higham 2002, section 2.2). Here both are put in, at
random and one after the other, wherever numbers go from one layer to the next, forward and back, and into
what layers save between; the changes of the gradient per unit of d and of e are what is carried (Monte Carlo
arithmetic, Parker 1997).

A difference of two precisions sees the same of the formula that it computes. But a complex step, which is the
reference, has no 1 - h^2, no p (d - sum p d) and no p - t to cancel, as every pass back through tanh, softmax
and cross-entropy has. The changes are proportional to what is put in, however wrong a formula is: a wrong
pullback buys itself rounding, and no more.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np

from gradmark import passes
from gradmark.arrays import to_numpy
from gradmark.draw import Draw
from gradmark.exchange import exchanged
from gradmark.measuring.norms import norm
from gradmark.random import generator
from gradmark.reference import cost
from gradmark.reference.point import Numbers, Point

UNIT = 2.0**-32
"""What is put in: so little that the changes are proportional to it and no kink is crossed that float64 would
not cross, and so much that the rounding of the computation itself is nothing beside it."""
_TIMES = 4
_SAFETY = 4.0
"""The largest of four changes is on the lucky side, and a pass rounds inside of layers too. Measured over the
built-in exact methods and networks in four dtypes: errors are at most 3 times the largest change."""
_STREAM = 9
"""Of the judge's random numbers."""
_PASSES = 3.0
"""Forward passes that a pass forward and back take."""


@dataclass(frozen=True)
class Carried:
    """For each array, the 2-norm of its error: per epsilon of a dtype, and per smallest number of it."""

    rounding: dict[str, float]
    underflow: dict[str, float]


def carried(point: Point) -> Carried | None:
    """What rounding and underflow do to the gradient at `point`; None where the problem shows no layers."""
    problem = point.problem
    if problem.layers is None or not {"layers", "criterion"} <= _fields(problem):
        return None
    if cost.too_long(point, int(_PASSES * (2 * _TIMES + 1)), cost.LIMIT) and point.narrower is not None:
        point = point.to(point.narrower)
    true = _gradient(point, lambda array: array)
    random = generator(0, "judge", _STREAM)
    return Carried(
        *(
            _largest([_changes(point, true, random, put_in) for _ in range(_TIMES)])
            for put_in in (_relative, _absolute)
        )
    )


def _relative(x: Any, noise: Any) -> Any:
    return x * (1 + noise)


def _absolute(x: Any, noise: Any) -> Any:
    """What is zero is so in every dtype, and stays."""
    return x + noise * (x != 0)


def _changes(point: Point, true: Numbers, random: Any, put_in: Callable[[Any, Any], Any]) -> dict[str, float]:
    arrays = point.problem.arrays

    def shake(array: Any) -> Any:
        return put_in(array, arrays.array(UNIT * random.uniform(-1, 1, tuple(array.shape))))

    found = _gradient(point, shake, products=put_in is _absolute)
    return {name: norm(found[name] - array) / UNIT for name, array in true.items()}


def _largest(found: list[dict[str, float]]) -> dict[str, float]:
    largest = {name: _SAFETY * max(each[name] for each in found) for name in found[0]}
    return {name: bound if np.isfinite(bound) else 0.0 for name, bound in largest.items()}


def _gradient(point: Point, shake: Callable[[Any], Any], products: bool = False) -> Numbers:
    """The pullback's gradient with `shake` applied to all that goes between layers.

    `products`: and with what it does to products of dy and parameters, which may be smaller than both.
    """
    problem = point.problem
    layers = exchanged(problem.layers or (), lambda _, layer: _shaken_layer(layer, shake, products))
    shaken: Any = replace(
        problem,  # type: ignore[type-var]
        layers=layers,
        criterion=_ShakenCriterion(problem.criterion, shake),
    )
    with np.errstate(all="ignore"):
        trace = passes.forward(shaken, point.parameters, point.draw)
        gradient = passes.pullback(shaken, point.parameters, point.draw, trace)
    return {name: to_numpy(array).astype(np.longdouble) for name, array in gradient.items()}


def _shaken_layer(layer: Any, shake: Callable[[Any], Any], products: bool) -> Any:
    def forward(p: Any, x: Any, draw: Draw) -> Any:
        y, saved = layer.forward(p, x, draw)
        return _each(y, shake), _each(saved, shake)

    def pullback(p: Any, saved: Any, dy: Any, *, input_gradient: bool = True) -> Any:
        dx, dp = layer.pullback(p, saved, _each(dy, shake), input_gradient=input_gradient)
        if products and p and dx is not None:
            # A pullback is linear in dy: what products lose is a dy of that size, times parameters of size 1.
            dx = dx + layer.pullback(_of_size_one(p), saved, shake(dy) - dy)[0]
        return dx, _each(dp, shake)

    shaken = copy.copy(layer)
    object.__setattr__(shaken, "forward", forward)
    object.__setattr__(shaken, "pullback", pullback)
    return shaken


@dataclass(frozen=True)
class _ShakenCriterion:
    """Outputs and targets are subtracted from each other, and rounded before: probabilities are outputs."""

    inner: Any
    shake: Callable[[Any], Any]

    def pullback(self, outputs: Any, draw: Draw) -> Any:
        return self.inner.pullback(_each(outputs, self.shake), draw.map(lambda a: _each(a, self.shake)))


def _of_size_one(p: Mapping[str, Any]) -> dict[str, Any]:
    """Arrays whose entries are all smaller than 1, enlarged until the largest is 1."""
    largest = {name: float(np.max(np.abs(to_numpy(array)))) for name, array in p.items()}
    return {name: array / largest[name] if 0 < largest[name] < 1 else array for name, array in p.items()}


def _each(tree: Any, shake: Callable[[Any], Any]) -> Any:
    """`tree` with `shake` applied to its arrays of real numbers."""
    if isinstance(tree, Mapping):
        return {name: _each(branch, shake) for name, branch in tree.items()}
    if isinstance(tree, tuple):
        branches = [_each(branch, shake) for branch in tree]
        return type(tree)(*branches) if hasattr(tree, "_fields") else tuple(branches)
    if is_dataclass(tree) and not isinstance(tree, type):
        return replace(tree, **{f.name: _each(getattr(tree, f.name), shake) for f in fields(tree) if f.init})
    return shake(tree) if hasattr(tree, "shape") and "float" in str(tree.dtype) else tree


def _fields(problem: Any) -> set[str]:
    return {each.name for each in fields(problem)} if is_dataclass(problem) else set()
