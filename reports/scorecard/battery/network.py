"""A network of four layers whose backward pass is made of pieces, so that a fault is one piece exchanged.

h_0 = X,  z_k = h_(k-1) W_k + b_k,  h_k = tanh z_k (the last layer linear),  f = error of h_4 against Y,
delta_4 = df/dz_4,  dW_k = h_(k-1)^T delta_k,  db_k = sum over rows of delta_k,  dh_(k-1) = delta_k W_k^T,
delta_(k-1) = dh_(k-1) * tanh'(z_(k-1)).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from reports.scorecard.battery.case import Value

WIDTHS = (7, 12, 12, 12, 5)
ROWS = 16
LAYERS = len(WIDTHS) - 1
_LAST = LAYERS


@dataclass(frozen=True)
class Data:
    """Inputs (rows, 7), targets (rows, 5), and the parameters ``W1``, ``b1``, ..."""

    inputs: Any
    targets: Any
    start: Value

    @classmethod
    def drawn(cls, seed: int = 0, dtype: str = "float64") -> "Data":
        """Normal numbers; weights scaled so that no unit saturates."""
        random = np.random.default_rng(seed)
        start = {}
        for k, (inward, outward) in enumerate(pairwise(WIDTHS), 1):
            start[f"W{k}"] = (random.standard_normal((inward, outward)) / np.sqrt(inward)).astype(dtype)
            start[f"b{k}"] = (random.standard_normal(outward) / 3).astype(dtype)
        inputs, targets = (
            random.standard_normal((ROWS, WIDTHS[0])),
            random.standard_normal((ROWS, WIDTHS[-1])),
        )
        return cls(inputs.astype(dtype), targets.astype(dtype), start)

    @cached_property
    def loss(self) -> Callable[[Value], Any]:
        """The mean over rows and outputs of the squared error."""
        return lambda p: np.mean((forward(p, self.inputs)[-1][1] - self.targets) ** 2)


Layers = list[tuple[Any, Any]]
"""(z_k, h_k) for k = 0, 1, ..., z_0 being h_0."""


def forward(p: Value, inputs: Any) -> Layers:
    """All pre-activations and activations."""
    layers = [(inputs, inputs)]
    for k in range(1, LAYERS + 1):
        z = layers[-1][1] @ p[f"W{k}"] + p[f"b{k}"]
        layers.append((z, z if k == _LAST else np.tanh(z)))
    return layers


@dataclass(frozen=True)
class Backward:
    """The backward pass. Each field is one piece of it, right as it stands.

    `error(outputs, targets)` is delta of the last layer; `slope(k, layers)` is tanh'(z_k);
    `weight(k, h, delta)` is dW_k; `bias(k, delta)` is db_k; `back(k, W, delta, dW)` is dh_(k-1).
    `before` changes the parameters and `after` the gradient.
    """

    error: Callable[[Any, Any], Any] = lambda y, t: 2 * (y - t) / y.size
    slope: Callable[[int, Layers], Any] = lambda k, layers: 1 - layers[k][1] ** 2
    weight: Callable[[int, Any, Any], Any] = lambda k, h, delta: h.T @ delta
    bias: Callable[[int, Any], Any] = lambda k, delta: delta.sum(axis=0)
    back: Callable[[int, Any, Any, Any], Any] = lambda k, W, delta, dW: delta @ W.T
    saved: Callable[[Layers], Layers] = lambda layers: layers
    before: Callable[[Value], Value] = lambda p: p
    after: Callable[[Value, Value], Value] = lambda p, g: g

    def gradient(self, data: Data) -> Callable[[Value], Value]:
        """The gradient as a function of the parameters."""
        return lambda given: self._gradient(data, given)

    def _gradient(self, data: Data, given: Value) -> Value:
        p = self.before(given)
        layers = self.saved(forward(p, data.inputs))
        delta, g = self.error(layers[-1][1], data.targets), {}
        for k in range(LAYERS, 0, -1):
            g[f"W{k}"] = self.weight(k, layers[k - 1][1], delta)
            g[f"b{k}"] = self.bias(k, delta)
            if k > 1:
                back = self.back(k, p[f"W{k}"], delta, g[f"W{k}"])
                delta = back * self.slope(k - 1, layers)
        return self.after(given, {name: g[name] for name in given})
