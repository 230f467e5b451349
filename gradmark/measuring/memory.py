"""The peak of a call's memory, in a pass of its own.

On CUDA the allocator knows its peak. On the CPU a forked child makes the call and reads its own high-water
mark, so that what the parent holds, and what its allocator kept from earlier calls, do not count. JAX cannot
be forked: there the process's own mark is reset and read.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from gradmark.arrays import Arrays
from gradmark.measuring.forked import in_child
from gradmark.measuring.resident import (
    MMAP_THRESHOLD,
    counter_error,
    load_mapped_files,
    reset_peak,
    resident_bytes,
    resident_peak,
    return_freed_memory,
    stay_on_one_cpu,
)

Call = Callable[[], object]
_CUDA_BLOCK = 512
"""torch's CUDA allocator rounds every block up to this many bytes."""


@dataclass(frozen=True)
class PeakMemory:
    """The most `bytes` held at once, and the `resolution` in bytes below which they say nothing."""

    bytes: float
    resolution: float


def peak_bytes(make: Callable[[], Call], arrays: Arrays) -> PeakMemory:
    """The most memory held at any moment of ``make()()``, above what was held before.

    `make` prepares and returns the call; both are counted, and the call's result is alive when the peak is
    read. Memory that is allocated but never written to does not count on the CPU. Make the call once before:
    otherwise imports and the work space that BLAS keeps are counted too.

    Raises `MemoryError` where memory ran out, and `gradmark.measuring.forked.ChildFailed` where the call
    raised anything else.
    """
    if arrays.backend == "torch" and arrays.device.startswith("cuda"):
        return _cuda(make, arrays)
    if arrays.backend == "jax":
        return PeakMemory(_resident(make), _resolution())
    return PeakMemory(_child(make, arrays.backend), max(_resolution(), _noise_floor()))


def _cuda(make: Callable[[], Call], arrays: Arrays) -> PeakMemory:
    cuda, device = arrays.xp.cuda, arrays.device
    cuda.synchronize(device)
    cuda.reset_peak_memory_stats(device)
    before = cuda.memory_allocated(device)
    result = make()()
    cuda.synchronize(device)
    peak = cuda.max_memory_allocated(device)
    del result
    return PeakMemory(float(peak - before), float(_CUDA_BLOCK))


def _child(make: Callable[[], Call], backend: str) -> float:
    def measured() -> float:
        stay_on_one_cpu()
        return_freed_memory()
        load_mapped_files()
        return _resident(make)

    return in_child(measured, torch_threads=1 if backend == "torch" else None)


def _resident(make: Callable[[], Call]) -> float:
    before = resident_bytes() if reset_peak() else resident_peak()
    result = make()()
    peak = resident_peak()
    del result
    return float(max(0, peak - before))


def _resolution() -> float:
    return float(MMAP_THRESHOLD + counter_error())


@cache
def _noise_floor() -> float:
    """What a call that allocates nothing is measured to hold; once for each process."""
    return _child(lambda: lambda: None, "numpy")
