"""JAX code run with every operation's result moved by a relative random amount: see `torch_shaken`."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

_CALLS = ("jaxpr", "call_jaxpr", "fun_jaxpr")
"""The parameters under which an operation that calls others keeps them."""
_LOOPS = {"scan", "while", "cond"}
"""They hold other operations too, and cannot be unfolded: only their results are moved."""


def shaken(function: Callable[..., Any], epsilon: float, seed: int) -> Callable[..., Any]:
    """`function`, whose operations err by up to `epsilon`, relative, at random."""
    random = np.random.default_rng(seed)

    def run(*arguments: Any) -> Any:
        import jax

        closed, shape = jax.make_jaxpr(function, return_shape=True)(*arguments)
        flat = jax.tree_util.tree_leaves(arguments)
        results = _evaluated(closed.jaxpr, closed.consts, flat, epsilon, random)
        return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(shape), results)

    return run


def _evaluated(
    jaxpr: Any, constants: Sequence[Any], arguments: Sequence[Any], epsilon: float, random: Any
) -> list[Any]:
    values: dict[Any, Any] = {}

    def read(variable: Any) -> Any:
        return variable.val if hasattr(variable, "val") else values[variable]

    values.update(zip(jaxpr.constvars, constants, strict=True))
    values.update(zip(jaxpr.invars, arguments, strict=True))
    for equation in jaxpr.eqns:
        given = [read(variable) for variable in equation.invars]
        inner = next((equation.params[name] for name in _CALLS if name in equation.params), None)
        if inner is not None and equation.primitive.name not in _LOOPS:
            body, kept = (inner.jaxpr, inner.consts) if hasattr(inner, "jaxpr") else (inner, ())
            results = _evaluated(body, kept, given, epsilon, random)
        else:
            bound = equation.primitive.get_bind_params(equation.params)
            functions, parameters = bound if isinstance(bound, tuple) else ((), bound)  # before JAX 0.9
            found = equation.primitive.bind(*functions, *given, **parameters)
            listed = found if equation.primitive.multiple_results else [found]
            results = [_moved(result, epsilon, random) for result in listed]
        values.update(zip(equation.outvars, results, strict=True))
    return [read(variable) for variable in jaxpr.outvars]


def _moved(result: Any, epsilon: float, random: Any) -> Any:
    import jax.numpy as jnp

    if not hasattr(result, "dtype") or not jnp.issubdtype(result.dtype, jnp.floating):
        return result
    change = random.uniform(-epsilon, epsilon, result.shape)
    return result * jnp.asarray(1 + change, result.dtype)
