"""The direction that a jvp, vjp or hvp is measured along: drawn once for a case, from its seed."""

from typing import Any

from gradmark.arrays import Array
from gradmark.claims import Want
from gradmark.problem import Problem
from gradmark.quantities import DIRECTED
from gradmark.random import generator

IN_WORDS = "standard normal, by the seed of the case"
"""What the record of a case says."""


def direction_of(problem: Problem, want: Want, seed: int) -> Any:
    """Standard normal numbers in the form that `want` takes, rounded to the problem's dtype; None for none.

    They are drawn in the order of the parameters; those of a vjp have the shape of the outputs.
    """
    if want not in DIRECTED:
        return None
    random, arrays = generator(seed, "direction"), problem.arrays

    def drawn(shape: tuple[int, ...]) -> Array:
        return arrays.array(random.standard_normal(shape))

    if want == "vjp":
        return drawn(tuple(problem.outputs(problem.parameters, problem.default_draw).shape))
    return {name: drawn(tuple(x.shape)) for name, x in problem.parameters.items()}
