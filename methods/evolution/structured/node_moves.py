"""Mirrored moves of a network's nodes, and the estimate made of them: for any layers.

    s_l[b, i] = 1/(2 M sigma) sum over M pairs of (L_b(z + sigma u) - L_b(z - sigma u)) u_l[b, i]

L_b is the part of the loss that block b has (a row, where rows are independent, `gradmark.nodes`), u the
noise of all nodes and of what moves itself. The parameters' gradient is then a local product of s with what
the layers saw in one forward pass, `methods.forward.structured.activity_passes`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradmark import passes
from gradmark.arrays import Array
from gradmark.claims import Want
from gradmark.criterion import RowWise
from gradmark.draw import Draw
from gradmark.method import Estimate, Method, Prepared, unsupported
from gradmark.nodes import Nodes, against_nodes
from gradmark.parameters import Parameters, detached, finished
from gradmark.population import per_chunk
from gradmark.problem import Problem
from gradmark.work import counting
from methods.evolution.structured.moves import Moves, Plan
from methods.evolution.structured.nodes_on_chains import chain_kernel
from methods.forward.structured.activity_passes import Before, Steps, by_rows


def against_node_moves(method: Method, problem: Problem, want: Want) -> str | None:
    """Why nodes cannot be moved with a loss for each block, in words; None where they can."""
    if reason := against_nodes(problem) or unsupported(method, problem, want):
        return reason
    if not problem.population:
        return f"{problem.call.name} takes no population axis"
    return None if isinstance(problem.criterion, RowWise) else "its loss is not known row by row"


def prepared(problem: Problem, plan_for: Callable[[Nodes], Plan]) -> Prepared:
    """The function that a method prepares; on dense chains on the CPU it is `nodes_on_chains`."""
    kernel, compiled = chain_kernel(problem), problem.arrays.backend == "jax"
    estimate = _portable if kernel is None else kernel.estimate

    def steps(nodes: Nodes) -> Steps:
        return Steps(nodes, partial(by_mirrored_moves, plan_for(nodes).sigma), "forward", 2)

    steps_for = by_rows(problem, steps)

    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        rows = draw or problem.default_draw
        plan = plan_for(steps_for(rows).nodes)
        with counting() as work:
            value, result = estimate(steps_for(rows), detached(parameters), rows, plan, plan.moves(seed))
        return Estimate(finished(result), value, work.total(declared=compiled))

    return gradient


def by_mirrored_moves(
    sigma: float, nodes: Nodes, point: Parameters, draw: Draw, trace: passes.Trace, moves: Parameters
) -> Array:
    """(L_b(x + sigma u) - L_b(x - sigma u)) / 2 sigma of each block and move, (K, blocks)."""
    problem, end = nodes.problem, len(nodes.problem.layers or ())
    criterion: Any = problem.criterion

    def losses(distance: float) -> Array:
        moved = {**point, **{name: point[name] + distance * each for name, each in moves.items()}}
        outputs = passes.forward_layers(problem, moved, draw, draw.arrays["inputs"], 0, end).outputs
        return criterion.row_losses(outputs, draw)

    above, below = losses(sigma), losses(-sigma)
    return nodes.by_block((above - below) / (2 * sigma * above.shape[-1]))


def _portable(
    steps: Steps, point: Parameters, draw: Draw, plan: Plan, moves: Moves
) -> tuple[Array, Parameters]:
    """The loss and the estimate, added up a chunk at a time; how far to move is in the steps."""
    arrays, before, total = steps.nodes.problem.arrays, steps.forward(point, draw), None
    chunk = per_chunk(steps.nodes.problem, draw, steps.numbers)
    for start in range(0, plan.pairs, chunk):
        found = _weighted(steps, point, draw, before, moves, start, min(start + chunk, plan.pairs))
        total = found if total is None else total + found
    assert total is not None
    mean = arrays.xp.astype(total / plan.pairs, arrays.dtype_object, copy=False)
    return before.value, steps.contracted(point, before, mean)


def _weighted(
    steps: Steps, point: Parameters, draw: Draw, before: Before, moves: Moves, start: int, stop: int
) -> Array:
    rows = np.empty((stop - start, moves.width))
    moves.write(start, stop, 1.0, rows)
    return steps.weighted(point, draw, before, steps.nodes.problem.arrays.array(rows[:, : steps.numbers]))
