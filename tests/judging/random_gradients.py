"""Random functions with right gradients: networks with backpropagation by hand, formulas, autograd."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

Made = tuple[str, Callable[[Any], Any], Callable[[Any], Any], Any]
Numbers = Any


def sigmoid(z: Numbers) -> Numbers:
    """Without overflow, for complex numbers too."""
    small = np.exp(np.where(z.real > 0, -z, z))
    return np.where(z.real > 0, 1, small) / (1 + small)


def softplus(z: Numbers) -> Numbers:
    return np.where(z.real > 0, z, 0 * z) + np.log1p(np.exp(np.where(z.real > 0, -z, z)))


# Each with its derivative from z and the output h, as backpropagation has them.
ACTIVATIONS: dict[str, tuple[Callable[[Numbers], Numbers], Callable[[Numbers, Numbers], Numbers]]] = {
    "tanh": (np.tanh, lambda z, h: 1 - h * h),
    "sigmoid": (sigmoid, lambda z, h: h * (1 - h)),
    "relu": (lambda z: np.where(z.real > 0, z, 0 * z), lambda z, h: (z.real > 0).astype(h.dtype)),
    "softplus": (softplus, lambda z, h: sigmoid(z)),
    "sin": (np.sin, lambda z, h: np.cos(z)),
}


def network(random: np.random.Generator, dtype: Any) -> Made:
    """A dense network with half the squared error, and its backpropagation by hand."""
    widths = [int(width) for width in random.integers(1, 30, size=random.integers(2, 5))]
    rows, scale = int(random.integers(1, 20)), float(random.choice([0.3, 1, 3]))
    name = str(random.choice(list(ACTIVATIONS)))
    activation, slope = ACTIVATIONS[name]
    inputs = random.normal(size=(rows, widths[0])).astype(dtype)
    targets = random.normal(size=(rows, widths[-1])).astype(dtype)
    layers = range(len(widths) - 1)
    at = {}
    for i in layers:
        at[f"W{i}"] = (scale * random.normal(size=(widths[i + 1], widths[i])) / widths[i] ** 0.5).astype(
            dtype
        )
        at[f"b{i}"] = random.normal(size=widths[i + 1]).astype(dtype)

    def forward(p: Any) -> list[tuple[Numbers, Numbers, Numbers]]:
        h, seen = inputs, []
        for i in layers:
            z = h @ p[f"W{i}"].T + p[f"b{i}"]
            out = activation(z) if i < len(layers) - 1 else z
            seen.append((h, z, out))
            h = out
        return seen

    def loss(p: Any) -> Any:
        return ((forward(p)[-1][2] - targets) ** 2).sum() / 2 / rows

    def backward(p: Any) -> Any:
        seen, found = forward(p), {}
        delta = (seen[-1][2] - targets) / dtype(rows)
        for i in reversed(layers):
            h, z, out = seen[i]
            delta = delta * slope(z, out) if i < len(layers) - 1 else delta
            found[f"W{i}"], found[f"b{i}"] = delta.T @ h, delta.sum(0)
            delta = delta @ p[f"W{i}"]
        return {key: found[key] for key in p}

    return f"network {name} {widths} x {scale}", loss, backward, at


def formula(random: np.random.Generator, dtype: Any) -> Made:
    """A function of one array whose gradient everybody knows."""
    size = int(random.integers(1, 100))
    x = (10 ** random.uniform(-3, 2) * random.normal(size=size)).astype(dtype)
    b = random.normal(size=size).astype(dtype)
    a = (random.normal(size=(size, size)) * 10 ** random.uniform(-2, 2, size=size)).astype(dtype)
    square = a.T @ a / dtype(size)

    def softmax(x: Numbers) -> Numbers:
        e = np.exp(x - x.max())
        return e / e.sum()

    def logsumexp(x: Numbers) -> Numbers:
        return np.log(np.exp(x - x.real.max()).sum()) + x.real.max()

    known: dict[str, tuple[Callable[[Numbers], Numbers], Callable[[Numbers], Numbers]]] = {
        "quadratic": (lambda x: 0.5 * x @ (square @ x) - b @ x, lambda x: square @ x - b),
        "least squares": (lambda x: 0.5 * ((a @ x - b) ** 2).sum(), lambda x: a.T @ (a @ x - b)),
        "log-sum-exp": (logsumexp, softmax),
        "norm": (lambda x: np.sqrt((x * x).sum() + 1), lambda x: x / np.sqrt((x * x).sum() + 1)),
        "cosine": (lambda x: np.cos(b @ x), lambda x: -np.sin(b @ x) * b),
        "rational": (lambda x: (1 / (1 + x * x)).sum(), lambda x: -2 * x / (1 + x * x) ** 2),
        "logarithm": (lambda x: np.log(x * x + 0.1).sum() + 1e3, lambda x: 2 * x / (x * x + 0.1)),
    }
    name = str(random.choice(list(known)))
    return f"{name} of {size}", *known[name], x


def traced(random: np.random.Generator, dtype: Any) -> Made:
    """A torch module, and torch's own gradient."""
    kind = {np.float32: torch.float32, np.float64: torch.float64}[dtype]
    generator = torch.Generator().manual_seed(int(random.integers(2**31)))
    units = [torch.nn.Tanh, torch.nn.ReLU, torch.nn.GELU, torch.nn.SiLU, torch.nn.Softplus, torch.nn.ELU]
    width, inner, outputs, rows = (int(size) for size in random.integers(2, 20, size=4))
    chosen = [units[int(index)] for index in random.integers(len(units), size=2)]
    norms = [torch.nn.LayerNorm(inner)] if random.random() < 0.4 else []
    module = torch.nn.Sequential(
        torch.nn.Linear(width, inner), chosen[0](), *norms,
        torch.nn.Linear(inner, inner), chosen[1](), torch.nn.Linear(inner, outputs),
    ).to(kind)  # fmt: skip
    for parameter in module.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator, dtype=kind) * 0.5
    inputs = torch.randn(rows, width, generator=generator, dtype=kind)
    labels = torch.randint(0, outputs, (rows,), generator=generator)

    def loss(p: Any) -> Any:
        own = inputs.to(next(iter(p.values())).dtype)
        return torch.nn.functional.cross_entropy(torch.func.functional_call(module, p, (own,)), labels)

    def backward(p: Any) -> Any:
        leaves = {name: value.detach().clone().requires_grad_() for name, value in p.items()}
        return dict(zip(leaves, torch.autograd.grad(loss(leaves), list(leaves.values())), strict=True))

    names = " ".join(type(layer).__name__ for layer in module)
    return names, loss, backward, {name: value.detach() for name, value in module.named_parameters()}


KINDS = (network, formula, traced)


def made(seed: int) -> Made:
    """One of them, in float32 and float64 by turns."""
    random = np.random.default_rng(seed)
    return KINDS[seed // 2 % len(KINDS)](random, (np.float32, np.float64)[seed % 2])
