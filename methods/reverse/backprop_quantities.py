"""Products with J^T by the layers' own pullbacks, and the Jacobian: one pullback for each output.

The delta recursion of `backprop.py`, begun with w at the outputs instead of the gradient of the loss. One
forward pass serves all of a Jacobian's pullbacks; where every layer takes a set of cotangents (and on JAX,
which maps over them) several go together.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from gradmark import passes
from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.method import Prepared, Want
from gradmark.parameters import Parameters, size
from gradmark.passes import Trace
from gradmark.population import per_chunk
from gradmark.problem import Problem
from gradmark.quantities import check_cotangent
from gradmark.structure import pulls_several
from gradmark.work import Work
from methods.answering import Answer, answering, rows
from methods.answering_by_jax import answering_by_jax, rows_by_jax

Pull = Callable[[Array], dict[str, Array]]


def prepare_quantity(problem: Problem, want: Want, *, compiled: bool) -> Prepared:
    """The prepared function for a vjp or jacobian; `compiled` by JAX."""
    if compiled:
        return _prepare_compiled(problem, want)
    answer: Answer = partial(_vjp if want == "vjp" else _jacobian, problem)
    return answering(problem, want, answer)


def _vjp(problem: Problem, point: Parameters, draw: Draw, cotangent: Array) -> tuple[Any, Array]:
    trace = passes.forward(problem, point, draw)
    check_cotangent(trace.outputs, cotangent)
    return passes.outputs_pullback(problem, point, draw, trace, cotangent), trace.outputs


def _jacobian(problem: Problem, point: Parameters, draw: Draw, _: None) -> tuple[Any, Array]:
    trace = passes.forward(problem, point, draw)
    pull, chunk = _several(problem, point, draw, trace)
    return rows(problem.arrays, trace.outputs, pull, chunk), trace.outputs


def _several(
    problem: Problem, point: Parameters, draw: Draw, trace: Trace
) -> tuple[Pull, Callable[[int], int]]:
    """What pulls K cotangents back, and how many go together: one by one where a layer takes no set."""

    def one(cotangents: Array) -> dict[str, Array]:
        found = passes.outputs_pullback(problem, point, draw, trace, cotangents[0, ...])
        return {name: array[None, ...] for name, array in found.items()}

    if not pulls_several(problem.layers):
        return one, lambda number: 1
    pull = partial(passes.outputs_pullback, problem, point, draw, trace)
    return pull, lambda number: per_chunk(problem, draw, size(point))


def _prepare_compiled(problem: Problem, want: Want) -> Prepared:
    def answer(point: Parameters, draw: Draw, cotangent: Any) -> tuple[Any, Array]:
        trace = passes.forward(problem, point, draw)
        pull = partial(passes.outputs_pullback, problem, point, draw, trace)
        if want == "vjp":
            return pull(check_cotangent(trace.outputs, cotangent)), trace.outputs
        return rows_by_jax(trace.outputs, pull, per_chunk(problem, draw, size(point))), trace.outputs

    def stated(draw: Draw, outputs: Array) -> Work:
        return Work(forward=1, pullback=1 if want == "vjp" else math.prod(outputs.shape))

    return answering_by_jax(problem, want, answer, stated=stated)
