"""The plans that `gradmark run --profile` knows: what a report needs, at two prices.

`quick` takes some minutes on two cores, `full` an evening. Methods come from the registry by their claims, so
one that somebody else registers is measured too. What will not fit into a comparison's time is planned all
the same: it is recorded as skipped, with the time it would have taken.
"""

import warnings
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any

from gradmark.arrays import installed
from gradmark.claims import Claims, Truncated, Unbiased
from gradmark.registry import get_method, list_methods, load
from gradmark.run.declared import defaults
from gradmark.run.plan import Comparison, MethodCall
from gradmark.run.records import Group
from problems.mlp import widths_for
from problems.studies import plans
from problems.variants import common, without_variants

Choice = Callable[[Claims], bool]

_SMALL = (1_000, 3_000, 10_000, 30_000, 100_000)
_LARGE = (300_000, 1_000_000)
_FUNCTIONS = ("quadratic", "rosenbrock", "log_sum_exp")
_FUNCTION_SIZES = (100, 500, 2_000, 5_000)
_STEPS = (*(float(f"{digit}e{exponent}") for exponent in range(-12, -1) for digit in (1, 3)), 0.1)
_SAMPLES = tuple(2**power for power in range(2, 12))
_DEPTHS = (2, 6, 16, 32)
_BATCH = 32


def quick() -> list[Comparison]:
    """A few minutes: every study, and every method at the sizes that fit."""
    no_error: tuple[Group, ...] = ("time", "memory", "work")
    plan = [
        *_cost("numpy", "float64", _SMALL[:3], _any, repetitions=8, time_limit=10),
        *_cost("numpy", "float64", _SMALL[3:4], _any, repetitions=8, time_limit=30),
        *_cost("numpy", "float64", _SMALL[4:], _any, repetitions=8, time_limit=90),
        *_cost("numpy", "float64", (300_000,), _is_reverse, quantities=no_error, time_limit=20),
        *_cost("numpy", "float64", (1_000_000,), _is_reverse, time_limit=30),
        *_cost("numpy", "float32", (1_000, 10_000), _any, repetitions=8, time_limit=8),
        *_cost("numpy", "float32", (100_000, 1_000_000), _is_reverse, quantities=no_error, time_limit=20),
        *_cost("torch", "float64", _SMALL[:4], _needs_torch, time_limit=20),
        *_cost("torch", "float64", _SMALL[4:], _needs_torch, time_limit=10),
        *_cost("torch", "float64", _LARGE, _is_reverse, quantities=no_error, time_limit=20),
        *_cost("torch", "float32", (10_000,), _is_reverse, time_limit=20),
        *_cost("torch", "float32", (1_000_000,), _is_reverse, quantities=no_error, time_limit=20),
        *_cost("jax", "float64", (1_000, 10_000), _needs_jax, time_limit=20),
        *_cost("jax", "float64", (100_000,), _is_reverse, time_limit=20),
        *_cost("jax", "float64", (1_000_000,), _is_reverse, quantities=no_error, time_limit=20),
        *_functions("numpy", _any, _FUNCTION_SIZES, repetitions=4, time_limit=10),
        *_functions("torch", _reads_graph, (100, 2_000), repetitions=4, time_limit=10),
        *_steps(time_limit=20),
        *_samples(1_000, repetitions=16, time_limit=30),
        *_depth("torch", time_limit=10),
    ]
    once = _network(10_000, batch=_BATCH)
    return [*(without_variants(each, but_at=once) for each in plan), *plans.every("quick")]


def full() -> list[Comparison]:
    """An evening: more sizes, all methods on every backend, larger batches, more seeds."""
    plan, sizes = [], (*_SMALL, *_LARGE)
    for backend in ("numpy", "torch", "jax"):
        for dtype in ("float64", "float32"):
            for batch in (32, 256):
                plan += _cost(backend, dtype, sizes, _any, time_limit=600, repetitions=32, batch=batch)
            plan += _functions(backend, _any, _FUNCTION_SIZES, dtype=dtype, time_limit=120, repetitions=32)
        plan += _depth(backend, time_limit=300)
    for seed in range(3):
        plan += _steps(seed=seed, time_limit=120)
        for size in (1_000, 10_000):
            plan += _samples(size, repetitions=64, time_limit=600, seed=seed)
    return plan + plans.every("full")


