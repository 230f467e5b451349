"""Memory that several processes see: a file in memory that each of them maps."""

import math
import mmap
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gradmark.arrays import Array, dtype_name

_ALIGNED = 64
"""Bytes of a cache line: every array starts at a multiple of it."""
_IN_MEMORY = "/dev/shm"
"""Where files are kept in memory on Linux; elsewhere the folder for temporary files has to do."""


class Place(NamedTuple):
    """Where in a region an array is, and what it is."""

    offset: int
    shape: tuple[int, ...]
    dtype: str


@dataclass
class Planner:
    """Gives arrays their places, one after the other; `size` is the bytes taken so far."""

    size: int = 0

    def place(self, shape: tuple[int, ...], dtype: str, itemsize: int) -> Place:
        """The next place."""
        found = Place(self.size, shape, dtype)
        self.size += -(-math.prod(shape) * itemsize // _ALIGNED) * _ALIGNED
        return found

    def like(self, named: Mapping[str, Array]) -> dict[str, Place]:
        """Places for arrays like the given ones."""
        return {
            name: self.place(tuple(array.shape), dtype_name(array), array.dtype.itemsize)
            for name, array in named.items()
        }


class Region:
    """`size` bytes of zeros that other processes can map too, by `path`.

    Once they have, `unlink` takes the name away: the memory is then given back when the last of them ends,
    however it ends.
    """

    def __init__(self, size: int) -> None:
        descriptor, self.path = _file(max(1, size))
        self._map = _mapped(descriptor)

    @classmethod
    def opened(cls, path: str) -> "Region":
        """The region that another process made."""
        region = cls.__new__(cls)
        region.path = path
        region._map = _mapped(os.open(path, os.O_RDWR))
        return region

    def unlink(self) -> None:
        """Take its name away."""
        with suppress(FileNotFoundError):
            Path(self.path).unlink()

    def array(self, place: Place, backend: str) -> Any:
        """What is at a place, as a NumPy array or a torch tensor that shares the memory."""
        offset, shape, dtype = place
        count = math.prod(shape)
        if backend == "numpy":
            return np.frombuffer(self._map, dtype, count, offset).reshape(shape)
        import torch

        of = getattr(torch, dtype)
        if not count:  # which frombuffer refuses
            return torch.empty(shape, dtype=of)
        return torch.frombuffer(self._map, dtype=of, count=count, offset=offset).reshape(shape)

    def arrays(self, places: Mapping[str, Place], backend: str) -> dict[str, Any]:
        """Several of them by name."""
        return {name: self.array(place, backend) for name, place in places.items()}


def _file(size: int) -> tuple[int, str]:
    """A new file with all its bytes reserved: else writing would end the process once memory is full.

    Containers may give the folder in memory 64 MiB only, so the next best place is tried too.
    """
    folders = [_IN_MEMORY] if os.access(_IN_MEMORY, os.W_OK) else []
    for folder in [*folders, None]:
        descriptor, path = tempfile.mkstemp(prefix="gradmark-", dir=folder)
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError:
            os.close(descriptor)
            Path(path).unlink()
            if folder is None:
                raise
        else:
            return descriptor, path
    raise AssertionError("unreachable")


def _mapped(descriptor: int) -> mmap.mmap:
    try:
        return mmap.mmap(descriptor, 0)
    finally:
        os.close(descriptor)
