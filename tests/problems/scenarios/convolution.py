"""Convolutions and pools, whose oracle are torch's own."""

from functools import partial
from typing import Any

from torch.nn import functional

from problems.layers.convolution import Convolution
from problems.layers.pooling import AveragePool, MaxPool
from tests.problems.scenarios.case import Scenario

ROWS, CHANNELS, HEIGHT, WIDTH = 2, 2, 5, 4


def images(x: Any) -> Any:
    return x.reshape(-1, CHANNELS, HEIGHT, WIDTH)


def convolution(kernel: int, stride: int, padding: int) -> Scenario:
    def torch(x: Any, weight: Any, bias: Any) -> Any:
        return functional.conv2d(images(x), weight, bias, stride, padding).flatten(1)

    sizes = CHANNELS, 3, HEIGHT, WIDTH, kernel, stride, padding
    return Scenario(partial(Convolution, *sizes), torch, (ROWS, CHANNELS * HEIGHT * WIDTH))


def pool(layer: Any, torch: Any, window: int, stride: int) -> Scenario:
    return Scenario(
        partial(layer, HEIGHT, WIDTH, window, stride),
        lambda x: torch(images(x), window, stride).flatten(1),
        (ROWS, CHANNELS * HEIGHT * WIDTH),
    )


SCENARIOS = {
    "convolution": convolution(3, 1, 1),
    "convolution of every second pixel": convolution(2, 2, 0),
    "convolution beyond the edge": convolution(3, 2, 2),
    "convolution of single pixels": convolution(1, 1, 0),
    "max pool": pool(MaxPool, functional.max_pool2d, 2, 2),
    "max pool of windows that overlap": pool(MaxPool, functional.max_pool2d, 3, 1),
    "average pool": pool(AveragePool, functional.avg_pool2d, 2, 2),
    "average pool of windows that overlap": pool(AveragePool, functional.avg_pool2d, 3, 1),
}
