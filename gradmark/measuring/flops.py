"""Floating-point operations of a loss and of its gradient, from the formulas of the layers.

Only matrix products count, two operations for each multiply and add, as torch's FlopCounterMode counts.
"""

from gradmark.problem import Problem
from gradmark.structure import state_shapes


def forward_flops(problem: Problem) -> float | None:
    """The operations of one forward pass over the default draw; None where the problem doesn't know them."""
    return problem.flops


def gradient_flops(problem: Problem) -> float | None:
    """The operations of one gradient by reverse mode; None for a problem without layers.

    Most layers with F operations forward have F for the gradient of their parameters and F for that of their
    input; what comes before the first layer that holds parameters needs none, and that layer none of its
    input. A chain of dense layers with n_0 inputs, n_1 units in the first layer and B rows therefore costs
    3F - 2 B n_0 n_1 (Griewank and Walther 2008, chapter 4).
    """
    backward = pullback_flops(problem)
    return None if backward is None or problem.flops is None else problem.flops + backward


def pullback_flops(problem: Problem) -> float | None:
    """The operations of one pullback over the default draw; None for a problem without layers."""
    if problem.layers is None:
        return None
    first, rows = _first(problem), _rows(problem)
    return sum(
        problem.layers[index].layer.pullback_flops(rows[index], input_gradient=index > first)
        for index in range(first, len(problem.layers))
    )


def first_layer_share(problem: Problem) -> float | None:
    """f1: the operations that the gradient of the data would cost, in those of a forward pass.

    Nobody needs it, so they are left out; for a chain of dense layers they are as many as the first layer has
    forward. Where each layer has as many for the gradient of its input as forward, and as many for that of
    its parameters, backward / forward is 2 - f1. None for a problem without layers or without products.
    """
    if problem.layers is None or not problem.flops:
        return None
    first = _first(problem)
    rows = _rows(problem)[first]
    with_input, without = (
        problem.layers[first].layer.pullback_flops(rows, input_gradient=needed) for needed in (True, False)
    )
    return (with_input - without) / problem.flops


def _rows(problem: Problem) -> list[int]:
    """How many rows go into each layer."""
    inputs = problem.default_draw.arrays["inputs"]
    return [rows for rows, _ in state_shapes(problem.layers or (), inputs.shape)]


def _first(problem: Problem) -> int:
    """The index of the first layer with parameters."""
    assert problem.layers is not None
    return next(index for index, named in enumerate(problem.layers) if named.names)
