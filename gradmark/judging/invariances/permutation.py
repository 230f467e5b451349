"""Of hidden units: in another order, with their weights, they make the same loss; the gradient goes along."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from gradmark.arrays import epsilon
from gradmark.judging.hearing import Numbers
from gradmark.judging.invariances.binding import Unfit
from gradmark.judging.invariances.comparison import compared
from gradmark.judging.invariances.subject import Subject
from gradmark.judging.verdict import Finding
from gradmark.layer import Affine, Elementwise, NamedLayer
from gradmark.problem import Problem, converted
from gradmark.random import generator
from gradmark.reference.point import widest_point

NAME = "permutation"
_ROUNDING = 1024.0
"""Epsilons by which the loss may change when its sums are taken in another order."""
_STREAM = 21
"""Of the judge's random numbers: orders of units are drawn from it."""


def examine(subject: Subject) -> Finding:
    """Compare the gradient at permuted parameters with the permuted gradient."""
    moves = list(_moves(subject.problem, subject.hearing.seed))
    if not moves:
        raise Unfit("the problem shows no layer of two or more hidden units.")
    _check_loss(subject, moves)
    moved = converted(_permuted(subject.point.numbers, moves), subject.problem.arrays)
    found, expected = subject.gradient(moved), _permuted(subject.here, moves)
    words = "the gradient at permuted hidden units and the permuted gradient"
    return compared(NAME, subject, found, expected, subject.slack, words)


Move = tuple[str, int, Any]
"""An array, the axis along which its units lie, and their new order."""


def _moves(problem: Problem, seed: int) -> Iterator[Move]:
    """For each hidden layer: the order of its units, for its own arrays and for the next layer's columns."""
    for index, (first, second) in enumerate(_hidden(problem)):
        units = first.layer.fan_out  # type: ignore[attr-defined]
        order = generator(seed, "judge", _STREAM, index).permutation(units)
        if np.array_equal(order, np.arange(units)):
            order = np.roll(order, 1)
        for short, shape in first.layer.shapes().items():
            if shape[0] == units:
                yield first.names[short], 0, order
        for short, shape in second.layer.shapes().items():
            if len(shape) > 1 and shape[1] == units:
                yield second.names[short], 1, order


def _hidden(problem: Problem) -> Iterator[tuple[NamedLayer, NamedLayer]]:
    """Pairs of affine layers with nothing but activations between them, and two units or more."""
    layers = [each for each in problem.layers or () if not isinstance(each.layer, Elementwise)]
    for first, second in pairwise(layers):
        one, other = first.layer, second.layer
        if isinstance(one, Affine) and isinstance(other, Affine) and one.fan_out == other.fan_in > 1:
            yield first, second


def _permuted(numbers: Numbers, moves: list[Move]) -> Numbers:
    moved = dict(numbers)
    for name, axis, order in moves:
        moved[name] = np.take(moved[name], order, axis=axis)
    return moved


def _check_loss(subject: Subject, moves: list[Move]) -> None:
    """Raise `Unfit` unless the loss itself does not change, in wide arithmetic: units may not be alike."""
    point = widest_point(subject.problem, subject.site.parameters, subject.site.draw)
    before, after = point.loss(point.numbers), point.loss(_permuted(point.numbers, moves))
    if not abs(float(after - before)) <= _ROUNDING * epsilon(point.dtype) * abs(float(before)):
        raise Unfit("the loss changes when hidden units change places: they are not alike here.")
