"""One watched call: the queries, and the weights that they show."""

import math
from dataclasses import dataclass
from typing import Any

from gradmark.judging.hearing import Hearing
from gradmark.judging.verdict import Finding, Status
from gradmark.judging.watching.watched import Queries, Watched
from gradmark.judging.watching.weights import Weights, weights_of


@dataclass(frozen=True)
class Seen:
    """A watched call with `seed`: its queries and the weights they show; `sigma`, None where not declared."""

    watched: Watched
    seed: int
    queries: Queries
    weights: Weights
    sigma: float | None

    def finding(self, check: str, status: Status, reason: str, **more: Any) -> Finding:
        """A finding of this call."""
        hearing = self.watched.hearing
        return Finding(check, status, reason, where=hearing.where, dtype=hearing.dtype, **more)


def see(watching: Watched, seed: int) -> Seen:
    """Call a watched method and recover its weights. Raises `Hidden` and `MethodError`."""
    queries = watching.call(seed, watching.lowered())
    sigma = sigma_of(watching.hearing, watching.slopes)
    return Seen(watching, seed, queries, weights_of(queries), sigma)


def sigma_of(hearing: Hearing, slopes: bool) -> float | None:
    """The standard deviation of each move that the method declares; tangents have 1. None: not declared."""
    if slopes:
        return 1.0
    declared: Any = hearing.method.claims.target.sigma or getattr(hearing.method, "sigma", None)
    number = isinstance(declared, int | float) and not isinstance(declared, bool)
    return float(declared) if number and math.isfinite(declared) and declared > 0 else None
