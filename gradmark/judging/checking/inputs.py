"""What a person gave to a check, looked at once."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.errors import UsageError, shown
from gradmark.judging.checking.as_given import as_given
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
    points: Iterable[Any] | None
    bounds: Sequence[float] | None
    expected_failures: Mapping[str, str] | None
    seconds: float | None


def task_of(
    function: Any, at: Any, side: Callable[[Space, Any, Meter], Side], options: Options, checks: Iterable[str]
) -> Task:
    """The task of a check; raises `UsageError`."""
    check_callable("function", function)
    generator(options.seed, "judge")
    expected = expected_of(options.expected_failures, checks)
    check_positive("digits", options.digits)
    check_positive("seconds", options.seconds)
    space, x = space_of(at)
    if space.size == 0 or not np.all(np.isfinite(x)):
        raise UsageError("`at` must hold at least one number, and only finite ones.")
    bounds = _bounds(options.bounds, x)
    points = _points(options.points, space, bounds)
    meter = Meter(Clock(options.seconds))
    name = getattr(function, "__name__", type(function).__name__)
    given = as_given(options.seed, options.digits, bounds, points)
    made = side(space, x, meter)
    return Task(name, made, space, x, meter, int(options.seed), points, bounds, given, expected)


def expected_of(raw: Mapping[str, str] | None, checks: Iterable[str]) -> dict[str, str]:
    """The expected failures as they were given; raises `UsageError`."""
    if raw is None:
        return {}
    check_expected(raw, checks)
    return dict(raw)


def check_callable(name: str, value: Any) -> None:
    """Raise `UsageError` unless it can be called."""
    if not callable(value):
        raise UsageError(f"`{name}={shown(value)}` must be a function.")


def check_positive(name: str, value: Any) -> None:
    """Raise `UsageError` unless it is None, or a finite number above 0."""
    if value is not None and not (_is_number(value) and value > 0):
        raise UsageError(f"`{name}={shown(value)}` must be a number above 0, or None.")


def _bounds(bounds: Any, x: Any) -> tuple[float, float] | None:
    if bounds is None:
        return None
    pair = bounds.tolist() if isinstance(bounds, np.ndarray) else bounds
    if not isinstance(pair, Sequence) or len(pair) != 2 or not all(map(_may_bound, pair)):
        raise UsageError(
            f"`bounds={shown(bounds)}` must be two numbers, low and high: "
            "-math.inf and math.inf where there is none."
        )
    low, high = float(pair[0]), float(pair[1])
    if not np.all((x >= low) & (x <= high)) or low >= high:
        raise UsageError(f"`bounds={shown(bounds)}` must be low < high, and hold every entry of `at`.")
    return low, high


def _points(points: Any, space: Space, bounds: tuple[float, float] | None) -> list[Any] | None:
    listed = listed_points(points)
    if listed is None:
        return None
    return [_point(index, point, space, bounds) for index, point in enumerate(listed)]


def listed_points(points: Iterable[Any] | None) -> list[Any] | None:
    """The points of a list, an array or a generator; raises `UsageError` where there are none."""
    if points is None:
        return None
    # An array without axes says that it can be iterated over, and cannot.
    flat = hasattr(points, "shape") and len(points.shape) == 0
    if flat or not isinstance(points, Iterable) or isinstance(points, str | bytes | Mapping):
        raise UsageError(f"`points={shown(points)}` must be a list of points like `at`.")
    listed = list(points)
    if not listed:
        raise UsageError("`points` holds no point: give at least one, or None for points that are made up.")
    return listed


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
