"""A prepared function in processes that torchrun, or the user, has started: each of them calls it alike."""

import os
import sys
import time
from datetime import timedelta
from typing import Any

from gradmark.draw import Draw
from gradmark.method import Estimate
from gradmark.parameters import Parameters, detached
from gradmark.problem import Problem
from gradmark.work import uncounted
from methods.reverse.parallel.answer import Read, estimate, numbers_out, sum_dtype
from methods.reverse.parallel.group import Group, LostOthers, Program
from methods.reverse.parallel.pool import WorkerError

_TORCHRUN = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def group_size() -> int | None:
    """How many processes were started together; None: this one stands alone, and has to start others."""
    distributed = sys.modules.get("torch.distributed")
    if distributed is not None and distributed.is_available() and distributed.is_initialized():
        return int(distributed.get_world_size())
    return int(os.environ["WORLD_SIZE"]) if all(name in os.environ for name in _TORCHRUN) else None


class Joined:
    """Every process gets the whole gradient of the rows of `draw`, which must be the same in all.

    A `group` that is given is used as it is: that of one worker is this process alone. `read` makes the
    estimate of what was computed. `seconds` are those of the last call by phase: "compute", "communicate",
    "call". `close()` leaves the group as it is.
    """

    def __init__(
        self,
        problem: Problem,
        program: Program,
        timeout: float,
        read: Read = estimate,
        group: Group | None = None,
    ) -> None:
        self._group = group or _group(problem.arrays.device.startswith("cuda"), timeout)
        self._problem, self._compute, self._read = problem, program.bind(self._group), read
        self.seconds: dict[str, float] = {}

    def __call__(
        self,
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        """The gradient by all processes; raises `WorkerError` where the others cannot be reached."""
        import torch

        draw, arrays = draw or self._problem.default_draw, self._problem.arrays
        start, self._group.waited = time.perf_counter(), 0.0
        out = torch.zeros(
            numbers_out(self._problem.parameters),
            dtype=getattr(torch, sum_dtype(arrays.dtype)),
            device=arrays.device,
        )
        try:
            with torch.no_grad(), uncounted():  # `read` counts the passes of all processes
                self._compute(detached(parameters), draw, out, seed)
        except LostOthers as error:
            raise WorkerError(f"{self._problem.call.name}: {error}") from error
        found = self._read(self._problem, draw, out if arrays.backend == "torch" else out.numpy())
        call, waited = time.perf_counter() - start, self._group.waited
        self.seconds = {"compute": call - waited, "communicate": waited, "call": call}
        return found

    def close(self) -> None:
        """The processes are not this function's to end."""


def _group(on_gpu: bool, timeout: float) -> Group:
    import torch.distributed as distributed

    if not distributed.is_initialized():
        distributed.init_process_group(
            "nccl" if on_gpu else "gloo", timeout=timedelta(seconds=max(timeout, 60.0))
        )
    return Group(distributed.get_rank(), distributed.get_world_size(), limit=timeout)
