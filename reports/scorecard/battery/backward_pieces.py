"""The pieces of a backward pass that are wrong: each `Backward` here has one of them.

Thirty that gradient checkers have been measured on, and a few seen in reviews.
"""

from typing import Any

import numpy as np

from reports.scorecard.battery.case import Value
from reports.scorecard.battery.network import Backward, Layers

_SQUARE = (2, 3)
"""The layers whose weights are square, where a transpose goes unnoticed."""


def _layer(number: int, factor: float) -> Backward:
    return Backward(after=lambda p, g: {**g, f"W{number}": (factor * g[f"W{number}"]).astype(g["W1"].dtype)})


def _one_weight(factor: float) -> Backward:
    def after(p: Value, g: Value) -> Value:
        changed = np.array(g["W2"])
        changed[3, 4] *= factor
        return {**g, "W2": changed}

    return Backward(after=after)


def _all_in(dtype: str, keep: str) -> Backward:
    """Parameters rounded to `dtype` and back: the accuracy of what was computed with them."""
    return Backward(before=lambda p: {name: array.astype(dtype).astype(keep) for name, array in p.items()})


def _narrow(array: Any, bits: int) -> Any:
    """Rounded to `bits` bits of the mantissa, as TF32 (10) and bfloat16 (7) do."""
    mantissa, exponent = np.frexp(array)
    return np.ldexp(np.round(mantissa * 2.0 ** (bits + 1)) / 2.0 ** (bits + 1), exponent)


def _rational_tanh(z: Any) -> Any:
    """A bounded rational approximation, good to a few percent."""
    return np.clip(z * (27 + z * z) / (27 + 9 * z * z), -1, 1)


def _reused(layers: Layers) -> Layers:
    """h_2 and h_3 share one buffer."""
    return [layers[0], layers[1], (layers[2][0], layers[3][1]), *layers[3:]]


def _float32_delta(k: int, layers: Layers) -> Any:
    return (1 - layers[k][1].astype("float32") ** 2).astype("float64")


def _half_underflow(y: Any, t: Any) -> Any:
    """delta in float16 after a division by 2e4, and no scaling of the loss."""
    return (2 * (y - t) / y.size / 2e4).astype("float16").astype("float64") * 2e4


def _wrong_output(y: Any, t: Any) -> Any:
    delta = 2 * (y - t) / y.size
    delta[:, 1] *= -1
    return delta


def _last_row_dropped(y: Any, t: Any) -> Any:
    delta = 2 * (y - t) / y.size
    delta[-1] = 0
    return delta


PIECES: dict[str, tuple[str, Backward]] = {
    "factor-two": ("the 2 of the square forgotten", Backward(error=lambda y, t: (y - t) / y.size)),
    "mean-over-rows": ("not divided by the outputs", Backward(error=lambda y, t: 2 * (y - t) / len(y))),
    "missing-1/B": ("sum in place of the mean", Backward(error=lambda y, t: 2 * (y - t) / y.shape[1])),
    "output-negated": ("the sign of one output", Backward(error=_wrong_output)),
    "last-row": ("the last row of the batch dropped", Backward(error=_last_row_dropped)),
    "buffer-overwritten": ("an activation overwritten by the next", Backward(saved=_reused)),
    "bias-mean": ("bias averaged over the batch", Backward(bias=lambda k, delta: delta.mean(axis=0))),
    "bias-axis": (
        "bias summed over the wrong axis",
        Backward(bias=lambda k, delta: np.resize(delta.sum(axis=1), delta.shape[1])),
    ),
    "bias-forgotten": ("the first bias forgotten", Backward(bias=lambda k, d: (k > 1) * d.sum(axis=0))),
    "weight-untransposed": (
        "W where W^T belongs, in a square layer",
        Backward(back=lambda k, W, delta, dW: delta @ (W if k in _SQUARE else W.T)),
    ),
    "updated-weights": (
        "the recursion uses weights already updated",
        Backward(back=lambda k, W, delta, dW: delta @ (W - 1e-2 * dW).T),
    ),
    "slope-of-h": ("tanh' = 1 - h", Backward(slope=lambda k, layers: 1 - layers[k][1])),
    "slope-of-z": ("tanh' = 1 - z^2", Backward(slope=lambda k, layers: 1 - layers[k][0] ** 2)),
    "slope-of-neighbour": (
        "tanh' of the layer before",
        Backward(slope=lambda k, layers: 1 - layers[k - 1 if k == 3 else k][1] ** 2),
    ),
    "slope-dropped": (
        "tanh' left out in one layer",
        Backward(slope=lambda k, layers: 1 - (k != 2) * layers[k][1] ** 2),
    ),
    "slope-clipped": (
        "tanh' not below a tenth",
        Backward(slope=lambda k, layers: np.maximum(1 - layers[k][1] ** 2, 0.1)),
    ),
    "slope-approximate": (
        "tanh approximated in the backward pass only",
        Backward(slope=lambda k, layers: 1 - _rational_tanh(layers[k][0]) ** 2),
    ),
    "slope-float32": ("tanh' in float32", Backward(slope=_float32_delta)),
    "detached": (
        "nothing flows below the second layer",
        Backward(back=lambda k, W, delta, dW: (delta @ W.T) * (k != 2)),
    ),
    "previous-activation": (
        "dW from the activation after the layer",
        Backward(weight=lambda k, h, delta: np.tanh(h).T @ delta if k == 3 else h.T @ delta),
    ),
    "weight-transposed": (
        "dW of a square layer transposed",
        Backward(weight=lambda k, h, delta: delta.T @ h if k == 2 else h.T @ delta),
    ),
    "layers-swapped": (
        "two layers' arrays exchanged",
        Backward(after=lambda p, g: {**g, "W2": g["W3"], "W3": g["W2"]}),
    ),
    "column-major": (
        "flattened by columns, read by rows",
        Backward(after=lambda p, g: {n: a.ravel(order="F").reshape(a.shape) for n, a in g.items()}),
    ),
    "one-weight": ("one weight's entry a tenth too large", _one_weight(1.1)),
    "one-weight-zero": ("one weight's entry zero", _one_weight(0.0)),
    "layer-1e-6": ("one layer times 1 + 1e-6", _layer(2, 1 + 1e-6)),
    "layer-negated": ("one layer's sign", _layer(3, -1.0)),
    "weight-decay": (
        "a weight decay of 1e-4 that the loss has not",
        Backward(after=lambda p, g: {name: g[name] + 1e-4 * p[name] for name in g}),
    ),
    "float32": ("the whole pass on float32 parameters", _all_in("float32", "float64")),
    "layer-float32": (
        "one layer rounded to float32",
        Backward(after=lambda p, g: {**g, "W2": g["W2"].astype("float32").astype("float64")}),
    ),
    "bfloat16": (
        "parameters rounded to bfloat16",
        Backward(before=lambda p: {name: _narrow(array, 7) for name, array in p.items()}),
    ),
    "tf32": (
        "weights rounded as TF32 rounds them",
        Backward(back=lambda k, W, delta, dW: _narrow(delta, 10) @ _narrow(W, 10).T),
    ),
    "float16-underflow": ("delta lost below the smallest float16", Backward(error=_half_underflow)),
}
