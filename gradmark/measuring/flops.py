"""Floating-point operations of a loss and of its gradient, from the formulas of the layers.

Only matrix products count, two operations for each multiply and add, as torch's FlopCounterMode counts.
"""

from gradmark.problem import Problem


def forward_flops(problem: Problem) -> float | None:
    """The operations of one forward pass over the default draw; None where the problem doesn't know them."""
    return problem.flops


def gradient_flops(problem: Problem) -> float | None:
    """The operations of one gradient by reverse mode; None for a problem without layers.

    A layer with F operations forward has F for the gradient of its parameters and F for that of its input;
    the first layer that holds parameters needs no gradient of its input. A chain of dense layers with n_0
    inputs, n_1 units in the first layer and B rows therefore costs 3F - 2 B n_0 n_1 (Griewank and Walther
    2008, chapter 4).
    """
    if problem.layers is None:
        return None
    rows = problem.default_draw.count
    each = [named.layer.flops(rows) for named in problem.layers]
    first = next(index for index, named in enumerate(problem.layers) if named.names)
    return sum(each) + 2 * sum(each[first:]) - each[first]
