"""Directional derivatives of a loss, in three ways: through its layers, by torch.func.jvp, by jax.jvp.

Those of its outputs likewise, with ``outputs=True``: `value` is the outputs, `slopes` (K, *their shape).
Each way is used as ``bind = by_...(problem)``, ``along = bind(parameters, draw)``, ``value, slopes =
along(tangents)``. Each array of `tangents` carries one leading axis of K directions, a parameter without
tangents does not move, and `slopes` has shape (K,). Passes are counted outside of any trace.
"""

from collections.abc import Callable
from typing import Any

from gradmark import passes
from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.population import per_chunk
from gradmark.problem import Problem
from gradmark.structure import lacks_pushforward
from gradmark.torch_forward import torch_forward_mode
from gradmark.work import count, uncounted

Along = Callable[[Parameters], tuple[Array, Array]]
Bind = Callable[[Parameters, Draw], Along]

_TRANSFORMED_DIRECTIONS = 256
_TRANSFORMED_BYTES = 2**26


def transformed_together(problem: Problem, draw: Draw, numbers: int) -> int:
    """How many directions of `numbers` parameters to push together where torch or JAX transforms the loss.

    A chunk costs torch milliseconds of dispatch, so it is larger than the layers' own: 256 directions were
    the fastest on a CPU (16 take three times as long, 1024 leave the cache), fewer beyond 64 MiB.
    """
    return min(_TRANSFORMED_DIRECTIONS, per_chunk(problem, draw, numbers, limit=_TRANSFORMED_BYTES))


def against_layers(problem: Problem) -> str | None:
    """Why tangents cannot be pushed through the problem's layers, in words; None where they can."""
    if problem.layers is None:
        return f"{problem.call.name} has no layers to push tangents through"
    where = lacks_pushforward(problem.layers)
    return None if where is None else f"the layer {where} of {problem.call.name} has no pushforward"


def by_layers(problem: Problem, *, outputs: bool = False) -> Bind:
    """The layers' own pushforward: one forward pass when bound, then K tangent passes for K directions."""
    assert problem.criterion is not None
    criterion = problem.criterion
    if problem.arrays.backend == "jax":
        return _by_compiled_layers(problem, outputs)
    push = passes.outputs_pushforward if outputs else passes.pushforward

    def bind(parameters: Parameters, draw: Draw) -> Along:
        trace = passes.forward(problem, parameters, draw)
        value = trace.outputs if outputs else criterion.value(trace.outputs, draw)
        return lambda tangents: (value, push(problem, parameters, draw, trace, tangents))

    return bind


def by_torch(problem: Problem, *, outputs: bool = False) -> Bind:
    """torch's forward mode, one for all K directions: a forward pass and K tangent passes."""
    import torch.func

    jvp: Any = torch.func.jvp
    vmap: Any = torch.func.vmap
    function = problem.outputs if outputs else problem.loss

    def bind(parameters: Parameters, draw: Draw) -> Along:
        def along(tangents: Parameters) -> tuple[Array, Array]:
            moving = {name: parameters[name] for name in tangents}

            def one(tangent: Parameters) -> Any:
                return jvp(lambda moved: function({**parameters, **moved}, draw), (moving,), (tangent,))

            _count_tangents(problem, draw, tangents)
            # The value does not depend on the tangent: out_dims=None keeps it one number, computed once.
            with torch_forward_mode():
                value, slopes = vmap(one, out_dims=(None, 0))(dict(tangents))
            # torch makes the tangent of a Python number times a float32 scalar, such as 0.5 * sum, float64.
            return value, slopes.to(value.dtype)

        return along

    return bind


def by_jax(problem: Problem) -> Bind:
    """JAX's forward mode, compiled: a forward pass and K tangent passes for K directions."""
    import jax

    def derivative(parameters: Any, arrays: Any, tangents: Any) -> Any:
        moving = {name: parameters[name] for name in tangents}

        def one(tangent: Any) -> Any:
            return jax.jvp(
                lambda moved: problem.loss({**parameters, **moved}, Draw(arrays)), (moving,), (tangent,)
            )

        return jax.vmap(one, out_axes=(None, 0))(tangents)

    compiled = jax.jit(derivative)

    def bind(parameters: Parameters, draw: Draw) -> Along:
        def along(tangents: Parameters) -> tuple[Array, Array]:
            with uncounted():
                value, slopes = compiled(dict(parameters), dict(draw.arrays), dict(tangents))
            count(forward=passes.share_of_rows(problem, draw))
            _count_tangents(problem, draw, tangents)
            return value, slopes

        return along

    return bind


def _by_compiled_layers(problem: Problem, of_outputs: bool) -> Bind:
    """`by_layers` on JAX: the forward pass and the pushforward are compiled, what was saved goes between."""
    import jax

    assert problem.criterion is not None
    criterion = problem.criterion
    push = passes.outputs_pushforward if of_outputs else passes.pushforward

    def forward(parameters: Any, arrays: Any) -> Any:
        trace = passes.forward(problem, parameters, Draw(arrays))
        return criterion.value(trace.outputs, Draw(arrays)), trace.outputs, trace.saved

    def pushforward(parameters: Any, arrays: Any, outputs: Any, saved: Any, tangents: Any) -> Any:
        return push(problem, parameters, Draw(arrays), passes.Trace(outputs, saved), tangents)

    compiled_forward, compiled_pushforward = jax.jit(forward), jax.jit(pushforward)

    def bind(parameters: Parameters, draw: Draw) -> Along:
        point, arrays = dict(parameters), dict(draw.arrays)
        with uncounted():
            value, outputs, saved = compiled_forward(point, arrays)
        value = outputs if of_outputs else value
        count(forward=passes.share_of_rows(problem, draw))

        def along(tangents: Parameters) -> tuple[Array, Array]:
            with uncounted():
                slopes = compiled_pushforward(point, arrays, outputs, saved, dict(tangents))
            _count_tangents(problem, draw, tangents)
            return value, slopes

        return along

    return bind


def _count_tangents(problem: Problem, draw: Draw, tangents: Parameters) -> None:
    directions = next(iter(tangents.values())).shape[0]
    count(tangent=directions * passes.share_of_rows(problem, draw))
