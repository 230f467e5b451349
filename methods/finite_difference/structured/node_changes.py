"""The slopes of each row's loss at all nodes of any network, by central differences.

`methods.forward.structured.node_slopes` puts the whole gradient together from slopes, wherever they are from;
here they come from two passes over the layers behind what moves.
"""

from functools import partial
from typing import Any

from gradmark import passes
from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.nodes import Nodes
from gradmark.parameters import Parameters
from gradmark.work import count
from methods.finite_difference import steps
from methods.finite_difference.structured.node_steps import node_step
from methods.finite_difference.structured.suffixes import first_layers
from methods.forward.structured import node_slopes
from methods.forward.structured.node_slopes import AlongRows, Bound


def bind(nodes: Nodes, step: float | None) -> Bound:
    """The function that computes loss and gradient for draws of the rows that `nodes` were found for."""
    return node_slopes.bind(nodes, partial(by_differences, step), "forward", each=2)


def by_differences(
    step: float | None, nodes: Nodes, point: Parameters, draw: Draw, trace: passes.Trace
) -> AlongRows:
    """``along(units)``: (L_row(x + h) - L_row(x - h)) / 2h / rows of an array x that moves in unit vectors.

    An array of offsets steps by the size of what comes into its layer: the pre-activations, or the input of
    the layers that hold it.
    """
    arrays, end = nodes.problem.arrays, len(nodes.problem.layers or ())
    xp: Any = arrays.xp
    criterion: Any = nodes.problem.criterion
    first = first_layers(nodes.problem)
    offsets = {site.offset for site in nodes.sites}

    def losses(name: str, members: Array) -> Array:
        index = first[name]
        count(forward=members.shape[0] * passes.share_of_rows(nodes.problem, draw))
        moved = {**point, name: members}
        h = trace.inputs[index]
        outputs = passes.forward_layers(nodes.problem, moved, draw, h, index, end).outputs
        return criterion.row_losses(outputs, draw)

    def along(units: Parameters) -> Array:
        (name, unit), *_ = units.items()
        x = point[name]
        if name in offsets:
            h = node_step(arrays, trace.inputs[first[name]] if step is None else x, step)
        else:
            h = steps.wanted_alone(arrays, x, steps.central_rule, step)
        h = steps.resolved(arrays, x, h)
        right, left = losses(name, x + h * unit), losses(name, x - h * unit)
        width = xp.max(xp.reshape(((x + h) - (x - h)) * unit, (unit.shape[0], -1)), axis=-1)
        # Units beyond the last one are zero, and their slopes are not looked at.
        width = xp.where(width > 0, width, xp.ones_like(width))
        return (right - left) / (width[:, None] * right.shape[-1])

    return along
