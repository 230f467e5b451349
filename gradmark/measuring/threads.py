"""How many threads the numerical libraries use: set for a while, and recorded."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradmark.errors import UsageError


@contextmanager
def pinned(count: int) -> Iterator[None]:
    """Inside the block BLAS, OpenMP and torch use `count` threads each; afterwards what they used before.

    Only libraries that are loaded when the block begins are reached. JAX has no such switch: its thread pool
    is sized from the CPUs the process may run on when it starts. Raises `UsageError` for a count below 1.
    """
    if count < 1:
        raise UsageError(f"`threads={count}` must be at least 1.")
    from threadpoolctl import threadpool_limits

    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch is not None else 0
    try:
        with threadpool_limits(limits=count):
            if torch is not None:
                torch.set_num_threads(count)
            yield
    finally:
        if torch is not None:
            torch.set_num_threads(before)


def in_use() -> list[dict[str, Any]]:
    """The loaded BLAS and OpenMP libraries with their kernels and threads, as threadpoolctl gives them."""
    from threadpoolctl import threadpool_info

    pools: list[dict[str, Any]] = [dict(pool) for pool in threadpool_info()]
    torch = sys.modules.get("torch")
    if torch is not None:
        pools.append(
            {"user_api": "torch", "version": torch.__version__, "num_threads": torch.get_num_threads()}
        )
    return pools
