"""Resident memory of this process on Linux: read, its peak reset, and freed blocks given back.

Where /proc is missing, or its marks cannot be reset, `resource.getrusage` gives the peak since the process
began; that is exact only while the peak still grows.
"""

import ctypes
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path

MMAP_THRESHOLD = 64 * 1024
"""Blocks of at least this many bytes get pages of their own in a measured child, and leave with them.

Smaller ones come from the heap, which may hold free pages already."""
_LARGEST_FREE = 2**30
"""Free room on the heap is taken in blocks of this many bytes, and of half of it, and so on."""
_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_MAPS = Path("/proc/self/maps")
_RESET_PEAK = "5"
"""See proc(5): writing 5 to clear_refs sets VmHWM to the current VmRSS."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_MADV_POPULATE_READ = 22  # linux/mman.h, since Linux 5.14


def resident_bytes() -> int:
    """The memory resident now."""
    return _status("VmRSS") or _largest_so_far()


def resident_peak() -> int:
    """The most memory resident since `reset_peak`."""
    return _status("VmHWM") or _largest_so_far()


def reset_peak() -> bool:
    """Begin a new peak at what is resident now; False where the system doesn't let us."""
    try:
        _CLEAR_REFS.write_text(_RESET_PEAK)
    except OSError:
        return False
    return True


def return_freed_memory() -> None:
    """Have malloc give back freed blocks at once, in this process from now on. For a child that soon ends."""
    with suppress(OSError, AttributeError):  # another C library than glibc
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, MMAP_THRESHOLD)
        libc.mallopt(_M_TRIM_THRESHOLD, MMAP_THRESHOLD)
        libc.malloc_trim(0)
        _fill_free_blocks(libc)


def _fill_free_blocks(libc: ctypes.CDLL) -> None:
    """Take what malloc has free on its heap, so that larger blocks get pages of their own from now on.

    A heap with much free room, as earlier calls leave it, would be used before any new page, and a block
    that is freed between two others stays resident there. What is taken is not written to, so it is no
    memory; a block that malloc had no room for is told by the second bit of the size in front of it.
    """
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.restype, libc.free.argtypes = None, [ctypes.c_void_p]
    size = _LARGEST_FREE
    while size >= MMAP_THRESHOLD:
        block = libc.malloc(size)
        if block and not ctypes.c_size_t.from_address(block - ctypes.sizeof(ctypes.c_size_t)).value & 2:
            continue
        libc.free(block)
        size //= 2


def load_mapped_files() -> None:
    """Touch every page of the mapped files, so that code which runs for the first time doesn't count.

    A forked child starts without its libraries' pages: the first matrix product alone would bring in 10 MiB.
    """
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        for line in _MAPS.read_text().splitlines():
            span, rights, _, _, inode, *_ = line.split()
            if rights.startswith("r") and inode != "0":
                start, stop = (int(edge, 16) for edge in span.split("-"))
                libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(stop - start), _MADV_POPULATE_READ)


def stay_on_one_cpu() -> None:
    """Keep this process where it runs now: the kernel counts pages for each CPU and adds them up late."""
    with suppress(OSError, AttributeError):
        os.sched_setaffinity(0, {ctypes.CDLL(None).sched_getcpu()})


def counter_error() -> int:
    """The bytes by which the kernel's marks may be off, for a process on one CPU that was forked on another.

    Linux keeps a count of pages on each CPU and adds it to the process's when it exceeds a batch: 32 pages or
    twice the number of CPUs (include/linux/percpu_counter.h).
    """
    return 2 * max(32, 2 * (os.cpu_count() or 1)) * resource.getpagesize()


def _status(field: str) -> int | None:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), None)


def _largest_so_far() -> int:
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024
