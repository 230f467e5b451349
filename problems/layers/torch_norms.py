"""torch's own kernels of normalisations with statistics that are differentiated through: one pass for many.

They save x itself, m and s instead of the standardised input, which takes as much memory. torch has public
functions for the way there only; the way back is that of its own autograd.
"""

from typing import Any

from gradmark.arrays import Arrays

Pulled = tuple[Any, dict[str, Any]]


def takes(arrays: Arrays, p: Any, x: Any, axes: int) -> bool:
    """Whether they do: real numbers of 32 bits or more, no members, and `axes` axes of x at most."""
    if arrays.backend != "torch" or x.dtype not in (arrays.xp.float32, arrays.xp.float64):
        return False
    return bool(p["weight"].ndim == p["bias"].ndim == 1 and x.ndim <= axes)


def batch_norm(xp: Any, p: Any, x: Any, epsilon: float) -> tuple[Any, Any]:
    """y, and x with m and s of each unit."""
    y, *statistics = xp.native_batch_norm(x, p["weight"], p["bias"], None, None, True, 0.0, epsilon)
    return y, (x, *statistics)


def batch_norm_pullback(xp: Any, p: Any, saved: Any, dy: Any, epsilon: float, input_gradient: bool) -> Pulled:
    """dx, and the gradients of the parameters."""
    x, mean, s = saved
    wanted = [input_gradient, True, True]
    dx, *own = xp.ops.aten.native_batch_norm_backward(
        dy, x, p["weight"], None, None, mean, s, True, epsilon, wanted
    )
    return dx, dict(zip(("weight", "bias"), own, strict=True))


def layer_norm(xp: Any, p: Any, x: Any, epsilon: float) -> tuple[Any, Any]:
    """y, and x with m and s of each row."""
    y, *statistics = xp.native_layer_norm(x, x.shape[-1:], p["weight"], p["bias"], epsilon)
    return y, (x, *statistics)


def layer_norm_pullback(xp: Any, p: Any, saved: Any, dy: Any, input_gradient: bool) -> Pulled:
    """dx, and the gradients of the parameters."""
    x, mean, s = saved
    wanted = [input_gradient, True, True]
    dx, *own = xp.ops.aten.native_layer_norm_backward(
        dy, x, x.shape[-1:], mean, s, p["weight"], p["bias"], wanted
    )
    return dx, dict(zip(("weight", "bias"), own, strict=True))


def standard(saved: Any) -> tuple[Any, Any]:
    """The standardised input and s, from what either way of going forward saved."""
    if len(saved) == 2:
        return saved[0], saved[1]
    x, mean, s = saved
    return (x - mean) * s, s
