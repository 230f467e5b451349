"""Running beyond one machine, on a Dask cluster."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from gradmark.errors import UsageError

_PATIENCE = 10
"""Seconds to wait for the scheduler's answer."""


@contextmanager
def executor_at(address: str | None) -> Iterator[Executor | None]:
    """The executor of the Dask scheduler at `address`; None, for this machine, where there is no address.

    Raises `UsageError` where Dask is not installed or nobody answers.
    """
    if address is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(
            "`--scheduler` needs Dask, which is not installed: pip install 'gradmark[distributed]'."
        ) from None
    try:
        client = Client(address, timeout=_PATIENCE)
    except (OSError, ValueError, TimeoutError, TypeError) as error:
        raise UsageError(
            f"no Dask scheduler answers at `--scheduler {address}` ({type(error).__name__}): start one with "
            "`dask scheduler`, and give its address, such as tcp://host:8786."
        ) from error
    with client:
        yield client.get_executor()
