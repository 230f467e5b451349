"""Functions on torch with a wrong backward of their own; the gradient is what torch.autograd returns."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from reports.scorecard.battery.case import Case, Question, wrong

Backward = Callable[[Any, Any], Any]
"""Takes x and the incoming gradient."""


def cases() -> Iterator[Case]:
    """Custom functions, and graphs that were cut."""
    for name, (what, ask) in _CASES.items():
        yield wrong(f"torch:{name}", what, ask)


def by_autograd(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The gradient that torch's graph gives, zero where it reaches nothing."""

    def gradient(x: Any) -> Any:
        import torch

        leaf = x.detach().clone().requires_grad_()
        value = function(leaf)
        if not value.requires_grad:
            return torch.zeros_like(leaf)
        (found,) = torch.autograd.grad(value, leaf, allow_unused=True)
        return torch.zeros_like(leaf) if found is None else found

    return gradient


def custom(forward: Callable[[Any], Any], backward: Backward) -> Callable[[Any], Any]:
    """A ``torch.autograd.Function`` of these two."""
    import torch

    class Custom(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, x: Any) -> Any:
            context.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(context: Any, dy: Any) -> Any:
            (x,) = context.saved_tensors
            return backward(x, dy)

    applied: Any = Custom.apply
    return lambda x: applied(x)


def point(size: int, dtype: str = "float64") -> Any:
    """Normal numbers as a tensor."""
    import torch

    x = np.random.default_rng(size).standard_normal(size)
    return torch.from_numpy(x).to(getattr(torch, dtype))


def _asked(make: Callable[[Any], tuple[Any, Any]], size: int = 200, dtype: str = "float64") -> Any:
    """`make(torch)` returns the function with the fault in its graph, and the same without it."""

    def ask() -> Question:
        import torch

        faulty, right = make(torch)
        return Question(faulty, by_autograd(faulty), point(size, dtype), truth=by_autograd(right))

    return ask


def _applied(torch: Any, forward: Any, backward: Backward) -> tuple[Any, Any]:
    """The sum of sines of a custom function, and of the plain one."""
    own = custom(forward, backward)
    return (lambda x: torch.sin(own(x)).sum(), lambda x: torch.sin(forward(x)).sum())


def _softplus(torch: Any) -> tuple[Any, Any]:
    return _applied(torch, torch.nn.functional.softplus, lambda x, dy: dy * torch.sigmoid(-x))


def _gelu(torch: Any) -> tuple[Any, Any]:
    """The backward pass of the tanh approximation under the exact forward pass."""

    def backward(x: Any, dy: Any) -> Any:
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            y = torch.nn.functional.gelu(leaf, approximate="tanh")
            return torch.autograd.grad(y, leaf, dy)[0]

    return _applied(torch, torch.nn.functional.gelu, backward)


def _renorm(torch: Any) -> tuple[Any, Any]:
    """The norm taken for a constant."""
    return _applied(torch, lambda x: 3 * x / x.norm(), lambda x, dy: 3 * dy / x.norm())


def _incoming(torch: Any) -> tuple[Any, Any]:
    """The incoming gradient forgotten: as if it were one."""
    return _applied(torch, torch.tanh, lambda x, dy: 1 - torch.tanh(x) ** 2 + 0 * dy)


def _detached(torch: Any) -> tuple[Any, Any]:
    return (
        lambda x: (x.sigmoid() * x.detach().tanh()).sum(),
        lambda x: (x.sigmoid() * x.tanh()).sum(),
    )


def _item(torch: Any) -> tuple[Any, Any]:
    """A scale read out of the graph by ``.item()``."""
    return lambda x: x.sin().sum() / (1 + (x**2).mean().item()), lambda x: x.sin().sum() / (1 + (x**2).mean())


def _no_grad(torch: Any) -> tuple[Any, Any]:
    def faulty(x: Any) -> Any:
        with torch.no_grad():
            share = 1e-3 * (x**2).sum()
        return x.sin().sum() + share

    return faulty, lambda x: x.sin().sum() + 1e-3 * (x**2).sum()


def _single(torch: Any) -> tuple[Any, Any]:
    """cos in float32 on the way back."""
    own = custom(torch.sin, lambda x, dy: dy * torch.cos(x.float()).double())
    return lambda x: own(x).sum(), lambda x: torch.sin(x).sum()


def _sign(torch: Any) -> tuple[Any, Any]:
    own = custom(torch.cos, lambda x, dy: dy * torch.sin(x))
    return lambda x: own(x).sum(), lambda x: torch.cos(x).sum()


_CASES: dict[str, tuple[str, Any]] = {
    "softplus": ("the sigmoid of -x", _asked(_softplus)),
    "gelu": ("the tanh approximation's backward under the exact forward", _asked(_gelu)),
    "renorm": ("the norm taken for a constant", _asked(_renorm)),
    "incoming": ("the incoming gradient forgotten", _asked(_incoming)),
    "detached": ("a branch detached", _asked(_detached)),
    "item": ("a scale read out of the graph", _asked(_item)),
    "no-grad": ("a penalty under no_grad", _asked(_no_grad)),
    "single": ("float32 inside a float64 backward", _asked(_single)),
    "sign-float32": ("the sign of cos' in float32", _asked(_sign, 200, "float32")),
    "sign-bfloat16": ("the sign of cos' in bfloat16", _asked(_sign, 100, "bfloat16")),
}
