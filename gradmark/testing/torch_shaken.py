"""Torch code run with every operation's result moved by a relative random amount.

That is Monte Carlo arithmetic (Parker 1997): how the result of a computation scatters when each of its steps
errs by a given epsilon shows what rounding to that epsilon does to it, cancellation included.
"""

from collections.abc import Callable
from typing import Any


def shaken(function: Callable[..., Any], epsilon: float, seed: int) -> Callable[..., Any]:
    """`function`, whose operations (those of a backward pass too) err at random by up to `epsilon`, relative.

    Operations that write in place, and views, are exact.
    """
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    generators: dict[Any, Any] = {}

    def moved(result: Any) -> Any:
        # Forward mode's zeros have no memory, and torch ends the process when it is asked for it.
        if not isinstance(result, torch.Tensor) or result._is_zerotensor() or result.is_meta:
            return result
        if not result.is_floating_point() or result.layout != torch.strided or not result.numel():
            return result
        if result.device not in generators:
            generators[result.device] = torch.Generator(result.device).manual_seed(seed)
        change = torch.empty_like(result).uniform_(-epsilon, epsilon, generator=generators[result.device])
        return result + result * change

    mode: Any = TorchDispatchMode  # which has no types

    class Shaking(mode):  # type: ignore[misc]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            results = func(*args, **(kwargs or {}))
            if any(returned.alias_info is not None for returned in func._schema.returns):
                return results
            if isinstance(results, list | tuple):
                return type(results)(moved(result) for result in results)
            return moved(results)

    def run(*arguments: Any) -> Any:
        with Shaking():
            return function(*arguments)

    return run
