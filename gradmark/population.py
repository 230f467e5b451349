"""The losses of many parameter vectors: together where the problem takes a population, else one by one."""

from collections.abc import Callable
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.layer import Composite, NamedLayer, Widens
from gradmark.parameters import Parameters
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.remembering import once_for
from gradmark.work import count, uncounted

Evaluator = Callable[[Parameters, Parameters, Draw], Array]
"""``evaluate(members, shared, draw)``: see `losses`."""

_CHUNK_BYTES = {"cpu": 2**20, "cuda": 2**28}
"""Perturbed numbers that are held at once: about what a core's second-level cache holds; on a GPU, enough for
one matrix product to fill it, and little beside its memory."""
_OF_A_FUNCTION = 16
"""Arrays of a member's size that a loss without layers is taken to go through: the built-in functions hold
six to ten at once, and cache misses slow them more than short loops do."""


def per_chunk(problem: Problem, draw: Draw, numbers: int, *, limit: int | None = None) -> int:
    """How many perturbations (members or tangents) of `numbers` parameters to carry at once; at least 1.

    What is held for each is its parameters and the largest array of any layer, as far as the problem shows
    its layers. `limit` is the number of bytes for all; None: what suits the device.
    """
    inputs = draw.arrays.get("inputs")
    shape = (draw.count, 0) if inputs is None else (int(inputs.shape[0]), int(inputs.shape[1]))
    kind = "cuda" if problem.arrays.device.startswith(("cuda", "gpu")) else "cpu"
    widest = once_for(problem, ("widest", shape), lambda: _widest(problem.layers or (), shape))
    held = problem.arrays.itemsize * (numbers + widest)
    return max(1, (limit or _CHUNK_BYTES[kind]) // max(1, held))


def _widest(layers: tuple[NamedLayer, ...], shape: tuple[int, int]) -> int:
    """How many numbers the largest array has that `layers`, those inside of others too, make of one x."""
    found = 0
    for named in layers:
        layer = named.layer
        if isinstance(layer, Composite):
            found = max(found, _widest(layer.inner, shape))
        if isinstance(layer, Widens):
            found = max(found, layer.widest(shape))
        shape = layer.output_shape(shape)
        found = max(found, shape[0] * shape[1])
    return found


def members_per_chunk(problem: Problem, draw: Draw, numbers_per_member: int) -> int:
    """How many members to evaluate at once; 1 where the problem takes no population axis."""
    if not problem.population:
        return 1
    arrays = 1 if problem.layers else _OF_A_FUNCTION
    return per_chunk(problem, draw, arrays * numbers_per_member)


def losses(problem: Problem, members: Parameters, shared: Parameters, draw: Draw) -> Array:
    """The loss of each member, shape (N,).

    `members` holds the arrays that differ between members, with one leading axis N; `shared` holds all
    parameters, and gives those that do not differ.
    """
    if problem.population:
        return problem.loss({**shared, **members}, draw)
    xp: Any = problem.arrays.xp
    number = next(iter(members.values())).shape[0]
    each = [
        problem.loss({**shared, **{name: array[i, ...] for name, array in members.items()}}, draw)
        for i in range(number)
    ]
    return xp.stack(each)


def evaluator(problem: Problem) -> Evaluator:
    """`losses` bound to a problem; compiled on JAX, where the members are counted outside the trace."""
    if problem.arrays.backend != "jax" or not problem.population:
        return lambda members, shared, draw: losses(problem, members, shared, draw)
    import jax

    compiled = jax.jit(lambda members, shared, arrays: losses(problem, members, shared, Draw(arrays)))

    def evaluate(members: Parameters, shared: Parameters, draw: Draw) -> Array:
        with uncounted():
            found = compiled(dict(members), dict(shared), dict(draw.arrays))
        count(forward=found.shape[0] * share_of_rows(problem, draw))
        return found

    return evaluate
