"""The comparisons of the study of parallel: how exact, how fast, and what batch normalisation does.

Memory is not asked for: it lies with the workers, which are processes of their own.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from gradmark.run.plan import Comparison, MethodCall
from gradmark.run.records import Group

_SMALL = {"widths": (64, 256, 256, 10), "batch": 1021}
"""A prime number of rows, which no number of workers divides; a call takes few milliseconds."""
_LARGE = {"widths": (64, 384, 384, 10), "batch": 1021}
_NETWORKS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("transformer", {"batch": 7}),
    ("convnet", {"batch": 31}),
)
_NORMALISED = {"depth": 8, "width": 32, "batch": 256}


def quick() -> list[Comparison]:
    """Under a minute: starting workers takes most of it."""
    counts = (2, 3, 4)
    return [
        _comparison("mlp", _SMALL, [*_shards(counts), *_pipelines(counts)], ("time", "error"), budget=5.0),
        *_exact((2, 3)),
        *_normalised((2, 4, 8), without=(2, 4)),
    ]


def full() -> list[Comparison]:
    """Some minutes: more workers, a larger network, both dtypes, and how many micro-batches one wants."""
    counts = (2, 3, 4)
    usual = [*_shards(counts), *_pipelines(counts)]
    return [
        _comparison("mlp", _SMALL, usual, ("time", "error"), budget=10.0),
        _comparison("mlp", _LARGE, [*usual, *_micro_batches()], ("time",), budget=30.0),
        _comparison("mlp", _LARGE, usual, ("time",), dtype="float32", budget=10.0),
        *_exact(counts),
        *_normalised((2, 4, 8, 16), without=(2, 4, 8, 16)),
    ]


def _exact(counts: Iterable[int]) -> list[Comparison]:
    """Errors on small networks of other layers, by batches that do not divide, with weights and without."""
    calls = [*_shards(counts), *_pipelines(counts), *_shards(counts, weighted=False)]
    return [_comparison(name, sizes, calls, ("error",)) for name, sizes in _NETWORKS]


def _normalised(counts: Iterable[int], without: Iterable[int]) -> list[Comparison]:
    """Errors where each worker normalises by its own rows, and `without` normalisation in that network."""
    local = _shards(counts, local_statistics=True)
    return [
        _comparison("deep_mlp", {**_NORMALISED, "normalisation": "batch"}, local, ("error",)),
        _comparison("deep_mlp", {**_NORMALISED, "normalisation": "none"}, _shards(without), ("error",)),
    ]


def _micro_batches() -> list[MethodCall]:
    """Two stages by the number of micro-batches, without the eight that `_pipelines` has."""
    return [_pipeline(2, count, schedule) for count in (1, 2, 4, 16, 32) for schedule in ("gpipe", "1f1b")]


def _comparison(
    problem: str,
    sizes: Mapping[str, Any],
    calls: Iterable[MethodCall],
    quantities: tuple[Group, ...],
    **more: Any,
) -> Comparison:
    """`calls` beside `backprop`, with the time that starting many workers takes on a busy machine."""
    methods = (MethodCall("backprop"), *calls)
    return Comparison("parallel", problem, sizes, methods, quantities, time_limit=180, **more)


def _shards(counts: Iterable[int], **more: Any) -> list[MethodCall]:
    return [MethodCall("data_parallel_backprop", {"workers": count, **more}) for count in counts]


def _pipelines(counts: Iterable[int]) -> list[MethodCall]:
    """Four micro-batches for each stage."""
    return [_pipeline(count, 4 * count, schedule) for count in counts for schedule in ("gpipe", "1f1b")]


def _pipeline(stages: int, micro_batches: int, schedule: str) -> MethodCall:
    more = {"stages": stages, "micro_batches": micro_batches, "schedule": schedule}
    return MethodCall("pipeline_backprop", more)
