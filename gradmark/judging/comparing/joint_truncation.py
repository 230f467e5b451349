"""What the truncation of differences leaves that move all nodes of a network at once, by random signs u.

Along sigma u the difference of a block's loss is off by e(u) = sigma^2/6 D^3 L [u, u, u] + ..., third
derivatives of different nodes included, which no difference of one node sees. An estimate that weights it
with u puts the mean of e(u) u_i on node i; the squares of these add up to no more than the mean of e(u)^2,
for the u_i are orthonormal. So the root mean square of e bounds the error of every node, and of all together.
What moves itself in place of its nodes is treated alike, for the loss of all blocks.
"""

from typing import Any

import numpy as np

from gradmark import passes
from gradmark.arrays import to_numpy
from gradmark.claims import Truncated
from gradmark.criterion import RowWise
from gradmark.judging.comparing.node_rounding import spread
from gradmark.judging.comparing.node_truncation import FINE, opened_at
from gradmark.nodes import Nodes
from gradmark.problem import converted
from gradmark.random import generator
from gradmark.reference.point import Point

_MOVES = 32
"""Random moves: the root mean square of e is known to a sixth or so."""
_STREAM = 37


def moves_all(claim: Truncated) -> bool:
    """Whether the order is claimed in how far everything moves at once: a sigma, where others have a step."""
    return claim.parameter == "sigma"


def joint_truncation(point: Point, sigma: float) -> dict[str, Any]:
    """How far mirrored moves of all nodes by `sigma` are off, for each parameter; none where there are no
    nodes, or no losses of rows."""
    found = opened_at(point)
    if found is None or not isinstance(point.problem.criterion, RowWise):
        return {}
    nodes, opened = found
    random, fine = generator(0, "judge", _STREAM), min(sigma, 1.0) * FINE
    errors = []
    for _ in range(_MOVES):
        u = {name: random.choice([-1.0, 1.0], opened.numbers[name].shape) for name in _moving(nodes)}
        slope = (4 * _along(nodes, opened, u, fine) - _along(nodes, opened, u, 2 * fine)) / 3
        errors.append(_along(nodes, opened, u, sigma) - slope)
    off = spread(nodes, opened, np.sqrt(np.mean(np.square(errors), axis=0)))
    whole = np.sqrt(np.mean(np.sum(errors, axis=1) ** 2))
    return off | {name: np.full(opened.numbers[name].shape, whole) for name in nodes.others}


def _moving(nodes: Nodes) -> list[str]:
    return [*(site.offset for site in nodes.sites), *nodes.others]


def _along(nodes: Nodes, opened: Point, u: dict[str, Any], distance: float) -> Any:
    """The difference of each block's part of the mean loss along `u`, shape (blocks,)."""
    return (_losses(nodes, opened, u, distance) - _losses(nodes, opened, u, -distance)) / (2 * distance)


def _losses(nodes: Nodes, opened: Point, u: dict[str, Any], distance: float) -> Any:
    criterion: Any = opened.problem.criterion
    moved = opened.numbers | {name: opened.numbers[name] + np.longdouble(distance) * u[name] for name in u}
    with np.errstate(all="ignore"):
        trace = passes.forward(opened.problem, converted(moved, opened.problem.arrays), opened.draw)
        rows = to_numpy(criterion.row_losses(trace.outputs, opened.draw)).astype(np.longdouble)
    return np.sum(rows.reshape(nodes.blocks, -1), axis=1) / rows.size
