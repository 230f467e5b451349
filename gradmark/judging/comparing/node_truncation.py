"""What the truncation of differences at a network's nodes leaves in the gradient of its parameters.

A method that sees the layers may step its nodes, the pre-activations, in place of its parameters, and its
step is then a step of a node: a weight's part of it is as much longer as its input is. The judge takes the
differences at the nodes himself, an entry of an offset at a time, and gives what they are off to the layers,
whose gradient is linear in it.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.claims import Claims
from gradmark.judging.comparing.difference_errors import slopes
from gradmark.nodes import Nodes, against_nodes, nodes_of
from gradmark.problem import converted
from gradmark.reference.point import Point

FINE = 2.0**-8
"""The step of the difference that stands for the derivative, over that whose error is wanted, or over 1."""


def steps_nodes(claims: Claims) -> bool:
    """Whether the method sees layers that it could step."""
    return bool(claims.reads & {"layers", "difference", "pushforward"})


def node_truncation(point: Point, step: float, order: int) -> dict[str, Any]:
    """How far differences of `order` with `step` at the nodes are off, for each parameter that has nodes."""
    found = opened_at(point)
    if found is None:
        return {}
    nodes, opened = found
    sides = [_off(nodes, opened, step, order, side) for side in range(2 if order == 1 else 1)]
    return {name: np.maximum.reduce([side[name] for side in sides]) for name in sides[0]}


def opened_at(point: Point) -> tuple[Nodes, Point] | None:
    """The nodes of the point's problem, and the point with its offsets; None where none can be opened."""
    if against_nodes(point.problem):
        return None
    nodes = nodes_of(point.problem, point.draw)
    return nodes, Point(nodes.problem, nodes.point(point.parameters), point.draw)


def _off(nodes: Nodes, opened: Point, step: float, order: int, side: int) -> Mapping[str, Any]:
    """What the errors at all nodes, with their signs, add up to in the parameters."""
    fine = min(step, 1.0) * FINE
    errors = {}
    for site in nodes.sites:
        coarse = slopes(opened, site.offset, step, order)[side]
        errors[site.offset] = coarse - slopes(opened, site.offset, fine, 4)[0]
    _, seen = nodes.forward(opened.parameters, opened.draw)
    found = nodes.contracted(opened.parameters, seen, converted(errors, opened.problem.arrays))
    return {name: np.abs(to_numpy(array)).astype(np.longdouble) for name, array in found.items()}
