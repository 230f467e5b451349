"""Over the rows of a batch: the gradient of a mean of row losses is the mean of the parts' gradients.

Parts are weighted by their rows, and are not equally large: a mean over the wrong number of rows shows.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from gradmark.arrays import epsilon
from gradmark.errors import UsageError
from gradmark.judging.hearing import Numbers
from gradmark.judging.invariances.binding import Unfit
from gradmark.judging.invariances.comparison import compared
from gradmark.judging.invariances.subject import Subject
from gradmark.judging.verdict import Finding
from gradmark.measuring.norms import norm, ratio
from gradmark.reference.point import widest_point

NAME = "additivity"
_FEWEST = 3
"""Rows, so that there are two unequal parts."""
_ROUNDING = 1024.0
"""Epsilons by which the mean of the parts' losses may miss the loss: one that couples its rows misses by far
more."""


def examine(subject: Subject) -> Finding:
    """Compare the gradient of the whole draw with the weighted mean of those of its parts."""
    draw = subject.site.draw
    if not draw.arrays or draw.count < _FEWEST:
        raise Unfit("the problem has no batch of rows that could be divided.")
    cut = draw.count // _FEWEST
    parts = [draw.rows(0, cut), draw.rows(cut, draw.count)]
    # In longdouble: a float64 2/7 would be the largest error of a longdouble gradient.
    weights = [np.longdouble(part.count) / draw.count for part in parts]
    _check_loss(subject, weights, cut)
    gradients = [subject.gradient(draw=part) for part in parts]
    mean = {name: sum(w * g[name] for w, g in zip(weights, gradients, strict=True)) for name in subject.here}
    slack = {
        name: bound * _amplified(subject, name, weights, gradients)
        for name, bound in subject.slack_for(parts).items()
    }
    words = f"the gradient of {draw.count} rows and the mean of those of {cut} and {draw.count - cut} rows"
    return compared(NAME, subject, subject.here, mean, slack, words)


def _amplified(subject: Subject, name: str, weights: list[Any], gradients: list[Numbers]) -> float:
    """How much larger the parts are than their sum, in which they may cancel: so is their rounding."""
    parts = sum(float(w) * norm(g[name]) for w, g in zip(weights, gradients, strict=True))
    return max(1.0, ratio(parts, norm(subject.here[name])))


def _check_loss(subject: Subject, weights: list[Any], cut: int) -> None:
    """Raise `Unfit` unless the loss is the weighted mean of the parts' losses, in wide arithmetic."""
    point = widest_point(subject.problem, subject.site.parameters, subject.site.draw)
    draws = [point.draw.rows(0, cut), point.draw.rows(cut, point.draw.count)]
    try:
        losses = [replace(point, draw=draw).loss(point.numbers) for draw in draws]
    except UsageError as refused:
        raise Unfit(f"the loss cannot be had of a part of the batch: {refused}") from refused
    mean = sum(w * loss for w, loss in zip(weights, losses, strict=True))
    limit = _ROUNDING * epsilon(point.dtype) * max(abs(float(loss)) for loss in losses)
    if not abs(float(mean - point.loss(point.numbers))) <= limit:
        raise Unfit("the loss is no mean over rows: that of the batch is not the mean of its parts' losses.")
