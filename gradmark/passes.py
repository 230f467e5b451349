"""The three passes through a network's layers, counted: forward, pullback (reverse), pushforward (tangent).

With z_l = W_l h_{l-1} + b_l and h_l = sigma_l(z_l), the pullback is the delta recursion of Rumelhart, Hinton
and Williams (1986),

    delta_l = (W_{l+1}^T delta_{l+1}) * sigma_l'(z_l),   dL/dW_l = sum over rows of delta_l h_{l-1}^T,

written layer by layer so that it holds for every layer that knows its own pullback.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.work import count


@dataclass(frozen=True)
class Trace:
    """What one forward pass leaves behind: the outputs, what each layer saved, and its input where kept."""

    outputs: Array
    saved: tuple[Any, ...]
    inputs: tuple[Array, ...] = ()


def share_of_rows(problem: Problem, draw: Draw) -> float:
    """How many passes one pass over the rows of `draw` is: 1 for the rows the problem was built with."""
    return draw.count / problem.default_draw.count


def forward(problem: Problem, parameters: Parameters, draw: Draw) -> Trace:
    """Run the layers once and keep what the other two passes need. One forward pass."""
    count(forward=share_of_rows(problem, draw))
    return forward_layers(problem, parameters, draw, draw.arrays.get("inputs"), 0, len(_layers(problem)))


def forward_layers(
    problem: Problem, parameters: Parameters, draw: Draw, h: Array, start: int, stop: int
) -> Trace:
    """Run the layers from `start` to `stop` - 1 on `h`. Whoever runs a part counts it."""
    saved = []
    for named in _layers(problem)[start:stop]:
        h, kept = named.layer.forward(named.own(parameters), h, draw)
        saved.append(kept)
    return Trace(h, tuple(saved))


def pullback(problem: Problem, parameters: Parameters, draw: Draw, trace: Trace) -> dict[str, Array]:
    """The gradient of the loss with respect to all parameters. One pullback pass."""
    delta = _criterion(problem).pullback(trace.outputs, draw)
    return outputs_pullback(problem, parameters, draw, trace, delta)


def pullback_layers(
    problem: Problem, parameters: Parameters, saved: Sequence[Any], delta: Array, start: int, stop: int
) -> tuple[Array | None, dict[str, Array]]:
    """Pull `delta` back from the output of layer `stop` - 1 to the input of layer `start`.

    `saved` is what these layers saved, in order. With the gradient of the input come those of the layers'
    parameters. The first layer of all that holds parameters needs no gradient of its input: that product is
    left out, and so are the layers before it (None). Whoever runs a part counts it.
    """
    layers = _layers(problem)
    first = next(index for index, named in enumerate(layers) if named.names)
    gradient: dict[str, Array] = {}
    dh: Array | None = delta
    for index in range(stop - 1, max(start, first) - 1, -1):
        named = layers[index]
        dh, own = named.layer.pullback(
            named.own(parameters), saved[index - start], dh, input_gradient=index > first
        )
        for name, array in own.items():
            full = named.names[name]
            gradient[full] = gradient[full] + array if full in gradient else array
    return dh, gradient


def pushforward(
    problem: Problem, parameters: Parameters, draw: Draw, trace: Trace, tangents: Parameters
) -> Array:
    """The derivatives of the loss along `tangents`, shape (K,). K tangent passes.

    Each array of `tangents` has shape (K, *parameter shape); a parameter without one does not move.
    """
    moved = outputs_pushforward(problem, parameters, draw, trace, tangents)
    return _criterion(problem).pushforward(trace.outputs, draw, moved)


def outputs_pushforward(
    problem: Problem, parameters: Parameters, draw: Draw, trace: Trace, tangents: Parameters
) -> Array:
    """The derivatives of the outputs along `tangents`, shape (K, rows, units). K tangent passes."""
    directions = next(iter(tangents.values())).shape[0]
    count(tangent=directions * share_of_rows(problem, draw))
    dh = None
    for named, saved in zip(_layers(problem), trace.saved, strict=True):
        dh = named.layer.pushforward(named.own(parameters), saved, dh, named.own(tangents) or None)
    return _zeros(problem, directions, trace.outputs) if dh is None else dh


def outputs_difference(
    problem: Problem, parameters: Parameters, draw: Draw, trace: Trace, changes: Parameters
) -> Array:
    """What the outputs change by where `changes` are added to the parameters, shape (K, rows, units).

    Without cancellation (`gradmark.differenced.Differenced`), from a trace that has its inputs. What a
    change leads to is an evaluation at another point: K forward passes.
    """
    directions = next(iter(changes.values())).shape[0]
    count(forward=directions * share_of_rows(problem, draw))
    states, dh = (*trace.inputs[1:], trace.outputs), None
    for named, x, y in zip(_layers(problem), trace.inputs, states, strict=True):
        dh = named.layer.difference(named.own(parameters), x, y, dh, draw, named.own(changes) or None)
    return _zeros(problem, directions, trace.outputs) if dh is None else dh


def outputs_pullback(
    problem: Problem, parameters: Parameters, draw: Draw, trace: Trace, cotangent: Array
) -> dict[str, Array]:
    """`cotangent`, of the outputs' shape, pulled back to all parameters. One pullback pass.

    K of them along one leading axis, where all layers take several at once, are K passes.
    """
    several = cotangent.shape[0] if cotangent.ndim > trace.outputs.ndim else 1
    count(pullback=several * share_of_rows(problem, draw))
    _, gradient = pullback_layers(problem, parameters, trace.saved, cotangent, 0, len(_layers(problem)))
    return {name: gradient[name] for name in parameters}


def _zeros(problem: Problem, directions: int, outputs: Array) -> Array:
    """Where nothing that moves reaches the outputs."""
    xp: Any = problem.arrays.xp
    return xp.zeros((directions, *outputs.shape), dtype=outputs.dtype, device=outputs.device)


def _layers(problem: Problem) -> tuple[Any, ...]:
    assert problem.layers is not None, "passes need a problem with layers"
    return problem.layers


def _criterion(problem: Problem) -> Any:
    return problem.criterion
