"""The outputs at moved points: together where a problem takes a population, else one by one."""

from collections.abc import Callable

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import count, uncounted

MovedOutputs = Callable[[Parameters, Parameters, Draw], Array]
"""``outputs_at(members, shared, draw)``: `members` are the moved arrays, with one leading axis of K, `shared`
all parameters; the outputs have shape (K, *shape of the outputs), and K passes are counted."""


def moved_outputs(problem: Problem) -> MovedOutputs:
    """The function that evaluates a problem's outputs; compiled on JAX where it takes a population."""
    together = problem.population
    evaluate = _compiled(problem) if together and problem.arrays.backend == "jax" else _plain(problem)

    def outputs_at(members: Parameters, shared: Parameters, draw: Draw) -> Array:
        number = next(iter(members.values())).shape[0]
        # Some problems count their outputs, those whose loss they are, and others the loss alone.
        with uncounted():
            found = evaluate(members, shared, draw)
        count(forward=number * share_of_rows(problem, draw))
        return found

    return outputs_at


def outputs_here(problem: Problem, parameters: Parameters, draw: Draw) -> Array:
    """The outputs at a point; one pass is counted."""
    with uncounted():
        found = problem.outputs(parameters, draw)
    count(forward=share_of_rows(problem, draw))
    return found


def _plain(problem: Problem) -> MovedOutputs:
    stack = problem.arrays.xp.stack

    def evaluate(members: Parameters, shared: Parameters, draw: Draw) -> Array:
        number = next(iter(members.values())).shape[0]
        if problem.population and number > 1:
            return problem.outputs({**shared, **members}, draw)
        each = (
            problem.outputs({**shared, **{name: array[i, ...] for name, array in members.items()}}, draw)
            for i in range(number)
        )
        return stack(list(each))

    return evaluate


def _compiled(problem: Problem) -> MovedOutputs:
    import jax

    compiled = jax.jit(lambda members, shared, arrays: problem.outputs({**shared, **members}, Draw(arrays)))
    return lambda members, shared, draw: compiled(dict(members), dict(shared), dict(draw.arrays))
