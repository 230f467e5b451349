"""Laws of search noise that have a closed form: their moments, their distribution, and samples of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np


@dataclass(frozen=True)
class NoiseLaw:
    """The law of a direction e with mean zero and E[e e^T] = I, symmetric in every coordinate.

    In P dimensions `fourth(P)` is E e_i^4 and `mixed(P)` is E e_i^2 e_j^2 for i != j.
    `rows(random, number, P)` are samples, shape (number, P); the first of them do not depend on their number.
    `fixed_length` says whether |e|^2 = P always;
    `cumulative`, the distribution function of one coordinate, is None where that has jumps or depends on P.
    """

    name: str
    fourth: Callable[[int], float]
    mixed: Callable[[int], float]
    rows: Callable[[np.random.Generator, int, int], Any]
    fixed_length: bool = False
    cumulative: Callable[[Any], Any] | None = None

    @property
    def signs(self) -> bool:
        """Whether every number is +1 or -1: E e^4 = (E e^2)^2 = 1 allows no other."""
        return self.fourth(1) == 1 and self.fixed_length and self.mixed(2) == 1


def noise_law(name: str | None) -> NoiseLaw | None:
    """The law that a `gradmark.claims.Target` names, or None for a law that is not known here.

    Known are gaussian (or normal), rademacher (or sign, signs), uniform, and sphere (of radius sqrt(P)).

    >>> law = noise_law("rademacher")
    >>> law.fourth(10), noise_law("rank-1 gaussian")
    (1.0, None)
    """
    return _LAWS.get(_OTHER_NAMES.get(name or "", name or ""))


def _normal_cumulative(e: Any) -> Any:
    from scipy import special

    return special.ndtr(e)


def _signs(random: np.random.Generator, number: int, size: int) -> Any:
    """A sign for each bit, a row of them in whole bytes: so the first rows do not depend on their number."""
    # np.take, because indexing an array by an array takes three times as long.
    return np.take(_SIGNS, _octets(random, number, size), axis=0).reshape(number, -1)[:, :size]


def write_signs(random: np.random.Generator, skipped: int, scale: float, out: Any) -> None:
    """The rows behind the first `skipped` of such signs times `scale`, in the dtype of `out` and without
    float64 on the way: a tenth of the time. `out` (number, size) has rows side by side, of whole bytes.

    `random` draws 64 bits at a time (SFC64, PCG64, Philox), whose bytes are those that `_octets` takes.
    """
    number, width = len(out), out.shape[1] // 8
    start, stop = skipped * width, (skipped + number) * width
    raw = random.bit_generator.random_raw(-(-stop // 8)).astype("<u8", copy=False)
    octets = raw.view(np.uint8)[start:stop].reshape(number, width)
    # A mode other than the default writes into `out` without a buffer between.
    table = _scaled_signs(scale, out.dtype)
    np.take(table, octets, axis=0, out=out.reshape(number, width, 8), mode="clip")


@lru_cache(maxsize=8)
def _scaled_signs(scale: float, dtype: Any) -> Any:
    return (scale * _SIGNS).astype(dtype)


def _octets(random: np.random.Generator, number: int, size: int) -> Any:
    return random.integers(0, 256, (number, -(-size // 8)), np.uint8)


_SIGNS = 2.0 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1) - 1.0
"""The eight signs of each byte."""


def _sphere(random: np.random.Generator, number: int, size: int) -> Any:
    e = random.standard_normal((number, size))
    return math.sqrt(size) * e / np.linalg.norm(e, axis=1, keepdims=True)


_LAWS = {
    law.name: law
    for law in (
        NoiseLaw(
            "gaussian",
            lambda size: 3.0,
            lambda size: 1.0,
            lambda random, number, size: random.standard_normal((number, size)),
            cumulative=_normal_cumulative,
        ),
        NoiseLaw("rademacher", lambda size: 1.0, lambda size: 1.0, _signs, fixed_length=True),
        NoiseLaw(
            "uniform",
            lambda size: 9 / 5,
            lambda size: 1.0,
            lambda random, number, size: random.uniform(-math.sqrt(3), math.sqrt(3), (number, size)),
            cumulative=lambda e: np.clip((e / math.sqrt(3) + 1) / 2, 0, 1),
        ),
        NoiseLaw(
            "sphere",
            lambda size: 3 * size / (size + 2),
            lambda size: size / (size + 2),
            _sphere,
            fixed_length=True,
        ),
    )
}
_OTHER_NAMES = {"normal": "gaussian", "sign": "rademacher", "signs": "rademacher"}
