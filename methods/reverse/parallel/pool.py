"""A group of worker processes from outside: asked together, and ended together."""

import itertools
import os
import tempfile
import threading
import time
from collections.abc import Sequence
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from methods.reverse.parallel.group import COMPUTING
from methods.reverse.parallel.messages import Hello
from methods.reverse.parallel.process import Process
from methods.reverse.parallel.region import Place, Region

_START = 120.0
"""Seconds in which all workers must have started, on a machine that is busy."""
_GRACE = 1.0
"""Seconds in which the others may say what they met, once a worker has lost one of them."""
_CAUSES = ("died", "failed", "lost")
"""Whose trouble is the cause, first things first: what one worker meets makes others lose it."""
Answers = dict[int, tuple[str, Any]]
"""By rank, how it went and what came of it."""


class WorkerError(RuntimeError):
    """A worker ended, raised or did not answer in time; its message says which one, and what happened."""


class Pool:
    """`workers` processes in one group of torch.distributed, on `backend` (gloo or nccl).

    `lock` is for whoever makes a call: two may not be made at once. `users` are the numbers of the prepared
    functions, by which the workers know what each of them sent.
    """

    def __init__(self, workers: int, backend: str) -> None:
        self.lock, self.ended, self.owner = threading.RLock(), False, os.getpid()
        self.users: set[int] = set()
        self._forgotten: list[int] = []
        self._numbers = itertools.count()
        region = Region(workers)
        self._states = region.array(Place(0, (workers,), "uint8"), "numpy")
        self._processes = [Process() for _ in range(workers)]
        with tempfile.TemporaryDirectory(prefix="gradmark-") as folder:
            store = str(Path(folder) / "store")
            hellos = [
                Hello(rank, workers, backend, store, region.path, self.owner) for rank in range(workers)
            ]
            try:
                self.ask(hellos, _START, "while it started")
            finally:
                region.unlink()

    @property
    def processes(self) -> tuple[int, ...]:
        """The workers' process numbers, by rank."""
        return tuple(process.number for process in self._processes)

    def taken(self) -> int:
        """The number of a new user."""
        number = next(self._numbers)
        self.users.add(number)
        return number

    def dropped(self, number: int) -> None:
        """A user is gone; workers hear of it at the next call, for this may be a garbage collector's."""
        self.users.discard(number)
        self._forgotten.append(number)

    def ask(self, messages: Sequence[Any], seconds: float, doing: str) -> list[Any]:
        """Tell each worker its message, and return what came of it, by rank.

        Raises `WorkerError`, and ends all workers, where one of them has not done what it was asked.
        """
        deadline = time.monotonic() + seconds
        try:
            while self._forgotten:
                self._tell([("forget", self._forgotten.pop(), None)] * len(messages))
            self._states[:] = COMPUTING
            self._tell(messages)
            answers = self._heard({}, deadline)
            if len(answers) < len(messages) or _cause(answers):
                raise self._trouble(answers, seconds, doing)
        except BaseException:  # an interrupt too leaves answers behind, which the next call would take
            self.end()
            raise
        return [answers[rank][1] for rank in range(len(messages))]

    def end(self) -> None:
        """End all workers, whatever they do. In a fork of their owner it does nothing."""
        if self.ended or self.owner != os.getpid():
            return
        self.ended = True
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.bury()

    def _tell(self, messages: Sequence[Any]) -> None:
        for process, message in zip(self._processes, messages, strict=True):
            process.tell(message)

    def _heard(self, answers: Answers, deadline: float) -> Answers:
        """The answers so far, until all are there, or one tells of trouble, or the time is over."""
        answers = dict(answers)
        ranks: dict[Any, int] = {process.connection: rank for rank, process in enumerate(self._processes)}
        while waiting := [each for each, rank in ranks.items() if rank not in answers]:
            ready = wait(waiting, max(0.0, deadline - time.monotonic()))
            new = {ranks[each]: self._processes[ranks[each]].answer() for each in ready}
            answers |= new
            if not new or _cause(new):
                break
        return answers

    def _trouble(self, answers: Answers, seconds: float, doing: str) -> WorkerError:
        """What happened, by what the workers say and how they ended."""
        deadline, known = time.monotonic() + _GRACE, -1
        while _cause(answers) == "lost" and known < len(answers):
            known, answers = len(answers), self._heard(answers, deadline)
        if (cause := _cause(answers)) is None:
            return self._error(self._silent(answers), f"did not answer within {seconds:g} s", doing)
        rank, said = next((rank, said) for rank, (how, said) in answers.items() if how == cause)
        return self._error(rank, said if cause == "died" else f"raised {said}", doing)

    def _silent(self, answers: Answers) -> int:
        """One that has not answered; not one that only waits for others, if there is any else."""
        silent = [rank for rank in range(len(self._processes)) if rank not in answers]
        return next((rank for rank in silent if self._states[rank] == COMPUTING), silent[0])

    def _error(self, rank: int, what: str, doing: str) -> WorkerError:
        workers = len(self._processes)
        return WorkerError(
            f"worker {rank} of {workers} (process {self._processes[rank].number}) {what} {doing}; "
            "all workers were ended, and the next call starts new ones."
        )


def _cause(answers: Answers) -> str | None:
    """The kind of trouble that is the cause of all others; None: there is no trouble."""
    return next((cause for cause in _CAUSES if any(how == cause for how, _ in answers.values())), None)
