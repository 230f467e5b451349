"""The rest of a network behind a moved parameter: what lies before it is computed once.

A parameter that first appears in layer l changes nothing before l. So one forward pass keeps the input of
every layer, and a loss with a moved parameter is a pass over the layers from l on. It is counted as one
evaluation, as that of a black box is.
"""

from collections.abc import Callable
from typing import Any

from gradmark import passes
from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.population import per_chunk
from gradmark.problem import Problem
from gradmark.work import count, uncounted

States = tuple[Array, ...]
"""The input of each layer, and behind them the outputs."""


def first_layers(problem: Problem) -> dict[str, int]:
    """The index of the first layer that each parameter is in; the number of layers where none has it."""
    layers = problem.layers or ()
    found = dict.fromkeys(problem.parameters, len(layers))
    for index in range(len(layers) - 1, -1, -1):
        found |= dict.fromkeys(layers[index].names.values(), index)
    return {name: found[name] for name in problem.parameters}


def states_of(problem: Problem) -> Callable[[Parameters, Draw], States]:
    """The function that makes one forward pass and keeps the states; compiled on JAX."""
    number = len(problem.layers or ())

    def states(parameters: Parameters, arrays: Any) -> States:
        draw = Draw(arrays)
        found = [draw.arrays["inputs"]]
        for index in range(number):
            trace = passes.forward_layers(problem, parameters, draw, found[-1], index, index + 1)
            found.append(trace.outputs)
        return tuple(found)

    run = _compiled(problem, states)

    def counted(parameters: Parameters, draw: Draw) -> States:
        count(forward=passes.share_of_rows(problem, draw))
        with uncounted():
            found: States = run(dict(parameters), dict(draw.arrays))
        return found

    return counted


SuffixLosses = Callable[[Parameters, Draw, States, str, Array], Array]
"""``losses_at(parameters, draw, states, name, moved)``: entry i is the loss with coordinate i of the array
`name` replaced by entry i of `moved`; it has the shape of that array."""


def suffix_losses(problem: Problem) -> SuffixLosses:
    """The function that evaluates what lies behind one moved coordinate, in chunks of a population."""
    xp, first, criterion = problem.arrays.xp, first_layers(problem), problem.criterion
    assert criterion is not None
    end, value = len(problem.layers or ()), criterion.value

    def losses(name: str, parameters: Any, arrays: Any, h: Any, values: Any, start: Any) -> Array:
        draw, old = Draw(arrays), parameters[name]
        members = _members(problem, old, values, start)
        trace = passes.forward_layers(problem, {**parameters, name: members}, draw, h, first[name], end)
        found = value(trace.outputs, draw)
        return found if found.ndim else xp.broadcast_to(found, values.shape)

    run = _compiled(problem, losses, static_argnums=0)

    def losses_at(parameters: Parameters, draw: Draw, states: States, name: str, moved: Array) -> Array:
        new, found = xp.reshape(moved, (-1,)), []
        number, share_of_rows = new.shape[0], passes.share_of_rows(problem, draw)
        chunk = min(number, per_chunk(problem, draw, number))
        for start in range(0, number, max(chunk, 1)):
            values = new[start : start + chunk]
            with uncounted():
                found.append(
                    run(name, dict(parameters), dict(draw.arrays), states[first[name]], values, start)
                )
            count(forward=values.shape[0] * share_of_rows)
        return xp.reshape(xp.concat(found), tuple(moved.shape)) if found else moved

    return losses_at


def _members(problem: Problem, old: Array, values: Array, start: Any) -> Array:
    """Copies of `old`, one for each of `values`, with coordinate start + i of copy i replaced."""
    xp, many = problem.arrays.xp, values.shape[0]
    # A traced array of JAX has no device: the compiler chooses it.
    device = None if problem.arrays.backend == "jax" else old.device
    flat = xp.reshape(old, (1, -1))
    here = xp.arange(many, device=device)[:, None] + start
    moves = here == xp.arange(flat.shape[1], device=device)[None, :]
    return xp.reshape(xp.where(moves, values[:, None], flat), (many, *old.shape))


def _compiled(problem: Problem, function: Callable[..., Any], **more: Any) -> Callable[..., Any]:
    if problem.arrays.backend != "jax":
        return function
    import jax

    compiled: Callable[..., Any] = jax.jit(function, **more)
    return compiled
