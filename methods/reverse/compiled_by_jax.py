"""Reverse mode compiled by JAX: what the hand-derived and the traced gradient have in common."""

from collections.abc import Callable
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters, finished, zeros_like
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import Work, count, uncounted

ValueAndGradient = Callable[[Parameters, Draw], tuple[Array, dict[str, Array]]]


def prepare_compiled(problem: Problem, value_and_gradient: ValueAndGradient) -> Prepared:
    """Compile for the shapes of the default draw; another number of rows is compiled when it comes.

    The draw is an argument, so that no data is compiled in. One forward pass and one pullback are counted
    outside of the trace, and declared.
    """
    import jax

    compiled = jax.jit(lambda parameters, arrays: value_and_gradient(parameters, Draw(arrays)))
    xp = problem.arrays.xp
    with uncounted():  # XLA compiles at the first call.
        compiled(zeros_like(problem.parameters, xp), zeros_like(problem.default_draw.arrays, xp))

    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        draw = draw or problem.default_draw
        with uncounted():
            value, found = compiled(dict(parameters), dict(draw.arrays))
        result = finished({name: found[name] for name in parameters})
        rows = share_of_rows(problem, draw)
        count(forward=rows, pullback=rows)
        return Estimate(result, value, Work(forward=rows, pullback=rows, declared=True))

    return gradient
