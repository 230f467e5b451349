"""One worker process from outside: started, listened to until a deadline, ended with its children."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_CHUNK = 2**16
_GOODBYE = 10.0
"""Seconds in which a worker that has closed its pipe must be gone; unloading large libraries takes some."""
_GRACE = 1.0
"""Seconds beyond its limit in which a worker may still hand over what it has."""
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def environment(threads: int) -> dict[str, str]:
    """This process's environment with the threads set; variables that choose kernels stay as they are."""
    return {**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))}


class Worker:
    """A process that runs ``python -m gradmark.run.worker``, leader of a group of its own.

    `module` is another one that is spoken to in the same way.
    """

    def __init__(
        self, message: Mapping[str, Any], threads: int, log: Path, module: str = "gradmark.run.worker"
    ) -> None:
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=environment(threads),
                start_new_session=True,
            )
        self._ended_by_itself = False
        assert self._process.stdin is not None
        with suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(json.dumps({**message, "supervisor": os.getpid()}).encode())

    def messages(self, limit: float, overtime: Callable[[], float] = lambda: 0.0) -> Iterator[dict[str, Any]]:
        """What the worker sends, until it ends or its time is over.

        `overtime` is asked then how many seconds more it gets.
        """
        assert self._process.stdout is not None
        descriptor, deadline, rest = self._process.stdout.fileno(), time.monotonic() + limit + _GRACE, b""
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                self._ended_by_itself = self._process.poll() is not None  # a fork may hold the pipe open
                if self._ended_by_itself or (more := overtime()) <= 0:
                    return
                deadline = time.monotonic() + more
                continue
            data = os.read(descriptor, _CHUNK)
            if not data:
                self._ended_by_itself = True
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield json.loads(line)

    def end(self) -> int | None:
        """End the process and its children, and return its exit code; None if it was still running."""
        code = None
        if self._ended_by_itself:
            with suppress(subprocess.TimeoutExpired):
                code = self._process.wait(timeout=_GOODBYE)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code
