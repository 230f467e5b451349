"""What layers unrolled in time share: the loop over the steps, and all that one matrix product does at once.

Inside such a layer the time is the leading axis, (T, ..., rows, units), so that a step's numbers lie side by
side; a population or a set of tangents is behind it. With a_t = x_t W^T + b for all steps in one product, a
step adds h_{t-1} U^T, where h_0 = 0; the products for W, U, b and x wait until the loop back has ended.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from gradmark.arrays import Array, Arrays
from gradmark.layer import Own

Kept = Sequence[Array]
Start = Callable[[Any, Kept], tuple[Any, Kept]]
Step = Callable[[Any, Any, Kept], tuple[Any, Kept]]


def unrolled(
    arrays: Arrays, start: Start, step: Step, given: Any, items: Kept, *, backwards: bool = False
) -> tuple[Any, Kept]:
    """The last state, and what every step kept, stacked along time.

    ``state, kept = start(given, item)`` at the first item and ``step(given, state, item)`` at all others; an
    item is what each array of `items` has at one time. `backwards` begins at the last one. Both must be
    methods, because JAX compiles them once for each layer (`jax.lax.scan`: T steps unrolled take XLA long).
    """
    if arrays.backend == "jax":
        state, kept = _scan()(start, step, backwards, given, items)
        return state, kept
    times = list(zip(*(arrays.xp.unstack(array) for array in items), strict=True))
    if backwards:
        times.reverse()
    state, first = start(given, times[0])
    collected = [first]
    for item in times[1:]:
        state, kept = step(given, state, item)
        collected.append(kept)
    if backwards:
        collected.reverse()
    return state, tuple(arrays.xp.stack(each) for each in zip(*collected, strict=True))


@cache
def _scan() -> Any:
    import jax
    from jax import numpy as jnp

    def scan(start: Start, step: Step, backwards: bool, given: Any, items: Kept) -> Any:
        first, others = (-1, slice(0, -1)) if backwards else (0, slice(1, None))
        state, kept = start(given, tuple(array[first] for array in items))
        state, rest = jax.lax.scan(
            lambda state, item: step(given, state, item),
            state,
            tuple(array[others] for array in items),
            reverse=backwards,
        )
        ends = [
            (array[None], each)[:: -1 if backwards else 1] for array, each in zip(kept, rest, strict=True)
        ]
        return state, tuple(jnp.concatenate(each) for each in ends)

    return jax.jit(scan, static_argnums=(0, 1, 2))


def time_first(xp: Any, x: Array, steps: int) -> Array:
    """(..., rows, T units) as (T, ..., rows, units)."""
    return xp.moveaxis(xp.reshape(x, (*x.shape[:-1], steps, x.shape[-1] // steps)), -2, 0)


def time_last(xp: Any, x: Array) -> Array:
    """(T, ..., rows, units) as (..., rows, T units)."""
    moved = xp.moveaxis(x, 0, -2)
    return xp.reshape(moved, (*moved.shape[:-2], moved.shape[-2] * moved.shape[-1]))


def before(xp: Any, h: Array) -> Array:
    """What each step found: zero at the first, h_{t-1} at the others."""
    return xp.concat([xp.zeros_like(h[:1, ...]), h[:-1, ...]])


def times(xp: Any, x: Array, matrix: Array) -> Array:
    """x M for all steps; as one product of all their rows where M is one matrix."""
    if matrix.ndim > 2:
        return xp.matmul(_beside(x, matrix, 2), matrix)
    flat = xp.matmul(xp.reshape(x, (-1, x.shape[-1])), matrix)
    return xp.reshape(flat, (*x.shape[:-1], matrix.shape[1]))


def plus_product(arrays: Arrays, a: Kept, h: Array, matrix: Array) -> Array:
    """a + h M of one step; `a` of no array stands for zero."""
    if arrays.backend == "torch" and h.ndim == matrix.ndim == 2:
        # torch's own calls: those of the compatibility layer cost as much as a small product.
        torch = arrays.xp
        return torch.addmm(a[0], h, matrix) if a else torch.mm(h, matrix)
    product = arrays.xp.matmul(h, matrix)
    return a[0] + product if a else product


def transposed(arrays: Arrays, matrix: Array) -> Array:
    """M^T, on NumPy and torch as a copy with its rows side by side: T products with it are the faster."""
    turned = arrays.xp.matrix_transpose(matrix)
    if isinstance(turned, np.ndarray):
        return np.ascontiguousarray(turned)
    return turned.contiguous() if arrays.backend == "torch" else turned


def driven(arrays: Arrays, p: Own, x: Array) -> Array:
    """a_t = x_t W^T + b for all steps, of x with the time first."""
    xp, weight, bias = arrays.xp, p["weight_ih"], p["bias"]
    if arrays.backend == "torch" and weight.ndim == 2 and bias.ndim == 1:
        return _plus_offset(xp, xp.nn.functional.linear(x, weight, bias), p)
    a = _beside(times(xp, x, xp.matrix_transpose(weight)), bias, 1) + bias[..., None, :]
    return _plus_offset(xp, a, p)


def _plus_offset(xp: Any, a: Array, p: Own) -> Array:
    """a_t + the ``offset`` (..., rows, T units), where nodes are opened."""
    if "offset" not in p:
        return a
    offset = time_first(xp, p["offset"], a.shape[0])
    if offset.ndim < a.ndim:
        offset = offset[:, None, ...]
    return _beside(a, p["offset"], 2) + offset


def with_offset(xp: Any, p: Own, own: dict[str, Array], delta: Array) -> dict[str, Array]:
    """`own` and, where nodes are opened, the derivative at their offset: delta_t of all steps."""
    return {**own, "offset": time_last(xp, delta)} if "offset" in p else own


def own_gradients(xp: Any, x: Array, h: Array, delta: Array) -> dict[str, Array]:
    """dW = sum delta_t^T x_t, dU = sum delta_t^T h_{t-1}, db = sum delta_t: over time and rows at once."""

    def summed(delta: Array, inputs: Array) -> Array:
        return xp.matmul(xp.matrix_transpose(_all_rows(xp, delta)), _all_rows(xp, inputs))

    return {
        "weight_ih": summed(delta, x),
        "weight_hh": summed(delta[1:, ...], h[:-1, ...]),
        "bias": xp.sum(_all_rows(xp, delta), axis=-2),
    }


def drive_moved(xp: Any, p: Own, x: Array, h: Array, dx: Array | None, dp: Own | None) -> Array | None:
    """dx_t W^T + x_t dW^T + h_{t-1} dU^T + db for all steps: (T, K, rows, units); None stands for zero."""
    own = dp or {}
    moved = [] if dx is None else [times(xp, dx, xp.matrix_transpose(p["weight_ih"]))]
    if "weight_ih" in own:
        moved.append(times(xp, x, xp.matrix_transpose(own["weight_ih"])))
    if "weight_hh" in own:
        moved.append(times(xp, before(xp, h), xp.matrix_transpose(own["weight_hh"])))
    if "bias" in own:
        bias = own["bias"]
        shape = (x.shape[0], bias.shape[0], x.shape[-2], bias.shape[-1])
        moved.append(xp.broadcast_to(bias[:, None, :], shape))
    if "offset" in own:
        moved.append(time_first(xp, own["offset"], x.shape[0]))
    return sum(moved[1:], moved[0]) if moved else None


def _beside(x: Array, parameter: Array, axes: int) -> Array:
    """`x` with an axis behind the time where a parameter, of so many `axes`, has a leading one and x not."""
    return x[:, None, ...] if parameter.ndim > axes and x.ndim == 3 else x


def _all_rows(xp: Any, x: Array) -> Array:
    """(T, ..., rows, units) as (..., T rows, units)."""
    moved = xp.moveaxis(x, 0, -3)
    return xp.reshape(moved, (*moved.shape[:-3], moved.shape[-3] * moved.shape[-2], moved.shape[-1]))
