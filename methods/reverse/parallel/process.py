"""One worker process from outside: started, told, heard, ended."""

import contextlib
import os
import signal
import subprocess
import sys
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from gradmark.run.cpus import unsettle
from gradmark.run.process import environment

_GOODBYE = 2.0
"""Seconds between a worker's connection ending and its process."""


class Process:
    """A process that runs `worker`, and the connection to it."""

    def __init__(self) -> None:
        self.connection: Connection[Any, Any]
        self.connection, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "methods.reverse.parallel.worker", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=2,  # what layers print is no output of the program that uses them
                env=_environment(),
                pass_fds=[theirs.fileno()],
            )
        unsettle(self.number)  # not all workers on the CPU of one that was pinned to it

    @property
    def number(self) -> int:
        """The number that the system gave it."""
        return self._process.pid

    def tell(self, message: Any) -> None:
        """Send a message; a worker that is gone is found when it does not answer."""
        with contextlib.suppress(OSError):
            self.connection.send(message)

    def answer(self) -> tuple[str, Any]:
        """How it went, and what came of it; "died" where the connection has ended."""
        try:
            answer: tuple[str, Any] = self.connection.recv()
        except (EOFError, OSError):
            return "died", self._ending()
        return answer

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()

    def bury(self) -> None:
        """Wait until it has ended, so that no zombie is left."""
        self._process.wait()
        self.connection.close()

    def _ending(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(timeout=_GOODBYE)
            return (
                f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
            )
        return "closed its connection"


def _environment() -> dict[str, str]:
    """One thread, this process's module path, and gloo on the local interface: it need not ask for names."""
    path = os.pathsep.join(each or str(Path.cwd()) for each in sys.path)
    local = {"GLOO_SOCKET_IFNAME": "lo"} if sys.platform == "linux" else {}
    return {**local, **environment(1), "PYTHONPATH": path}
