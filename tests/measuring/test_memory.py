"""Peak memory of known allocations."""

import importlib.util
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any, NoReturn

import numpy as np
import pytest
import torch

from gradmark.arrays import Arrays
from gradmark.measuring.forked import ChildFailed, in_child
from gradmark.measuring.memory import PeakMemory, peak_bytes

MIB = 2**20
NUMPY, TORCH = Arrays(), Arrays("torch")


def once(call: Callable[[], object], arrays: Arrays = NUMPY) -> PeakMemory:
    return peak_bytes(lambda: call, arrays)


def ones(mebibytes: int) -> Any:
    return np.ones(mebibytes * MIB, np.uint8)


@pytest.mark.parametrize("mebibytes", [8, 32])
def test_an_array_is_measured_at_its_size(mebibytes: int) -> None:
    found = once(lambda: ones(mebibytes))
    assert found.bytes == pytest.approx(mebibytes * MIB, abs=found.resolution)


@pytest.mark.parametrize("mebibytes", [8, 32])
def test_a_tensor_is_measured_at_its_size(mebibytes: int) -> None:
    found = once(lambda: torch.ones(mebibytes * MIB, dtype=torch.uint8), TORCH)
    assert found.bytes == pytest.approx(mebibytes * MIB, abs=found.resolution)


def test_the_peak_is_within_the_call_not_at_its_end() -> None:
    def call() -> int:
        return int(ones(16)[0])

    found = once(call)
    assert found.bytes == pytest.approx(16 * MIB, abs=found.resolution)


def test_memory_that_was_freed_first_does_not_add_up() -> None:
    def call() -> Any:
        ones(8)
        return ones(6)

    found = once(call)
    assert found.bytes == pytest.approx(8 * MIB, abs=found.resolution)


def test_what_is_held_together_adds_up() -> None:
    found = once(lambda: [ones(8), ones(6)])
    assert found.bytes == pytest.approx(14 * MIB, abs=found.resolution)


def test_preparation_counts() -> None:
    def make() -> Callable[[], object]:
        workspace = ones(8)
        return lambda: (workspace, ones(4))

    found = peak_bytes(make, NUMPY)
    assert found.bytes == pytest.approx(12 * MIB, abs=found.resolution)


def test_a_call_that_allocates_nothing_is_measured_as_nothing() -> None:
    found = once(lambda: None)
    assert found.bytes <= found.resolution


def test_what_the_parent_holds_and_what_it_freed_do_not_count() -> None:
    held, freed = ones(64), ones(64)
    del freed
    found = once(lambda: ones(4))
    assert found.bytes == pytest.approx(4 * MIB, abs=found.resolution)
    assert held[0] == 1


def holes_in_the_heap() -> PeakMemory:
    """80 blocks of 100 KiB, where 199 such blocks were freed below one that is still there."""
    blocks = [np.ones(100 * 1024, np.uint8) for _ in range(200)]
    pin = blocks.pop()  # the top of the heap stays, and so do the free pages below it
    blocks.clear()
    found = once(lambda: [np.ones(100 * 1024, np.uint8) for _ in range(80)])
    assert pin[0] == 1
    return found


def test_free_pages_of_the_heap_are_not_used_in_secret() -> None:
    # In an interpreter of its own: thousands of tests leave small things in the heap between which a whole
    # block fits without a new page.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
        found = fresh.submit(holes_in_the_heap).result()
    # A block that is mapped by itself has a header, which makes it a page longer. One that fills a hole of
    # the heap shares its first and its last page with neighbours that are resident.
    assert 80 * 92 * 1024 - found.resolution <= found.bytes <= 80 * 104 * 1024 + found.resolution


def test_a_matrix_product_is_measured_at_its_operands_and_result() -> None:
    n = 1024
    warm = torch.ones(n, n)
    _ = warm @ warm

    def call() -> Any:
        one, other = torch.ones(n, n), torch.ones(n, n)
        return one, other, one @ other

    found = once(call, TORCH)
    # Beside three matrices of 4 MiB MKL packs panels into a buffer as large as the caches of the CPU ask for
    # (0.5 to 1.5 MiB seen). Library code that is paged in would be 10 MiB.
    assert 12 * MIB - found.resolution <= found.bytes <= 16 * MIB


def test_running_out_of_memory_is_told_from_other_failures() -> None:
    with pytest.raises(MemoryError):
        once(lambda: np.ones(2**55))
    with pytest.raises(MemoryError):
        once(lambda: torch.ones(2**55), TORCH)
    with pytest.raises(MemoryError):
        once(lambda: os.kill(os.getpid(), signal.SIGKILL))


def test_an_error_in_the_child_comes_back_with_its_traceback() -> None:
    with pytest.raises(ChildFailed, match="ZeroDivisionError"):
        once(lambda: 1 // 0)


def test_a_child_that_dies_without_a_word_is_an_error() -> None:
    with pytest.raises(ChildFailed, match="status"):
        in_child(lambda: os._exit(3))


def test_an_interrupt_ends_the_child_too(monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[int] = []

    def interrupted(reader: int, mode: str) -> NoReturn:
        raise KeyboardInterrupt

    fork = os.fork
    monkeypatch.setattr(os, "fork", lambda: children.append(fork()) or children[-1])
    monkeypatch.setattr(os, "fdopen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        in_child(lambda: time.sleep(600))
    with pytest.raises(ProcessLookupError):
        os.kill(children[0], 0)


def test_nothing_of_the_call_is_left_in_the_parent() -> None:
    seen: list[int] = []
    once(lambda: seen.append(1))
    assert seen == []


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="jax is not installed here")
def test_jax_is_measured_in_its_own_process() -> None:
    arrays = Arrays("jax")

    def call() -> Any:
        # glibc maps every block above 32 MiB by itself and gives it back, in any process.
        return arrays.xp.ones(64 * MIB, dtype="uint8").block_until_ready()

    call()
    found = once(call, arrays)
    assert found.bytes == pytest.approx(64 * MIB, abs=MIB)  # the runtime's own threads allocate too


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_on_cuda_the_allocators_peak_is_read() -> None:
    def call() -> Any:
        torch.ones(8 * MIB, dtype=torch.uint8, device="cuda")
        return torch.ones(6 * MIB, dtype=torch.uint8, device="cuda")

    found = once(call, Arrays("torch", "cuda"))
    assert found.bytes == pytest.approx(8 * MIB, abs=found.resolution)
