"""What a person gave to a check, looked at once."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.errors import UsageError, shown
from gradmark.judging.checking.meter import Meter
from gradmark.judging.checking.space import Space, space_of
from gradmark.judging.checking.task import Side, Task
from gradmark.judging.clock import Clock
from gradmark.judging.verdict import check_expected
from gradmark.leaves import leaves_like
from gradmark.random import generator


@dataclass(frozen=True)
class Options:
    """The keyword arguments of the public functions, as they were given."""

    seed: int
    digits: float | None
    points: Sequence[Any] | None
    bounds: tuple[float, float] | None
    expected_failures: Mapping[str, str] | None
    seconds: float | None


def task_of(
    function: Any, at: Any, side: Callable[[Space, Any, Meter], Side], options: Options, checks: Iterable[str]
) -> Task:
    """The task of a check; raises `UsageError`."""
    check_callable("function", function)
    generator(options.seed, "judge")
    expected = dict(options.expected_failures or {})
    check_expected(expected, checks)
    _check_positive("digits", options.digits)
    _check_positive("seconds", options.seconds)
    space, x = space_of(at)
    if space.size == 0 or not np.all(np.isfinite(x)):
        raise UsageError("`at` must hold at least one number, and only finite ones.")
    bounds = _bounds(options.bounds, x)
    points = _points(options.points, space, bounds)
    meter = Meter(Clock(options.seconds))
    name = getattr(function, "__name__", type(function).__name__)
    return Task(name, side(space, x, meter), space, x, meter, int(options.seed), points, bounds, expected)


def check_callable(name: str, value: Any) -> None:
    """Raise `UsageError` unless it can be called."""
    if not callable(value):
        raise UsageError(f"`{name}={shown(value)}` must be a function.")


def _check_positive(name: str, value: Any) -> None:
    if value is not None and not (_is_number(value) and value > 0):
        raise UsageError(f"`{name}={shown(value)}` must be a number above 0, or None.")


def _bounds(bounds: Any, x: Any) -> tuple[float, float] | None:
    if bounds is None:
        return None
    if not isinstance(bounds, Sequence) or len(bounds) != 2 or not all(map(_may_bound, bounds)):
        raise UsageError(f"`bounds={shown(bounds)}` must be two numbers, low and high.")
    low, high = float(bounds[0]), float(bounds[1])
    if not np.all((x >= low) & (x <= high)) or low >= high:
        raise UsageError(f"`bounds={shown(bounds)}` must be low < high, and hold every entry of `at`.")
    return low, high


def _points(points: Any, space: Space, bounds: tuple[float, float] | None) -> list[Any] | None:
    if points is None:
        return None
    if not isinstance(points, Sequence):
        raise UsageError("`points` must be a list of points like `at`.")
    return [_point(index, point, space, bounds) for index, point in enumerate(points)]


def _point(index: int, point: Any, space: Space, bounds: tuple[float, float] | None) -> Any:
    try:
        named = leaves_like(space.at, point)
        shapes = [tuple(np.shape(array)) for array in named.values()]
        if shapes != list(space.shapes.values()):
            raise ValueError(f"has shapes {shapes} where `at` has {list(space.shapes.values())}")
        x = space.flat(dict(zip(space.shapes, named.values(), strict=True)))
    except (ValueError, TypeError) as error:
        said = str(error).replace("returned", "is")
        raise UsageError(f"`points[{index}]` must be built like `at`: it {said}.") from error
    inside = bounds is None or np.all((x >= bounds[0]) & (x <= bounds[1]))
    if not inside or not np.all(np.isfinite(x)):
        raise UsageError(f"`points[{index}]` must hold finite numbers inside `bounds`.")
    return x


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)


def _may_bound(value: Any) -> bool:
    return (
        isinstance(value, int | float | np.number) and not isinstance(value, bool) and not math.isnan(value)
    )
