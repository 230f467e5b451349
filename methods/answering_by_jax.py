"""`answering`, compiled by JAX: draw and direction are arguments, so that no data is compiled in."""

import math
from collections.abc import Callable
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.method import Prepared, Want
from gradmark.parameters import Parameters, zeros_like
from gradmark.problem import Problem
from gradmark.quantities import DIRECTED
from gradmark.work import uncounted
from methods.answering import Answer, Stated, answering


def answering_by_jax(problem: Problem, want: Want, answer: Answer, *, stated: Stated) -> Prepared:
    """Compile for the shapes of the default draw; another number of rows is compiled when it comes."""
    import jax

    compiled = jax.jit(lambda point, arrays, along: answer(point, Draw(arrays), along))
    xp, draw = problem.arrays.xp, problem.default_draw
    point, arrays = zeros_like(problem.parameters, xp), zeros_like(draw.arrays, xp)
    along: Any = point if want in DIRECTED else None
    with uncounted():  # XLA compiles at the first call.
        if want == "vjp":
            shape = jax.eval_shape(lambda p, a: problem.outputs(p, Draw(a)), point, arrays).shape
            along = problem.arrays.zeros(shape)
        compiled(point, arrays, along)

    def ordered(point: Parameters, draw: Draw, along: Any) -> tuple[Any, Array]:
        result, value = compiled(dict(point), dict(draw.arrays), along)
        return _in_order(result, tuple(point)), value

    return answering(problem, want, ordered, stated=stated)


def rows_by_jax(like: Array, product: Callable[[Array], Any], together: int) -> Any:
    """`rows` inside of a trace: ``product(e)`` takes one one-hot array, and is mapped over `together`.

    It gives an array, or named ones, and so does this: (*shape of `like`, *shape of the product).
    """
    import jax

    number = math.prod(like.shape)

    def row(index: Any) -> Any:
        return product(jax.numpy.zeros(number, like.dtype).at[index].set(1).reshape(like.shape))

    form = jax.eval_shape(product, like)
    if number == 0:
        return jax.tree.map(lambda array: jax.numpy.zeros((*like.shape, *array.shape), array.dtype), form)
    # lax.map can't divide arrays of nothing into batches.
    batch = min(number, together) if all(each.size for each in jax.tree.leaves(form)) else None
    found = jax.lax.map(row, jax.numpy.arange(number), batch_size=batch)
    return jax.tree.map(lambda array: array.reshape(*like.shape, *array.shape[1:]), found)


def _in_order(result: Any, names: tuple[str, ...]) -> Any:
    """Named arrays as the parameters are: JAX sorts the names of what it returns."""
    return {name: _in_order(result[name], names) for name in names} if isinstance(result, dict) else result
