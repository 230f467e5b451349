"""In the loss: eight times the loss has eight times the gradient.

A power of two rounds nothing, so most methods keep to it exactly; something that is added to the gradient and
is not in the loss (weight decay, a constant), a clipped or a normalised gradient does not.
"""

from gradmark.arrays import to_numpy
from gradmark.judging.invariances.binding import Unfit
from gradmark.judging.invariances.comparison import compared
from gradmark.judging.invariances.scaled import scaled
from gradmark.judging.invariances.subject import Subject
from gradmark.judging.verdict import Finding
from gradmark.remembering import once_for

NAME = "linearity"
_FACTOR = 8.0
"""A power of two, large enough for a constant that is added to be missing seven times."""
_ROUNDING = 16.0
"""Epsilons between the scaled loss and the loss, scaled: compiled code may round in another order."""


def examine(subject: Subject) -> Finding:
    """Compare the gradient of the scaled loss, divided by the factor, with the gradient."""
    problem = subject.problem
    other = once_for(subject.hearing, ("scaled", _FACTOR), lambda: scaled(problem, _FACTOR))
    if other is None:
        raise Unfit("the loss of this problem cannot be scaled from outside.")
    parameters, draw = subject.site.parameters, subject.site.draw
    there, here = (float(to_numpy(each.loss(parameters, draw))) for each in (other, problem))
    if not abs(there - _FACTOR * here) <= _ROUNDING * problem.arrays.epsilon * abs(there):
        raise Unfit("the loss of this problem cannot be scaled from outside: its criterion is not all of it.")
    if reason := subject.hearing.method.supports(other):
        raise Unfit(f"the method does not take the scaled problem: {reason}")
    gradient = subject.gradient(prepared=subject.prepare(other))
    found = {name: array / _FACTOR for name, array in gradient.items()}
    words = f"the gradient and that of {_FACTOR:g} times the loss, divided by {_FACTOR:g},"
    return compared(NAME, subject, found, subject.here, subject.slack, words)
