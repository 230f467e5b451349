"""Ways to one random estimate of a network's gradient, interleaved: times, cosines, errors and memory."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from benchmarks.speed.by_hand import inference, looped, pieces, replayed, vmapped
from gradmark.measuring import time as timing
from gradmark.measuring.interval import Interval
from gradmark.measuring.time import Timing

WIDTHS = {"1e5": (64, 284, 284, 1), "1e6": (128, 936, 936, 1)}
EVALUATIONS = {"1e5": 256, "1e6": 64}
SECONDS = {"1e5": 60.0, "1e6": 75.0}
ROWS, SIGMA = 32, 0.005
"""The laws of cosines are those of small moves: with 0.02, low rank loses a third to curvature at P = 1e6."""
BACKENDS = ("numpy", "torch", "jax")
BLACK_BOX = ("low_rank_es", "gaussian_es", "spsa", "mezo")
STRUCTURED = ("node_perturbation", "hadamard_node_es")
_SEEDS, _SECONDS = 8, 1.0
"""At most so many estimates for a cosine, and about so many seconds."""

Estimator = Callable[[int], Mapping[str, Any]]


@dataclass(frozen=True)
class Way:
    """One way to an estimate: its `name` and `backend`, and from the problem to a function of the seed."""

    name: str
    backend: str
    make: Callable[[Any], Estimator]
    evaluations: int
    law: float = math.nan
    """The cosine that follows from its variance."""


@dataclass(frozen=True)
class Found:
    """What was measured of one way."""

    way: Way
    timing: Timing
    cosine: Interval
    error: float
    bytes: float


@cache
def network(label: str, backend: str, rows: int = ROWS, dtype: str = "float32") -> Any:
    """The network of about `label` parameters, with the same numbers on every backend."""
    import gradmark

    return gradmark.get_problem(
        "mlp", widths=WIDTHS[label], data="synthetic", loss="mse", batch=rows, backend=backend, dtype=dtype
    )


def measured(label: str) -> tuple[dict[str, Found], dict[str, Timing]]:
    """All ways, and plain inference on each backend, timed in one interleaved run."""
    from gradmark.measuring.threads import pinned

    each = ways(label)
    estimators = {way.name: way.make(network(label, way.backend)) for way in each}
    calls: dict[str, Callable[[], Any]] = {name: partial(call, 0) for name, call in estimators.items()}
    plain = inferences(label)
    with pinned(1):
        turned = {way.name: _turn(estimators[way.name], label) for way in each}
        held = {way.name: _peak(way, label, estimators[way.name]) for way in each}
        times = timing.interleaved(calls | plain, synchronize=lambda: None, budget=SECONDS[label])
    found = {way.name: Found(way, times[way.name], *turned[way.name], held[way.name]) for way in each}
    return found, {name: times[name] for name in plain}


def ways(label: str) -> list[Way]:
    """What is registered and installed here."""
    pairs = EVALUATIONS[label] // 2
    by_hand = {"torch.func.vmap": vmapped, "torch loop": looped, "MeZO's loop": replayed}
    found = [_by_method(label, f"{name} {on}", pairs) for name in BLACK_BOX for on in ("numpy", "torch")]
    found += [_by_method(label, f"{name} numpy", pairs) for name in STRUCTURED[:1]]
    if label == "1e5":  # with more nodes its evaluations are thousands
        found += [_by_method(label, f"{STRUCTURED[1]} numpy", None)]
    found += [_by_method(label, name, pairs) for name in ("evosax_open_es jax", "evotorch_pgpe torch")]
    made = [way for way in found if way is not None]
    law = math.sqrt(pairs / (pairs + _size(label) + 1))
    return made + [
        Way(name, "torch", partial(make, pairs=pairs, sigma=SIGMA), 2 * pairs, law)
        for name, make in by_hand.items()
    ]


def _by_method(label: str, name: str, pairs: int | None) -> Way | None:
    """A registered method, with the cosine of its law; None where it is not there or not supported."""
    import gradmark
    from gradmark.arrays import installed
    from gradmark.claims import Unbiased

    registered, backend = name.split()
    if registered not in gradmark.list_methods() or not installed(backend):
        return None
    problem = network(label, backend)
    method = gradmark.get_method(registered, **({"pairs": pairs, "sigma": SIGMA} if pairs else {}))
    if method.supports(problem) is not None:
        return None
    claimed, law = method.claims.exactness, math.nan
    if isinstance(claimed, Unbiased) and pairs:
        law = math.sqrt(pairs / (pairs + claimed.factor(network(label, "numpy"), exact(label))))

    def make(problem: Any) -> Estimator:
        estimate = method.prepare(problem)
        return lambda seed: estimate(problem.parameters, seed).gradient

    assert method.claims.work is not None
    return Way(name, backend, make, round(method.claims.work(problem).evaluations), law)


def inferences(label: str) -> dict[str, Callable[[], object]]:
    """A forward pass over the rows of all members, on each backend together and in pieces."""
    from gradmark.arrays import installed

    return {
        f"inference {backend}{words}": make(network(label, backend, ROWS * EVALUATIONS[label]))
        for backend in BACKENDS
        if installed(backend)
        for words, make in (("", inference), (" in pieces", pieces))
    }


@cache
def exact(label: str) -> dict[str, Any]:
    """The gradient in float64, at the numbers as rounded to float32."""
    import gradmark

    problem = network(label, "numpy").to(dtype="float64")
    return dict(gradmark.get_method("backprop").prepare(problem)(problem.parameters).gradient)


def _turn(call: Estimator, label: str) -> tuple[Interval, float]:
    """The mean cosine with the exact gradient over a few seeds, and the relative error of the first estimate.

    The first call compiles.
    """
    true = _vector(exact(label))
    off = float(np.linalg.norm(_vector(call(0)) - true) / np.linalg.norm(true))
    cosines: list[float] = []
    begun = time.perf_counter()
    while len(cosines) < _SEEDS and (not cosines or time.perf_counter() - begun < _SECONDS):
        found = _vector(call(1 + len(cosines)))
        cosines.append(float(found @ true / np.linalg.norm(found) / np.linalg.norm(true)))
    mean, width = float(np.mean(cosines)), math.inf
    if len(cosines) > 1:
        width = 1.96 * float(np.std(cosines, ddof=1)) / math.sqrt(len(cosines))
    return Interval(mean, mean - width, mean + width), off


def _peak(way: Way, label: str, ready: Estimator) -> float:
    """The most bytes at any moment; what `make` allocates counts, but on JAX, where it is the compiler's."""
    from gradmark.measuring.memory import peak_bytes

    problem = network(label, way.backend)
    made = way.make if way.backend != "jax" else lambda problem: ready
    return peak_bytes(lambda: partial(made(problem), 0), problem.arrays).bytes


def _vector(gradient: Mapping[str, Any]) -> Any:
    from gradmark.arrays import to_numpy

    return np.concatenate([np.ravel(to_numpy(gradient[name])).astype(float) for name in sorted(gradient)])


def _size(label: str) -> int:
    from gradmark.parameters import size

    return size(network(label, "numpy").parameters)
