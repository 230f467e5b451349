"""The workers as one of them sees them: who it is, and how it speaks to the others."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from gradmark.arrays import Array
from gradmark.draw import Draw

COMPUTING, WAITING = 1, 2
"""What a worker is busy with: its own numbers, or numbers of others that are on their way."""


class Compute(Protocol):
    """``compute(parameters, draw, out)`` writes the gradient, flat, and after it the loss into tensor `out`.

    Every worker is given all parameters and the whole draw, and takes its part of them. `seed` is for what is
    random.
    """

    def __call__(self, parameters: Mapping[str, Array], draw: Draw, out: Any, seed: int = 0) -> None:
        """The part of one worker in one call."""


class LostOthers(RuntimeError):
    """The others could not be spoken to: the fault is not with the worker that says so."""


class Program(Protocol):
    """What workers are to do, before they know which of them they are."""

    def bind(self, group: "Group") -> Compute:
        """The part of one worker."""


@dataclass
class Group:
    """Worker `rank` of `workers`, in torch.distributed's default process group.

    `shared`: what is written into `out` is seen by whoever asked, from all workers, so that a part need not
    be sent to anybody. `limit` are the seconds to wait for the others (None: somebody else has the clock).
    `mark` is told what the worker is busy with. `waited` are the seconds spent waiting since it was set to 0.
    """

    rank: int
    workers: int
    shared: bool = False
    limit: float | None = None
    mark: Callable[[int], None] = lambda state: None
    waited: float = field(default=0.0)

    def add(self, array: Any) -> None:
        """Replace `array` by the sum over all workers; one alone needs no process group for it."""
        if self.workers == 1:
            return
        with self._waiting("the sum over all workers"):
            self._wait(self._torch.all_reduce(array, async_op=True))

    def send(self, array: Any, to: int) -> Any:
        """Begin to send; what is returned is for `finish`."""
        with self._waiting(f"worker {to}"):
            return self._torch.isend(array, to)

    def receive(self, array: Any, source: int) -> Any:
        """`array`, once what `source` sends is in it."""
        with self._waiting(f"worker {source}"):
            self._wait(self._torch.irecv(array, source))
        return array

    def finish(self, sent: list[Any]) -> None:
        """Wait until all that was sent is on its way."""
        with self._waiting("its neighbours"):
            for each in sent:
                self._wait(each)

    @property
    def _torch(self) -> Any:
        import torch.distributed

        return torch.distributed

    def _wait(self, work: Any) -> None:
        if self.limit is None:
            work.wait()
        else:
            work.wait(timeout=timedelta(seconds=self.limit))

    @contextmanager
    def _waiting(self, whom: str) -> Iterator[None]:
        start = time.perf_counter()
        self.mark(WAITING)
        try:
            yield
        except RuntimeError as error:
            said = " ".join(str(error).split()).partition(". ")[0]  # advice follows
            raise LostOthers(f"worker {self.rank} of {self.workers} waited for {whom}: {said}") from error
        self.mark(COMPUTING)
        self.waited += time.perf_counter() - start
