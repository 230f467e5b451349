"""A prepared function whose workers are processes that it starts itself."""

import os
import time
import weakref
from collections.abc import Mapping
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.method import Estimate
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.random import check_seed
from methods.reverse.parallel import keeping
from methods.reverse.parallel.answer import Read, estimate, numbers_out, sum_dtype
from methods.reverse.parallel.group import Program
from methods.reverse.parallel.messages import Sheet
from methods.reverse.parallel.parcel import packed
from methods.reverse.parallel.pool import WorkerError
from methods.reverse.parallel.region import Planner, Region


class Spawned:
    """Parameters and draw are written where the workers see them, and the gradient is read there.

    `seconds` are those of the last call by phase: "send" (parameters and draw), "compute" and "communicate"
    (of the worker that computed longest), "call" (all of it). `processes` are the workers' process numbers.
    `close()` ends the workers, unless another prepared function uses them. A call starts them again where
    they have been ended, by that or by a failure. A gradient is valid until the next call, as always. `read`
    makes the estimate of what the workers wrote.
    """

    def __init__(
        self, problem: Problem, program: Program, workers: int, timeout: float, read: Read = estimate
    ) -> None:
        self._problem, self._program, self._workers, self._timeout = problem, program, workers, timeout
        self._read = read
        self.seconds: dict[str, float] = {}
        self._shapes: Any = None
        self._start()

    def __call__(
        self,
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        """The gradient by all workers; raises `WorkerError` where one of them fails."""
        check_seed(seed)  # or a worker would fail for it
        draw = draw or self._problem.default_draw
        start = time.perf_counter()
        if not self._end.alive or self._pool.ended or self._pool.owner != os.getpid():
            self._start()
        with self._pool.lock:
            self._place(draw)
            _copy(parameters, self._parameters)
            _copy(draw.arrays, self._draw)
            sent = time.perf_counter()
            phases = self._ask("call", [seed] * self._workers, "during a call")
        found = self._read(self._problem, draw, self._out)
        longest = max(phases, key=lambda each: each["compute"])
        self.seconds = {"send": sent - start, **longest, "call": time.perf_counter() - start}
        return found

    @property
    def processes(self) -> tuple[int, ...]:
        """The workers' process numbers, by rank."""
        return self._pool.processes

    def close(self) -> None:
        """End the workers unless another prepared function uses them."""
        if self._end.detach():
            keeping.closed(self._pool, self._number)

    def _start(self) -> None:
        """Take workers and send them the program; a GPU for each where the problem is on one."""
        arrays = self._problem.arrays
        on_gpu = arrays.device.startswith("cuda")
        self._pool, self._number = keeping.taken(self._workers, "nccl" if on_gpu else "gloo")
        self._end = weakref.finalize(self, keeping.collected, self._pool, self._number)
        self._end.atexit = False
        self._shapes = None
        devices = [f"cuda:{rank}" if on_gpu else None for rank in range(self._workers)]
        with self._pool.lock:
            self._ask("prepare", [packed(self._program, each) for each in devices], "while it was prepared")

    def _place(self, draw: Draw) -> None:
        """Make a region for the arrays of this call, unless the last call's draw had the same shapes."""
        described = {name: (tuple(array.shape), array.dtype) for name, array in draw.arrays.items()}
        if described == self._shapes:
            return
        arrays, given, plan = self._problem.arrays, self._problem.parameters, Planner()
        parameters, inputs = plan.like(given), plan.like(draw.arrays)
        out = plan.place((numbers_out(given),), sum_dtype(arrays.dtype), max(4, arrays.itemsize))
        region = Region(plan.size)
        try:
            sheet = Sheet(region.path, parameters, inputs, out)
            self._ask("place", [sheet] * self._workers, "while it mapped the arrays")
        finally:
            region.unlink()
        self._parameters = region.arrays(parameters, arrays.backend)
        self._draw = region.arrays(inputs, arrays.backend)
        self._out = region.array(out, arrays.backend)
        self._shapes = described

    def _ask(self, kind: str, contents: list[Any], doing: str) -> list[Any]:
        messages = [(kind, self._number, content) for content in contents]
        try:
            return self._pool.ask(messages, self._timeout, doing)
        except WorkerError as error:
            raise WorkerError(f"{self._problem.call.name}: {error}") from None


def _copy(named: Mapping[str, Array], into: Mapping[str, Array]) -> None:
    for name, array in into.items():
        if hasattr(array, "copy_"):
            array.copy_(named[name].detach())
        else:
            array[...] = named[name]
