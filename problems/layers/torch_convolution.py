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


def own_gradient(layer: Any, weight: Array, x: Array, dy: Array) -> dict[str, Array]:
    """dW and db, for one set of weights."""
    images = x.reshape(x.shape[0], layer.channels_in, layer.height, layer.width)
    d, conv2d_weight = _images(layer, dy), layer.arrays.xp.nn.grad.conv2d_weight
    return {
        "weight": conv2d_weight(images, weight.shape, d, layer.stride, layer.padding),
        "bias": d.sum((0, 2, 3)),
    }


def input_gradient(layer: Any, weight: Array, dy: Array) -> Array:
    """dx, for one set of weights.

    The transposed convolution is what ``torch.nn.grad.conv2d_input`` computes; but that makes an x of zeros.
    """
    transposed, beyond = layer.arrays.xp.nn.functional.conv_transpose2d, layer.windows.beyond
    d = _images(layer, dy)
    return transposed(d, weight, None, layer.stride, layer.padding, beyond).flatten(1)


def _images(layer: Any, dy: Array) -> Array:
    return dy.reshape(dy.shape[0], layer.channels_out, layer.windows.out_height, layer.windows.out_width)
