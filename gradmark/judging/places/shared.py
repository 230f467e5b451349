"""What is found at a point once in a process, and serves every method that is judged there.

Only what the problem alone decides may be kept: its references, the noise and the slopes of its loss.
"""

import hashlib
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar

import numpy as np

from gradmark.arrays import Array, to_numpy
from gradmark.problem import Problem
from gradmark.reference.point import Point
from gradmark.reference.slope import noise_level
from gradmark.registry import list_problems
from gradmark.remembering import once_for
from gradmark.run.resolving import PLACE

Found = TypeVar("Found")
_KEPT = 2048
"""So many findings are kept, those that came last."""
_BY_CONTENT: dict[Hashable, Any] = {}


def once_at(problem: Problem, point: Point, key: Hashable, compute: Callable[[], Found]) -> Found:
    """What ``compute()`` gave when it was first asked for under `key` at this point, or one that equals it.

    `point` is one of `problem`, perhaps in wider arithmetic. Points of registered problems are known by
    their content; those of a person's function belong to the very `problem`.
    """
    content = content_of(point)
    if content is None:
        place = point.problem.arrays.backend, point.dtype
        here = (*place, digest_of(point.parameters), digest_of(point.draw.arrays))
        return once_for(problem, (key, here), compute)
    known = (key, content)
    if known not in _BY_CONTENT:
        while len(_BY_CONTENT) >= _KEPT:
            del _BY_CONTENT[next(iter(_BY_CONTENT))]
        _BY_CONTENT[known] = compute()
    found: Found = _BY_CONTENT[known]
    return found


def noise_at(problem: Problem, point: Point) -> float:
    """The noise of the loss at this point of `problem` (`gradmark.reference.slope.noise_level`)."""
    return once_at(problem, point, "noise", lambda: noise_level(point))


def content_of(point: Point) -> str | None:
    """What a registered problem's point is, in whatever backend: its call, its numbers, and its loss.

    None for problems that only their own object knows, such as a person's function.
    """
    call = point.problem.call
    if call.name not in list_problems() or not call.arguments:
        return None
    sizes = sorted((key, repr(value)) for key, value in call.arguments.items() if key not in PLACE)
    parts = (type(point.problem), call.name, sizes, call.opened, point.dtype, point.problem.arrays.backend)
    loss = point.loss(point.numbers)
    return f"{parts} {digest_of(point.parameters)} {digest_of(point.draw.arrays)} {loss!r}"


def digest_of(named: Mapping[str, Array]) -> str:
    """A hash of names, dtypes, shapes and numbers."""
    hashed = hashlib.sha256()
    for name, array in named.items():
        numbers = np.ascontiguousarray(_comparable(to_numpy(array)))
        hashed.update(f"{name} {numbers.dtype} {numbers.shape}".encode())
        hashed.update(numbers.tobytes())
    return hashed.hexdigest()


def _comparable(numbers: Any) -> Any:
    """longdouble has bytes that mean nothing: as two float64, which hold all of its digits."""
    if numbers.dtype != np.longdouble:
        return numbers
    high = numbers.astype(np.float64)
    return np.stack([high, (numbers - high).astype(np.float64)])
