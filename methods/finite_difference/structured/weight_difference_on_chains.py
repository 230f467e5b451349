"""Central differences of the weights of a dense chain by rank-1 updates: the fast `weight_difference`.

The weights of affine layer l are moved in blocks of rows i and columns j of W_l; its bias is one more column,
whose input is 1. Of the two matrix products nearest to a weight one number and one column are left.
"""

from typing import Any

from gradmark.arrays import Array
from gradmark.dense_chain import DenseChain
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters, detached, size
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


def prepare_on_chain(problem: Problem, chain: DenseChain, step: float | None) -> Prepared:
    """The prepared function, for draws of any number of rows."""
    workspace, evaluations = Workspace(problem, chain), 1 + 2 * size(problem.parameters)

    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        draw, point = draw or problem.default_draw, detached(parameters)
        at = bound(workspace, point, draw)
        found: dict[str, Array] = {}
        with short_buffers():
            for index in range(len(chain.affine)):
                found |= _of_layer(at, point, index, step)
        work = Work(forward=evaluations * share_of_rows(problem, draw))
        count(forward=work.forward)
        return Estimate(
            {name: found[name] for name in parameters}, workspace.criterion.value(at.z[-1].T, draw), work
        )

    return gradient


def _of_layer(at: Bound, point: Parameters, index: int, step: float | None) -> dict[str, Array]:
    """The differences of weight and bias of one layer, divided by their steps as rounded."""
    problem, named = at.workspace.problem, at.workspace.chain.affine[index]
    arrays, xp, ends, moves = problem.arrays, problem.arrays.xp, {}, []
    for short, full in named.names.items():
        x = point[full]
        h = steps.resolved(arrays, x, steps.wanted_alone(arrays, x, steps.central_rule, step))
        right, left = x + h, x - h
        ends[short] = right - left
        moves.append(xp.reshape(xp.stack([right - x, left - x], axis=1), (x.shape[0], 2, -1)))
    difference = _differences(at, index, xp.concat(moves, axis=2))
    fan_in = point[named.names["weight"]].shape[1]
    parts = {"weight": difference[:, :fan_in], "bias": difference[:, -1]}
    return {full: parts[short] / ends[short] for short, full in named.names.items()}


def _differences(at: Bound, index: int, moves: Array) -> Array:
    """Losses on the right less those on the left, (units, columns), for `moves` (units, 2, columns)."""
    xp, x, rows = at.workspace.problem.arrays.xp, at.x[index], at.x[index].shape[1]
    units, _, columns = moves.shape
    if columns > x.shape[0]:
        x = xp.concat([x, xp.ones_like(x[:1])])
    found = xp.empty_like(moves[:, 0])
    wide = min(columns, at.chunk(index, 2 * rows))
    many = min(units, at.chunk(index, 2 * rows * wide))
    for start in range(0, units, many):
        for left in range(0, columns, wide):
            block = (slice(start, start + many), slice(left, left + wide))
            found[block] = _of_block(at, index, start, moves[block[0], :, block[1]], x[block[1]])
    return found


def _of_block(at: Bound, index: int, start: int, moves: Array, x: Array) -> Array:
    """The same for some units and some columns, whose inputs are `x` (columns, rows)."""
    xp, space = at.workspace.problem.arrays.xp, at.workspace
    (many, _, columns), rows = moves.shape, x.shape[1]
    units = slice(start, start + many)
    dh = space.room(3, many, 2, columns, rows)
    space.library.multiply(moves[..., None], x, out=dh)
    if index < len(at.weights) - 1:
        space.library.add(dh, at.z[index][units, None, None, :], out=dh)
        h = space.activated(index, dh, at.draw)
        dh = space.library.subtract(h, at.x[index + 1][units, None, None, :], out=h)
    y = at.moved(index, start, start + many, dh.reshape(many, 2 * columns, rows))
    outputs = xp.permute_dims(y.reshape(y.shape[0], -1, rows), (1, 2, 0))
    losses = space.criterion.value(outputs, at.draw).reshape(many, 2, columns)
    return losses[:, 0] - losses[:, 1]
