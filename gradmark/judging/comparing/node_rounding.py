"""What the rounding of differences at a network's nodes leaves in the gradient of its parameters.

With the step h, the slope of a block's loss at a node is off by the noise of that loss over h. A parameter
collects that over its nodes z, each with what it does to the node:

    noise of p = sqrt(sum over z of (noise of the block's part of the mean loss / h * dz/dp)^2)

A weight behind inputs of size 50 has 50 times the noise of an offset, which sees ones. Noises of nodes are
taken to be independent, as those of losses at different points are; random signs add them up.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from gradmark import passes
from gradmark.arrays import to_numpy
from gradmark.criterion import RowWise
from gradmark.judging.comparing.node_truncation import opened_at
from gradmark.nodes import Nodes
from gradmark.problem import converted
from gradmark.random import generator
from gradmark.reference.noise import noise
from gradmark.reference.point import Point, random_direction
from gradmark.reference.slope import noise_level

_SIGNS = 32
"""Random signs: the root mean square of their sums is known to an eighth, exactly where one node rules."""
_STREAM = 31


def node_rounding(point: Point, wide: Point, step: float) -> dict[str, Any]:
    """The standard deviation of each parameter that has nodes, for differences with `step` at them.

    The noise is that of losses in the arithmetic of `point`; `wide` is the same point in that of the judge.
    """
    found = opened_at(wide)
    if found is None or not found[0].sites:
        return {}
    nodes, opened = found
    return spread(nodes, opened, _levels(point, nodes.blocks) / step)


def spread(nodes: Nodes, opened: Point, levels: Any) -> dict[str, Any]:
    """The standard deviation of each parameter where that of a block's nodes is `levels`, shape (blocks,)."""
    _, seen = nodes.forward(opened.parameters, opened.draw)
    random, squares = generator(0, "judge", _STREAM), dict[str, Any]()
    for _ in range(_SIGNS):
        noises = {each.offset: _signed(levels, each.shape, random) for each in nodes.sites}
        summed = nodes.contracted(opened.parameters, seen, converted(noises, opened.problem.arrays))
        for name, array in summed.items():
            squares[name] = squares.get(name, 0) + to_numpy(array).astype(np.longdouble) ** 2 / _SIGNS
    return {name: np.sqrt(square) for name, square in squares.items()}


def _signed(levels: Any, shape: tuple[int, int], random: np.random.Generator) -> Any:
    """As large as the noise of each node's block, whose rows follow each other, with a random sign."""
    return np.repeat(levels, shape[0] // levels.size)[:, None] * random.choice([-1.0, 1.0], shape)


def _levels(point: Point, blocks: int) -> Any:
    """The standard deviation of the rounding of each block's part of the mean loss, shape (blocks,).

    Where losses are not known row by row, all parts are taken to have the same share of the mean's.
    """
    criterion: Any = point.problem.criterion
    if blocks == 1 or not isinstance(criterion, RowWise):
        return np.full(blocks, noise_level(point) / blocks**0.5)
    direction = random_direction({name: array.shape for name, array in point.numbers.items()}, _STREAM)
    unit = min(point.typical_sizes.values())

    @cache
    def parts(distance: float) -> Any:
        moved = {name: array + distance * unit * direction[name] for name, array in point.numbers.items()}
        outputs = passes.forward(point.problem, converted(moved, point.problem.arrays), point.draw).outputs
        rows = to_numpy(criterion.row_losses(outputs, point.draw)).astype(np.longdouble)
        return np.sum(rows.reshape(blocks, -1), axis=1) / rows.size

    def along(block: int) -> Callable[[Any], Any]:
        return lambda offsets: [parts(float(each))[block] for each in offsets]

    with np.errstate(all="ignore"):
        return np.array([noise(along(block), point.epsilon) for block in range(blocks)])
