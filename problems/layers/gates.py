"""The gates of an LSTM's step, back and forth: what lies between z_t and (h_t, c_t).

`numbers` are the gates i, f, g, o, then t = tanh(c_t) and c_{t-1}.
"""

from collections.abc import Sequence

from gradmark.arrays import Array, Arrays

Pair = tuple[Array, Array]


def gates_back(
    arrays: Arrays, numbers: Sequence[Array], dh: Array, later: Array | None
) -> tuple[Pair, tuple[Array]]:
    """dz_t and dc_{t-1}, and dz_t by itself, from dh_t and what of dc_t comes from `later` steps."""
    i, f, g, o, t, c = numbers
    dc = _through_tanh(arrays, dh * o, t)
    if later is not None:
        dc = later + dc
    dz = arrays.xp.concat(
        (
            _through_sigmoid(arrays, dc * g, i),
            _through_sigmoid(arrays, dc * c, f),
            _through_tanh(arrays, dc * i, g),
            _through_sigmoid(arrays, dh * t, o),
        ),
        axis=-1,
    )
    return (dz, dc * f), (dz,)


def gates_moved(
    arrays: Arrays, numbers: Sequence[Array], dz: Sequence[Array], dc: Array | None
) -> tuple[Pair, tuple[Array]]:
    """dh_t and dc_t, and dh_t by itself, from dz_t by gates and dc_{t-1}."""
    (i, f, g, o, t, c), (di, df, dg, do) = numbers, dz
    moved = _through_sigmoid(arrays, di, i) * g + _through_sigmoid(arrays, df, f) * c
    moved = moved + _through_tanh(arrays, dg, g) * i
    dc = moved if dc is None else moved + f * dc
    dh = _through_sigmoid(arrays, do, o) * t + _through_tanh(arrays, o * dc, t)
    return (dh, dc), (dh,)


def _through_sigmoid(arrays: Arrays, dy: Array, y: Array) -> Array:
    if arrays.backend == "torch":
        return arrays.xp.ops.aten.sigmoid_backward(dy, y)
    return dy * (y * (1 - y))


def _through_tanh(arrays: Arrays, dy: Array, y: Array) -> Array:
    if arrays.backend == "torch":
        return arrays.xp.ops.aten.tanh_backward(dy, y)
    return dy * (1 - y * y)
