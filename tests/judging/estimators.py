"""Evolution strategies for the judge: right ones of several kinds, and faults that are met in public code."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.claims import Claims, Growth, Target, Unbiased
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, unsupported
from gradmark.noise_laws import noise_law
from gradmark.parameters import Parameters, ravel
from gradmark.problem import Problem
from gradmark.random import generator
from gradmark.work import Work, counting

NOISE_FACTORS = {"uniform of variance 1.03": 1.03**0.5, "moves of half the size": 0.5}


@dataclass(frozen=True)
class Strategy:
    """Mirrored, or one-sided about the "mean" loss or that at the "point", on NumPy, with a `fault`."""

    pairs: int = 32
    sigma: float = 0.01
    kind: str = "mirrored"
    law: str = "gaussian"
    fault: str = ""
    claimed_law: str | None = None
    claimed_kind: str = "smoothed gradient"

    @property
    def claims(self) -> Claims:
        """Those of a right strategy, whatever the fault."""
        kind: Any = self.claimed_kind
        return Claims(
            family="evolution",
            exactness=Unbiased("pairs", lambda size: size + 1.0),
            reads=frozenset({"loss"}),
            growth=Growth(),
            work=lambda problem: Work(forward=self._evaluations),
            target=Target(kind, self.claimed_law or self.law, self.sigma),
            backends=frozenset({"numpy"}),
        )

    @property
    def _evaluations(self) -> int:
        return 2 * self.pairs + (self.kind == "point")

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem on NumPy."""
        return unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """A function that moves one member after the other, as most people write it."""

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            x, unravel = ravel(parameters)
            with counting() as work:
                vector = estimate(
                    self, lambda at: float(problem.loss(unravel(at), draw)), x, parameters, seed
                )
            found = {name: np.array(array) for name, array in unravel(vector.astype(x.dtype)).items()}
            if self.fault == "one bias twice":
                found["first.bias"] = 2 * found["first.bias"]
            if self.fault == "transposed":
                found["second.weight"] = found["second.weight"].T.copy().reshape(found["second.weight"].shape)
            return Estimate(found, None, work.total())

        return gradient


def estimate(es: Strategy, loss: Any, x: Any, parameters: Parameters, seed: int) -> Any:
    e = directions(es, parameters, seed, es.pairs if es.kind == "mirrored" else 2 * es.pairs)
    moved, back = moves(es, x, e), 1 / es.sigma
    if es.kind == "mirrored":
        pairs = [(loss(plus), loss(minus)) for plus, minus in moved]
        weights = weights_of_pairs(es, np.array(pairs))
    else:
        f = np.array([loss(plus) for plus, _ in moved])
        weights = weights_one_sided(es, f, loss(x) if es.kind == "point" else f.mean())
    weights = weights * back
    if es.fault == "replay of other noise":
        e = directions(es, parameters, seed + 1, len(e))
    factor = {"1 % too large": 1.01, "3 % too small": 0.97, "wrong sign": -1.0, "1/sigma is lost": es.sigma,
              "sum for mean": float(len(e))}.get(es.fault, 1.0)  # fmt: skip
    return factor * (weights @ e)


def weights_of_pairs(es: Strategy, f: Any) -> Any:
    if es.fault == "centred ranks":
        ranks = np.argsort(np.argsort(f, axis=None)).reshape(f.shape) / (f.size - 1) - 0.5
        return (ranks[:, 0] - ranks[:, 1]) / (2 * len(f))
    if es.fault == "normalised losses":
        f = (f - f.mean()) / f.std()
    return (f[:, 0] - f[:, 1]) / (2 * len(f))


def weights_one_sided(es: Strategy, f: Any, baseline: float) -> Any:
    count = len(f) if es.kind == "point" or es.fault == "baseline without N/(N-1)" else len(f) - 1
    return (f - baseline) / count


def directions(es: Strategy, parameters: Parameters, seed: int, number: int) -> Any:
    seed = {"same noise every call": 0, "neighbouring seeds collide": seed // 2}.get(es.fault, seed)
    law = noise_law("uniform" if es.fault.startswith("uniform") else es.law)
    assert law is not None
    size = sum(array.size for array in parameters.values())
    e = law.rows(generator(seed, "noise"), number, size) * NOISE_FACTORS.get(es.fault, 1.0)
    if es.fault == "layers share a seed":
        blocks = [
            law.rows(generator(seed, "noise"), number * array.size, 1).reshape(array.size, number).T
            for array in parameters.values()
        ]
        return np.concatenate(blocks, axis=1)
    if es.fault == "directions twice":
        e[number // 2 :] = e[: number // 2]
    if es.fault == "members are correlated":
        e[1:] = 0.6 * e[:-1] + 0.8 * e[1:]
    if es.fault == "one array moves less":
        e[:, : next(iter(parameters.values())).size] *= 0.9
    return e


def moves(es: Strategy, x: Any, e: Any) -> list[tuple[Any, Any]]:
    if es.fault == "moves in float16":
        at, found = x.astype(np.float16), []
        for row in e:
            step = (es.sigma * row).astype(np.float16)
            plus = at + step
            minus = plus - np.float16(2) * step
            at = minus + step
            found.append((plus.astype(x.dtype), minus.astype(x.dtype)))
        return found
    short = 0.9 if es.fault == "mirrored not quite" else 1.0
    return [(x + es.sigma * row, x - short * es.sigma * row) for row in e]
