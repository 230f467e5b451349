"""Impostors of a random method whose queries are seen: does identification convict them here and now?"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from gradmark.judging.hearing import Hearing
from gradmark.judging.watching.identifying import checks, fresh
from gradmark.judging.watching.seeing import Seen, see
from gradmark.judging.watching.watched import Watched, watched
from gradmark.random import generator

_TIMES = 10.0
"""An impostor is wrong by so many times what can be told."""


@dataclass(frozen=True)
class Forgery:
    """An impostor and its fate; `error` is how wrong it is (relative, 2-norm), None for repeated noise."""

    name: str
    error: float | None
    caught: bool
    reason: str


@dataclass(frozen=True)
class _Impostor:
    """A method whose estimates are multiplied by `factor`, and which always has the same `seed` if given."""

    method: Any
    factor: float = 1.0
    seed: int | None = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.method, name)

    def prepare(self, problem: Any, want: Any = "gradient") -> Callable[..., Any]:
        honest = self.method.prepare(problem, want)

        def gradient(parameters: Any, seed: int = 0, **more: Any) -> Any:
            found = honest(parameters, seed if self.seed is None else self.seed, **more)
            return replace(
                found, result={name: array * self.factor for name, array in found.gradient.items()}
            )

        return gradient


def forgeries(hearing: Hearing) -> Iterator[Forgery]:
    """Impostors of the method of a hearing, and whether identification convicts each.

    They are its estimates scaled by 1 + 10 times what can be told of the scale, negated, zero, and with the
    same noise in every call. Raises `Hidden` where queries cannot be seen, so that identification convicts
    nobody. The scaled one is left out where no scale can be told (no sigma, or weights that mix directions).
    """
    seed = int(generator(hearing.seed, "judge", 3).integers(2**30))
    watching = watched(hearing)
    seen = see(watching, seed)
    if seen.sigma is not None and seen.weights.linear and seen.weights.known_baseline:
        by = _TIMES * seen.weights.scale_error(seen.sigma)
        yield _tried("scaled", by, watching, seed, factor=1 + by)
        yield _tried("negated", 2.0, watching, seed, factor=-1.0)
        yield _tried("zero", 1.0, watching, seed, factor=0.0)
    yield _tried("the same noise every call", None, watching, seed, frozen=seed)


def _tried(
    name: str,
    error: float | None,
    watching: Watched,
    seed: int,
    factor: float = 1.0,
    frozen: int | None = None,
) -> Forgery:
    impostor: Any = _Impostor(watching.hearing.method, factor, frozen)
    forged = replace(watching, hearing=replace(watching.hearing, method=impostor))
    reason = _conviction(see(forged, seed), forged, seed)
    return Forgery(name, error, reason is not None, reason or "identification lets it pass.")


def _conviction(seen: Seen, forged: Watched, seed: int) -> str | None:
    findings = [*checks(seen, "identification"), fresh(seen, see(forged, seed + 1), "identification")]
    return next((found.reason for found in findings if found.status == "failed"), None)
