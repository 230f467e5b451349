"""Evolution strategies as people write them in torch, and the inference that no estimate can do without.

`vmapped` evaluates a whole population with torch.func.vmap, `looped` one pair after the other, `replayed` as
MeZO's script does: the parameters themselves are moved, by noise that a seed makes four times. `inference` is
the network on as many rows as all members of a population see, at once or in `pieces`.
"""

from collections.abc import Callable, Mapping
from typing import Any

Gradient = Mapping[str, Any]
PIECE = 1024
"""Rows that leave the widest layer in the second-level cache."""


def loss_of(problem: Any) -> Callable[[Gradient], Any]:
    """The loss of a dense tanh network as a torch user writes it: no layers of gradmark's."""
    import torch

    inputs, targets = (problem.default_draw.arrays[name] for name in ("inputs", "targets"))
    layers = sorted({name.rpartition(".")[0] for name in problem.parameters})

    def loss(parameters: Gradient) -> Any:
        x = inputs
        for layer in layers:
            x = torch.nn.functional.linear(x, parameters[f"{layer}.weight"], parameters[f"{layer}.bias"])
            x = torch.tanh(x) if layer != layers[-1] else x
        return (x - targets).square().sum(-1).mean() / 2

    return loss


def vmapped(problem: Any, pairs: int, sigma: float) -> Callable[[int], Gradient]:
    """A population of 2 * `pairs` mirrored moves at once: all their noise is held."""
    import torch

    from gradmark.parameters import ravel

    x, unravel = ravel(problem.parameters, problem.arrays.xp)
    loss = loss_of(problem)
    losses = torch.func.vmap(lambda row: loss(unravel(row)))

    def gradient(seed: int) -> Gradient:
        torch.manual_seed(seed)
        e = torch.randn(pairs, x.shape[0])
        e = torch.cat([e, -e])
        return unravel(losses(x + sigma * e) @ e / (2 * pairs * sigma))

    return gradient


def looped(problem: Any, pairs: int, sigma: float) -> Callable[[int], Gradient]:
    """A pair after the other: O(P) memory, and each product of one member."""
    import torch

    from gradmark.parameters import ravel

    x, unravel = ravel(problem.parameters, problem.arrays.xp)
    loss = loss_of(problem)

    def gradient(seed: int) -> Gradient:
        torch.manual_seed(seed)
        total, e = torch.zeros_like(x), torch.empty_like(x)
        for _ in range(pairs):
            e.normal_()
            above = loss(unravel(torch.add(x, e, alpha=sigma)))
            below = loss(unravel(torch.sub(x, e, alpha=sigma)))
            total.add_(e, alpha=float(above - below))
        return unravel(total / (2 * pairs * sigma))

    return gradient


def replayed(problem: Any, pairs: int, sigma: float) -> Callable[[int], Gradient]:
    """MeZO's loop (Malladi et al. 2023): forth, back to the other side, home, and once more to be weighed."""
    import torch

    point = {name: array.clone() for name, array in problem.parameters.items()}
    loss = loss_of(problem)

    def move(seed: int, scale: float) -> None:
        torch.manual_seed(seed)
        for name, array in point.items():
            point[name] = array + scale * sigma * torch.normal(0.0, 1.0, array.shape)

    def gradient(seed: int) -> Gradient:
        found = {name: torch.zeros_like(array) for name, array in point.items()}
        for pair in range(pairs):
            own = seed * pairs + pair
            move(own, 1)
            above = loss(point)
            move(own, -2)
            slope = float(above - loss(point)) / (2 * sigma)
            move(own, 1)
            torch.manual_seed(own)
            for array in found.values():
                array.add_(torch.normal(0.0, 1.0, array.shape), alpha=slope / pairs)
        return found

    return gradient


def inference(problem: Any) -> Callable[[], object]:
    """The loss of all rows of a large draw, together, by the fastest forward pass that the backend has."""
    forward, draw = problem.plain_forward(), problem.default_draw
    return _ready(problem, lambda: forward(problem.parameters, draw))


def pieces(problem: Any) -> Callable[[], object]:
    """The same rows, a thousand at a time."""
    forward, draw = problem.plain_forward(), problem.default_draw
    parts = [draw.rows(start, start + PIECE) for start in range(0, draw.count, PIECE)]
    return _ready(problem, lambda: [forward(problem.parameters, part) for part in parts])


def _ready(problem: Any, call: Callable[[], Any]) -> Callable[[], object]:
    """JAX answers before it has computed."""
    if problem.arrays.backend != "jax":
        return call
    import jax

    ready: Any = jax.block_until_ready
    return lambda: ready(call())
