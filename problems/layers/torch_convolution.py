"""The products of a convolution by torch's own functions: the fast path of `convolution.py`."""

from typing import Any

from gradmark.arrays import Array


def correlated(layer: Any, x: Array, weight: Array, bias: Array | None = None, groups: int = 1) -> Array:
    """y for one set of weights, whatever axes x has before its units; `layer` is the Convolution."""
    conv2d, pixels = layer.arrays.xp.nn.functional.conv2d, layer.height * layer.width
    images = x.reshape(-1, x.shape[-1] // pixels, layer.height, layer.width)
    y = conv2d(images, weight, bias, layer.stride, layer.padding, groups=groups)
    return y.reshape(*x.shape[:-1], -1)


def correlated_each(layer: Any, x: Array, weight: Array) -> Array:
    """y without a bias, where x, or the weight, or both may carry a leading axis of members.

    Members of x alone are more rows. Members of the weight are more channels of the output; where x has them
    too, they are groups, each of which sees its own channels only.
    """
    if weight.ndim == 4:
        return correlated(layer, x, weight)
    members, groups = weight.shape[0], 1
    if x.ndim == 3:
        x, groups = x.transpose(0, 1).flatten(1), members
    y = correlated(layer, x, weight.flatten(0, 1), groups=groups)
    return y.reshape(y.shape[0], members, -1).transpose(0, 1)


def pullback(
    layer: Any, weight: Array, x: Array, dy: Array, input_gradient: bool
) -> tuple[Array | None, dict[str, Array]]:
    """dx (None unless `input_gradient`), dW and db, for one set of weights.

    The transposed convolution is what ``torch.nn.grad.conv2d_input`` computes; but that makes an x of zeros.
    """
    xp, rows, windows = layer.arrays.xp, x.shape[0], layer.windows
    images = x.reshape(rows, layer.channels_in, layer.height, layer.width)
    d = dy.reshape(rows, layer.channels_out, windows.out_height, windows.out_width)
    own = {
        "weight": xp.nn.grad.conv2d_weight(images, weight.shape, d, layer.stride, layer.padding),
        "bias": d.sum((0, 2, 3)),
    }
    if not input_gradient:
        return None, own
    transposed, beyond = xp.nn.functional.conv_transpose2d, windows.beyond
    return transposed(d, weight, None, layer.stride, layer.padding, beyond).flatten(1), own
