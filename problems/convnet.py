"""Convolutional networks: convolution, activation and pool in turn, and dense layers behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from gradmark.arguments import check_fits, check_name, check_size
from gradmark.arrays import Arrays
from gradmark.errors import UsageError, shown
from gradmark.layer import NamedLayer
from gradmark.problem import Call
from problems.choices import check_choices, chosen_network
from problems.layers.activation import Activation
from problems.layers.convolution import Convolution
from problems.layers.dense import Dense
from problems.layers.jumping import JUMPING
from problems.layers.pooling import AveragePool, MaxPool
from problems.network import Network

POOLS: dict[str, Any] = {"max": MaxPool, "average": AveragePool}
_WINDOW = 2


def convnet(
    *,
    channels: Sequence[int] = (8, 16),
    kernel: int = 3,
    pool: str = "max",
    activation: str = "relu",
    hidden: Sequence[int] = (),
    loss: str = "cross_entropy",
    initialisation: str = "xavier",
    gain: float = 1.0,
    data: str = "digits",
    size: int = 8,
    outputs: int = 10,
    batch: int = 32,
    backend: str = "numpy",
    device: str = "cpu",
    dtype: str = "float64",
    seed: int = 0,
) -> Network:
    """A convolution with each of the `channels`, `activation` and `pool` behind it; then dense layers.

    The `kernel` moves by one pixel over an image with kernel // 2 zeros around it, which keeps its size where
    `kernel` is odd; `pool` is max or average, of 2 x 2 pixels, and halves it. `hidden` are the widths of
    dense layers before the last. `data` is digits (images of one channel and 8 x 8 pixels, 10 outputs) or
    synthetic (normal images of one channel and `size` x `size` pixels, `outputs` outputs). `activation`,
    `loss`, `initialisation` (of the matrix that patches are multiplied by), `gain` and `batch` are as in
    `mlp`.

    channels=(96, 192, 480) gives 1.0e6 parameters, channels=(256, 640, 1464) 9.9e6. Layers are numbered as
    in a torch Sequential, in which a Flatten stands before the first dense layer.

    Raises `UsageError` for a name or size that does not fit, such as an image smaller than a pool, or that
    would not fit into memory.

    >>> problem = convnet(channels=(8,))
    >>> {name: array.shape for name, array in problem.parameters.items() if "weight" in name}
    {'layers.0.weight': (8, 1, 3, 3), 'layers.4.weight': (10, 128)}
    """
    arguments = dict(locals())
    check_name("pool", pool, POOLS)
    rows = check_choices("convnet", arguments)
    kernel, size, outputs = (
        check_size("convnet", argument, arguments[argument]) for argument in ("kernel", "size", "outputs")
    )
    channels = arguments["channels"] = _sizes("channels", channels, "8,16", least=1)
    hidden = arguments["hidden"] = _sizes("hidden", hidden, "64,32", least=0)
    if data == "digits" and (size, outputs) != (8, 10):
        raise UsageError(
            f"convnet: `size={shown(size)}` and `outputs={shown(outputs)}` do not fit the digits, which have "
            "8 x 8 pixels and 10 outputs: leave them out, or use data=synthetic."
        )
    stages = _stages(channels, kernel, size)
    widths = (stages[-1].units, *hidden, outputs)
    weights = sum(stage.weights for stage in stages) + sum((i + 1) * o for i, o in pairwise(widths))
    check_fits("convnet", weights + rows * (size**2 + outputs))
    return chosen_network(
        Call("convnet", arguments),
        partial(_layers, stages, pool, activation, widths),
        (size**2, outputs),
        rows,
        smoothness="kinked" if pool == "max" and activation not in JUMPING else None,
    )


@dataclass(frozen=True)
class _Stage:
    """One convolution and its pool, for an image of `size` x `size` pixels."""

    channels_in: int
    channels_out: int
    kernel: int
    size: int

    @property
    def convolved(self) -> int:
        """The size behind the convolution: one more where the kernel is even."""
        return self.size + 1 - self.kernel % 2

    @property
    def weights(self) -> int:
        return (self.channels_in * self.kernel**2 + 1) * self.channels_out

    @property
    def units(self) -> int:
        return self.channels_out * (self.convolved // _WINDOW) ** 2


def _stages(channels: Sequence[int], kernel: int, size: int) -> list[_Stage]:
    """The stages, if each kernel and each pool fits the image that it is given."""
    stages: list[_Stage] = []
    for number, (channels_in, channels_out) in enumerate(pairwise((1, *channels)), 1):
        stage = _Stage(channels_in, channels_out, kernel, size)
        if stage.convolved < _WINDOW:
            raise UsageError(
                f"convnet: the pool behind convolution {number} does not fit the image of {size} x {size} "
                "pixels left there: list fewer `channels`, or use data=synthetic with a larger `size`."
            )
        # The outermost weights of a larger kernel would meet nothing but the zeros around the image.
        if kernel > 2 * size:
            raise UsageError(
                f"convnet: `kernel={shown(kernel)}` does not fit the image of {size} x {size} pixels that "
                f"convolution {number} is given: it may be at most {2 * size}."
            )
        stages.append(stage)
        size = stage.convolved // _WINDOW
    return stages


def _layers(
    stages: Sequence[_Stage], pool: str, activation: str, widths: Sequence[int], arrays: Arrays
) -> tuple[NamedLayer, ...]:
    """Numbered as in a torch Sequential, where a Flatten has the number before the first dense layer."""
    layers: list[Any] = []
    for stage in stages:
        ends, image = (stage.channels_in, stage.channels_out), (stage.size, stage.size)
        layers += [
            Convolution(*ends, *image, stage.kernel, 1, stage.kernel // 2, arrays),
            Activation(activation, arrays),
            POOLS[pool](stage.convolved, stage.convolved, _WINDOW, _WINDOW, arrays),
        ]
    flatten = len(layers)
    for fan_in, fan_out in pairwise(widths):
        layers += [Dense(fan_in, fan_out, arrays), Activation(activation, arrays)]
    numbers = (number + (number >= flatten) for number in range(len(layers)))
    return tuple(NamedLayer(f"layers.{n}", layer) for n, layer in zip(numbers, layers[:-1], strict=False))


def _sizes(argument: str, sizes: Any, example: str, least: int) -> tuple[int, ...]:
    """`sizes` as a tuple of at least `least` positive integers."""
    sizes = sizes.tolist() if isinstance(sizes, np.ndarray) else sizes
    if not isinstance(sizes, list | tuple) or len(sizes) < least:
        raise UsageError(f"convnet: `{argument}={shown(sizes)}` must list sizes, such as {example}.")
    return tuple(check_size("convnet", argument, each) for each in sizes)
