"""torch's forward mode, by one thread at a time.

torch (2.13) has one level of dual tensors in a process, not one in each thread: what another thread enters or
leaves meanwhile makes `torch.func.jvp` and `forward_ad.dual_level` raise or, now and then, give a wrong
number. So all of gradmark that uses it takes turns. That costs a fraction of a microsecond where nobody
waits, beside hundreds for a product; several threads take as long as one takes for all of their calls, and
processes do not wait for each other. Code of others that uses torch's forward mode in another thread is not
seen here.
"""

import os
import threading
from contextlib import AbstractContextManager


class _Level:
    """The lock; who holds it may take it again, for derivatives are nested."""

    def __init__(self) -> None:
        self.lock = threading.RLock()


_level = _Level()


def torch_forward_mode() -> AbstractContextManager[bool | None]:
    """For a ``with`` block that has torch's forward mode for itself."""
    return _level.lock


def _begin_anew() -> None:
    """In a fork the lock may be held by a thread that is not there."""
    _level.lock = threading.RLock()


if hasattr(os, "register_at_fork"):  # which Windows lacks, as it does forks
    os.register_at_fork(after_in_child=_begin_anew)
