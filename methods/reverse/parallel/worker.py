"""One worker process: ``python -P -m methods.reverse.parallel.worker DESCRIPTOR``.

It answers each message on the connection that it was given with ``(how, what)``: "done" with seconds by
phase, "lost" where it could not speak to the other workers, "failed" for anything else that was raised. It
runs its own loop instead of a pool of `multiprocessing`, because such a pool runs the user's script again.
"""

import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from typing import Any

from gradmark.draw import Draw
from gradmark.errors import in_one_line
from methods.reverse.parallel.group import COMPUTING, WAITING, Group, LostOthers
from methods.reverse.parallel.messages import Hello, Sheet
from methods.reverse.parallel.region import Place, Region

_FOREVER = timedelta(days=1)
"""The time to wait for other workers: whoever asks has the clock."""
_LOOK = 1.0
"""Seconds between two looks at whether whoever started this process is still there."""


def main() -> None:
    """Join the others, and do what is asked until nobody is there to ask."""
    connection = Connection(int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks ends the workers
    try:
        hello: Hello = connection.recv()
        threading.Thread(target=_end_with, args=(hello.parent,), daemon=True).start()
        if (group := _answered(connection, _joined, hello)) is not None:
            _serve(connection, group)
    except (EOFError, OSError):
        pass
    os._exit(0)  # without taking leave of workers that may be gone


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(1)


def _joined(hello: Hello) -> Group:
    import torch

    torch.set_num_threads(1)
    if hello.backend == "nccl":
        torch.cuda.set_device(hello.rank)
    torch.distributed.init_process_group(
        hello.backend,
        init_method=f"file://{hello.store}",
        rank=hello.rank,
        world_size=hello.workers,
        timeout=_FOREVER,
    )
    region = Region.opened(hello.states)
    state = region.array(Place(hello.rank, (1,), "uint8"), "numpy")

    def mark(busy: int) -> None:
        state[0] = busy

    # On a GPU of its own a worker writes into memory that nobody else sees.
    return Group(hello.rank, hello.workers, shared=hello.backend == "gloo", mark=mark)


class _Bound:
    """A program that knows which worker it is, and where the arrays of a call are."""

    def __init__(self, parcel: bytes, group: Group) -> None:
        program = pickle.loads(parcel)
        self._arrays, self._group, self._compute = program.piece.arrays, group, program.bind(group)

    def place(self, sheet: Sheet) -> None:
        """Map the arrays of the calls to come."""
        region, backend = Region.opened(sheet.path), self._arrays.backend
        self._parameters = region.arrays(sheet.parameters, backend)
        self._draw = Draw(region.arrays(sheet.draw, backend))
        self._out = region.array(sheet.out, "torch")

    def call(self, seed: int) -> dict[str, float]:
        """One call; the seconds it took, by phase."""
        import torch

        start, self._group.waited = time.perf_counter(), 0.0
        self._group.mark(COMPUTING)
        with torch.no_grad():
            if self._arrays.device.startswith("cuda"):
                self._compute_on_device(seed)
            else:
                self._compute(self._parameters, self._draw, self._out, seed)
        self._group.mark(WAITING)
        return {
            "compute": time.perf_counter() - start - self._group.waited,
            "communicate": self._group.waited,
        }

    def _compute_on_device(self, seed: int) -> None:
        """The same with arrays on a GPU of its own; the sum comes back from the first worker."""
        device = self._arrays.device
        parameters = {name: array.to(device) for name, array in self._parameters.items()}
        out = self._out.new_empty(self._out.shape, device=device)
        self._compute(parameters, self._draw.map(lambda array: array.to(device)), out, seed)
        if self._group.rank == 0:
            self._out.copy_(out)


def _serve(connection: Connection, group: Group) -> None:
    bound: dict[int, _Bound] = {}

    def prepare(number: int, parcel: bytes) -> None:
        bound[number] = _Bound(parcel, group)

    while True:
        kind, number, content = connection.recv()
        if kind == "prepare":
            _answered(connection, prepare, number, content)
        elif kind == "place":
            _answered(connection, bound[number].place, content)
        elif kind == "call":
            _answered(connection, bound[number].call, content)
        else:  # "forget", which nobody waits for
            bound.pop(number, None)


def _answered(connection: Connection, function: Callable[..., Any], *arguments: Any) -> Any:
    """What `function` returns, once the answer is sent; None where it raised."""
    try:
        result = function(*arguments)
    except LostOthers as error:
        connection.send(("lost", str(error)))
    except Exception as error:
        connection.send(("failed", in_one_line(error)))
    else:
        connection.send(("done", result if isinstance(result, dict) else None))
        return result
    return None


if __name__ == "__main__":
    main()
