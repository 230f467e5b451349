"""A function run in a forked child, its number brought back through a pipe."""

import contextlib
import ctypes
import json
import os
import signal
import traceback
import warnings
from collections.abc import Callable
from typing import NoReturn

from gradmark.measuring.out_of_memory import is_out_of_memory

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class ChildFailed(RuntimeError):
    """The function raised in the child, or the child died; the message says how."""


def in_child(function: Callable[[], float], *, torch_threads: int | None = None) -> float:
    """``function()`` evaluated in a fork of this process.

    The child has what the parent has, and nothing it does comes back but the number. `torch_threads` is set
    there before the call: torch's worker threads do not survive a fork. Raises `MemoryError` where memory ran
    out, which a kill by the kernel is taken for, and `ChildFailed` for everything else.
    """
    reader, writer = os.pipe()
    child = _fork()
    if child == 0:
        os.close(reader)
        _answer(function, writer, torch_threads)
    try:
        os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            text = pipe.read()
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        _, status = os.waitpid(child, 0)
    return _outcome(text, status)


def _fork() -> int:
    with warnings.catch_warnings():
        # Python and JAX warn that other threads' locks stay held in the child. It runs one call on one
        # thread, never on JAX, and does not outlive it.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        return os.fork()


def _answer(function: Callable[[], float], writer: int, torch_threads: int | None) -> NoReturn:
    """Run in the child: write the number, or what went wrong, and end without the parent's clean-up."""
    try:
        die_with_parent()
        if torch_threads is not None:
            import torch

            torch.set_num_threads(torch_threads)
        answer: dict[str, object] = {"number": float(function())}
    except BaseException as error:
        kind = "memory" if is_out_of_memory(error) else "error"
        answer = {kind: "".join(traceback.format_exception(error))}
    with contextlib.suppress(BaseException):
        os.write(writer, json.dumps(answer).encode())
    os._exit(0)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends, however that ends (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _outcome(text: bytes, status: int) -> float:
    answer = json.loads(text) if text else {}
    if "number" in answer:
        return float(answer["number"])
    if "memory" in answer:
        raise MemoryError(answer["memory"])
    if "error" in answer:
        raise ChildFailed(answer["error"])
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGKILL:
        raise MemoryError("the call's process was killed, as the kernel does when memory runs out")
    raise ChildFailed(f"the call's process ended with status {code} and no answer")
