"""Prepared functions for what is asked beside the gradient, and the matrices among it made row by row.

Reverse and forward mode share this: what differs between methods is how one product with J, J^T or H is had.
A pass that is a derivative of another pass is counted by how it was taken: a Hessian-vector product by
reverse over reverse is one forward pass and three pullbacks (of the loss, of that pullback, of the forward
pass again), one by forward over reverse is one forward pass, one pullback, and a tangent of each.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want
from gradmark.parameters import Parameters, detached
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.quantities import check_direction
from gradmark.work import Work, count, counting, uncounted
from methods.forward.basis import one_hot

Answer = Callable[[Parameters, Draw, Any], tuple[Any, Array]]
"""``answer(parameters, draw, direction)``: the quantity, and the loss or the outputs at the point."""
Stated = Callable[[Draw, Array], Work]
"""The passes of one answer over all rows of its draw, whose value is given: the number of outputs counts."""


def answering(
    problem: Problem, want: Want, answer: Answer, *, stated: Stated | None = None, declared: bool = False
) -> Prepared:
    """The prepared function that checks the direction, answers, and says what passes it took.

    Where torch or JAX transform the problem, its passes cannot count themselves, and `stated` says how many
    they are; else they are counted, and `declared` says that who compiled them did so.
    """

    def function(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        draw, along = draw or problem.default_draw, check_direction(problem, want, direction)
        # In the order of the direction: torch takes both for trees of one form.
        point = detached({name: parameters[name] for name in problem.parameters})
        along = _detached(along)
        if stated is None:
            with counting() as counter:
                result, value = answer(point, draw, along)
            return Estimate(_ready(result), value, counter.total(declared=declared))
        with uncounted():
            result, value = answer(point, draw, along)
        work = stated(draw, value).times(share_of_rows(problem, draw))
        count(work.forward, work.tangent, work.pullback)
        return Estimate(_ready(result), value, replace(work, declared=True))

    return function


def fixed(work: Work) -> Stated:
    """The same passes whatever the draw and the outputs are."""
    return lambda draw, value: work


def rows(
    arrays: Arrays, like: Array, product: Callable[[Array], Mapping[str, Array]], chunk: Callable[[int], int]
) -> dict[str, Array]:
    """A matrix from its products with one-hot arrays: name -> (*shape of `like`, *shape of the product).

    ``product(e)`` takes K of them, shape (K, *shape of like), and gives named arrays (K, ...): J^T e makes a
    Jacobian of it, H e a block row of a Hessian. ``chunk(n)`` of all n go together.
    """
    number, xp = math.prod(like.shape), arrays.xp
    parts: list[Mapping[str, Array]]
    if number == 0:  # one direction tells the form of what there are none of
        with uncounted():
            parts = [{name: array[:0, ...] for name, array in product(one_hot(arrays, like, 0, 1)).items()}]
    else:
        parts = _chunks(arrays, like, product, min(number, chunk(number)))
    return {
        name: xp.reshape(xp.concat([part[name] for part in parts], axis=0), (*like.shape, *first.shape[1:]))
        for name, first in parts[0].items()
    }


def _chunks(
    arrays: Arrays, like: Array, product: Callable[[Array], Mapping[str, Array]], together: int
) -> list[Mapping[str, Array]]:
    number = math.prod(like.shape)
    return [
        product(one_hot(arrays, like, start, min(together, number - start)))
        for start in range(0, number, together)
    ]


def columns(
    arrays: Arrays,
    parameters: Parameters,
    product: Callable[[dict[str, Array]], Array],
    chunk: Callable[[int], int],
) -> dict[str, Array]:
    """A Jacobian from its products with one-hot directions: name -> (*shape of outputs, *shape of x).

    ``product(tangents)`` takes K directions of one parameter and gives (K, *shape of outputs).
    """

    def block(name: str, x: Array) -> Array:
        made = rows(arrays, x, lambda one: {name: product({name: one})}, chunk)[name]
        return arrays.xp.permute_dims(made, (*range(x.ndim, made.ndim), *range(x.ndim)))

    return {name: block(name, x) for name, x in parameters.items()}


def _detached(direction: Any) -> Any:
    if isinstance(direction, Mapping):
        return detached(direction)
    return direction.detach() if hasattr(direction, "detach") else direction


def _ready(result: Any) -> Any:
    """The result once JAX has computed it, as `gradmark.parameters.finished` does for named arrays."""
    if isinstance(result, Mapping):
        return {name: _ready(part) for name, part in result.items()}
    return result.block_until_ready() if hasattr(result, "block_until_ready") else result
