"""The reasons for which neither method takes a problem."""

from gradmark.arguments import memory_bytes
from gradmark.errors import shown
from gradmark.method import Method, Want, unsupported
from gradmark.problem import Problem
from gradmark.structure import rows_are_coupled
from methods.reverse.parallel.joined import group_size
from methods.reverse.parallel.parcel import Piece, reason_against

TIMEOUTS = (1e-3, 86_400)
"""The shortest and the longest time limit of a call, in seconds: a day is longer than anybody waits."""
_BYTES = 2**27
"""The memory that a worker takes for itself at least, for torch and NumPy."""


def reason(method: Method, problem: Problem, want: Want, workers: int, local_parts: int | None) -> str | None:
    """Why `problem` cannot be shared out to `workers`; None: it can.

    `local_parts` are the parts of the rows that may have statistics of their own (None: they may not).
    """
    if problem.layers is None:
        return f"{problem.call.name} has no layers to run the delta recursion through"
    if found := unsupported(method, problem, want) or of_arrays(problem, workers):
        return found
    if problem.call.opened:
        return f"its opened {' and '.join(problem.call.opened)} are parameters of single rows"
    if found := _of_coupled_rows(problem, local_parts):
        return found
    unsent = reason_against(Piece.of(problem)) if group_size() is None else None
    return unsent and f"its layers cannot be sent to another process ({unsent})"


def _of_coupled_rows(problem: Problem, local_parts: int | None) -> str | None:
    """What speaks against parts of rows that a layer couples."""
    coupled, rows = rows_are_coupled(problem.layers), problem.default_draw.count
    if coupled is None:
        return None
    if local_parts is None:
        return (
            f"{coupled} couples the rows, so that the gradients of parts of them do not add up to that of "
            "all (local_statistics=True takes each part by itself, which is another gradient)"
        )
    if rows < 2 * local_parts:
        return (
            f"{coupled} couples the rows, and of {rows} rows in {local_parts} parts one would be alone, "
            "without statistics of its own: choose fewer parts"
        )
    return None


def of_arrays(problem: Problem, workers: int) -> str | None:
    """What speaks against its backend, dtype or device."""
    backend, device, dtype = problem.arrays.backend, problem.arrays.device, problem.arrays.dtype
    if backend not in ("numpy", "torch"):
        return f"torch.distributed cannot take the arrays of {backend}"
    if "longdouble" in dtype or "complex" in dtype:
        return f"its workers add real numbers of torch, which {dtype} is not"
    if device == "meta":
        return "meta tensors have no numbers to send"
    if group_size() is None and workers * _BYTES > memory_bytes():
        return f"{shown(workers)} processes are more than the memory of this machine holds: choose fewer"
    if device.startswith("cuda") and group_size() is None:
        import torch

        if workers > torch.cuda.device_count():
            return f"each worker needs a GPU of its own, and {workers} are more than there are here"
    return None
