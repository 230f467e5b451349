"""Central differences of the nodes of a dense chain by rank-1 updates: the fast form of `node_difference`.

Units of one layer are moved to both sides together, each by itself (`dense_chains`).
"""

from typing import Any

from gradmark.arrays import Array
from gradmark.dense_chain import DenseChain
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters, detached
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import Work, count
from methods.finite_difference import steps
from methods.finite_difference.structured.dense_chains import (
    Bound,
    Workspace,
    bound,
    short_buffers,
)
from methods.finite_difference.structured.node_steps import node_step


def prepare_on_chain(problem: Problem, chain: DenseChain, step: float | None) -> Prepared:
    """The prepared function, for draws of any number of rows."""
    workspace, evaluations = Workspace(problem, chain), 1 + 2 * sum(chain.widths[1:])
    xp = problem.arrays.xp

    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        draw, found = draw or problem.default_draw, {}
        at = bound(workspace, detached(parameters), draw)
        with short_buffers():
            for index, named in enumerate(chain.affine):
                s = _slopes(at, index, step)
                found[named.names["weight"]] = xp.matmul(s, at.x[index].T)
                if "bias" in named.names:
                    found[named.names["bias"]] = xp.sum(s, axis=-1)
        work = Work(forward=evaluations * share_of_rows(problem, draw))
        count(forward=work.forward)
        value = workspace.criterion.value(at.z[-1].T, draw)
        return Estimate({name: found[name] for name in parameters}, value, work)

    return gradient


def _slopes(at: Bound, index: int, step: float | None) -> Array:
    """S = dL/dz of one layer, (units, rows)."""
    arrays, z = at.workspace.problem.arrays, at.z[index]
    units, rows = z.shape
    h = steps.resolved(arrays, z, node_step(arrays, z, step))
    right, left = z + h, z - h
    difference = arrays.xp.empty_like(z)
    many = min(units, at.chunk(index, 2 * rows))
    for start in range(0, units, many):
        block = slice(start, start + many)
        difference[block] = _of_block(at, index, start, right[block], left[block])
    return difference / ((right - left) * rows)


def _of_block(at: Bound, index: int, start: int, right: Array, left: Array) -> Array:
    """The losses of each row on the right less those on the left, (units, rows), for some units."""
    xp, space, many = at.workspace.problem.arrays.xp, at.workspace, right.shape[0]
    moved, before = xp.stack([right, left], axis=1), at.z[index]
    if index < len(at.weights) - 1:
        moved, before = space.activated(index, moved, at.draw), at.x[index + 1]
    y = at.moved(index, start, start + many, moved - before[start : start + many, None, :])
    outputs = xp.permute_dims(y.reshape(y.shape[0], 2 * many, -1), (1, 2, 0))
    losses = space.criterion.row_losses(outputs, at.draw).reshape(many, 2, -1)
    return losses[:, 0] - losses[:, 1]
