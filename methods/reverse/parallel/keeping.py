"""The pools of this process: started when first used, shared by all prepared functions, ended after the last.

To start a worker takes a second or more (torch is imported), so that workers are kept for some seconds when
nobody uses them. They belong to the process that started them: a fork of it starts its own.
"""

import atexit
import os
import threading

from methods.reverse.parallel.pool import Pool

_IDLE = 10.0
"""Seconds for which workers are kept that no prepared function uses."""


class _Kept:
    """Pools by the number of workers and their backend, and the lock for whoever takes or ends one."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.pools: dict[tuple[int, str], Pool] = {}


_kept = _Kept()


def taken(workers: int, backend: str) -> tuple[Pool, int]:
    """A pool that runs, and the number of a new user of it."""
    with _kept.lock:
        pool = _kept.pools.get((workers, backend))
        if pool is None or pool.ended:
            pool = _kept.pools[workers, backend] = Pool(workers, backend)
        return pool, pool.taken()


def closed(pool: Pool, number: int) -> None:
    """A user is done: its workers end now, unless others use them."""
    with _kept.lock:
        pool.dropped(number)
        _end_if_unused(pool)


def collected(pool: Pool, number: int) -> None:
    """A user was left to the garbage collector: its workers end in a while, unless others use them."""
    pool.dropped(number)
    if pool.owner == os.getpid() and not pool.users and not pool.ended:
        timer = threading.Timer(_IDLE, _end_if_unused, (pool,))
        timer.daemon = True
        timer.start()


def _end_if_unused(pool: Pool) -> None:
    with _kept.lock:
        if not pool.users:
            pool.end()


def _end_all() -> None:
    for pool in _kept.pools.values():
        pool.end()


def _begin_anew() -> None:
    """In a fork, the pools are the parent's, and so is the lock, which may be held there."""
    _kept.lock = threading.RLock()
    _kept.pools = {}


os.register_at_fork(after_in_child=_begin_anew)
atexit.register(_end_all)