def _cost(
    backend: str, dtype: str, sizes: Iterable[int], choice: Choice, batch: int = _BATCH, **more: Any
) -> list[Comparison]:
    """What a gradient costs and how wrong it is, by the number of parameters of a network on real data."""
    if not installed(backend):  # one size is enough to say so
        sizes = tuple(sizes)[:1]
    place = {"backend": backend, "dtype": dtype, **more}
    return [
        Comparison("cost", "mlp", _network(size, batch=batch), _methods(backend, choice), **place)
        for size in sizes
    ]


def _functions(backend: str, choice: Choice, sizes: Iterable[int], **more: Any) -> list[Comparison]:
    """The same on test functions, whose gradients are known in closed form."""
    if not installed(backend):
        return []
    methods = _methods(backend, choice)
    return [
        Comparison("functions", name, {"size": size}, methods, backend=backend, **more)
        for name in _FUNCTIONS
        for size in sizes
    ]


def _steps(**more: Any) -> list[Comparison]:
    """Error against step size, for every method with a truncation error that a step controls."""
    calls = tuple(
        MethodCall(name, {claims.exactness.parameter: step})
        for name, claims in _registered().items()
        if isinstance(claims.exactness, Truncated) and "numpy" in claims.backends
        for step in _STEPS
    )
    return [
        Comparison("steps", "mlp", _network(1_000), calls, ("error",), dtype=dtype, **more)
        for dtype in ("float64", "float32")
    ]


def _samples(size: int, **more: Any) -> list[Comparison]:
    """Error and cosine against the number of samples, for every method that averages random ones."""
    calls = tuple(
        MethodCall(name, {claims.exactness.samples: samples})
        for name, claims in _registered().items()
        if isinstance(claims.exactness, Unbiased) and "numpy" in claims.backends
        # A method around another one has the samples of that one.
        if claims.exactness.samples in defaults(load("method", name))
        for samples in _SAMPLES
    )
    return [Comparison("samples", "mlp", _network(size), calls, ("error", "work"), **more)]


def _depth(backend: str, **more: Any) -> list[Comparison]:
    """Memory and time against depth: all of reverse mode, and one method of each other family."""
    if not installed(backend):
        return []
    methods = _methods(backend, _is_reverse)
    for family in ("forward", "finite-difference", "evolution"):
        methods += common(_methods(backend, partial(_is_of, family)))[:1]
    place = {"backend": backend, "dtype": "float32", **more}
    return [
        Comparison(
            "depth",
            "mlp",
            {"widths": (64, *[128] * (depth - 1), 10), "batch": 256},
            methods,
            ("time", "memory", "work"),
            **place,
        )
        for depth in _DEPTHS
    ]


def _network(size: int, **more: int) -> dict[str, Any]:
    return {"widths": widths_for(size), **more}


def _methods(backend: str, choice: Choice) -> tuple[MethodCall, ...]:
    """The registered methods that run on `backend` and are chosen; those with the fewest passes first."""
    known = _registered()
    chosen = [name for name, claims in known.items() if backend in claims.backends and choice(claims)]
    return tuple(MethodCall(name) for name in sorted(chosen, key=lambda name: known[name].growth.passes))


@cache
def _registered() -> dict[str, Claims]:
    """The claims of all methods that compute a gradient."""
    found: dict[str, Claims] = {}
    for name in list_methods():
        try:
            claims = get_method(name).claims
        except Exception as error:
            warnings.warn(f"the method `{name}` is left out, it cannot be loaded: {error}", stacklevel=2)
        else:
            found |= {name: claims} if "gradient" in claims.wants else {}
    return found


def _any(claims: Claims) -> bool:
    return True


def _is_of(family: str, claims: Claims) -> bool:
    return claims.family == family


_is_reverse = partial(_is_of, "reverse")


def _reads_graph(claims: Claims) -> bool:
    return "torch graph" in claims.reads


def _needs_jax(claims: Claims) -> bool:
    return claims.family == "reverse" or claims.backends == {"jax"}


def _needs_torch(claims: Claims) -> bool:
    """Reverse mode, and what runs nowhere but on torch: the others are measured on NumPy."""
    return claims.family == "reverse" or claims.backends == {"torch"}
