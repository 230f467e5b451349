"""Is search noise what it is declared to be? Each test has a p-value that is uniform where it is.

Normal directions have exact laws: sums of squares are chi-square, and the cosine r of two independent normal
vectors of n numbers has r^2 ~ Beta(1/2, (n - 1)/2), whatever the other vector is. Of many such tests the
smallest p-value counts, by Sidak's 1 - (1 - p)^m (JASA 62:626, 1967), exact for independent ones and nearly
so for the pairwise independent cosines. Of other laws sums of n bounded terms are taken as normal, signs told
exactly. What is not of a known law is compared between calls (Student's t).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.judging.watching.noise_nulls import ALIKE, of_cosine, of_means, of_squares, quantile, sidak
from gradmark.judging.watching.sample import Sample
from gradmark.noise_laws import NoiseLaw

_FEWEST_CALLS = 8
"""From so many means over calls Student's t may be used: each is a mean of hundreds of numbers itself."""
_COMPARED = 1280
"""Directions that are compared each with each: a million pairs, in tens of milliseconds."""
_CERTAIN = 1e-6
"""The p-value below which an array is called off without a second thought: it decides only what is said."""
_POWER = 2.33
"""The normal quantile of .99: what a test sees is seen with that probability."""


@dataclass(frozen=True)
class Tested:
    """What a test found. `p_value` is None where the question is exact, and `wrong` is then its answer.

    `value` should be `expected`. `where` names arrays. `detectable` is the relative deviation that would be
    seen at the probability `alpha` the test may spend.
    """

    name: str
    what: str
    value: float
    expected: float
    p_value: float | None = None
    wrong: bool = False
    where: str | None = None
    detectable: Callable[[float], float] | None = None


def tests_for(law: NoiseLaw | None) -> tuple[Callable[[Sample, NoiseLaw | None], Tested | None], ...]:
    """The tests that say something about a law (None: unknown), what explains the others first."""
    if law is None:
        return (members, variance)
    if law.name == "sphere":
        return (members, neighbours, calls, variance, mean)
    if law.signs:
        return (marginal, members, neighbours, calls, correlation, variance, mean)
    return (members, neighbours, calls, correlation, arrays, variance, mean, marginal)


def mean(sample: Sample, law: NoiseLaw | None) -> Tested:
    """n sum over coordinates of (mean e_j)^2 ~ chi-square_P."""
    means = sample.rows.mean(axis=0)
    total = sample.number * float(means @ means)
    from scipy import stats

    worst = int(np.argmax(np.abs(means)))
    p_value = float(stats.chi2.sf(total, sample.size))
    value = float(means[worst])
    return Tested(
        "mean", "the largest mean of a coordinate", value, 0.0, p_value, where=_array(sample, worst)
    )


def variance(sample: Sample, law: NoiseLaw | None) -> Tested | None:
    """Over all numbers together."""
    squares = np.sum(sample.rows**2, axis=1) / sample.size
    value = float(np.mean(squares))
    what = "the variance of its noise over sigma^2"
    if law is None and sample.runs < _FEWEST_CALLS:
        return None
    # Where nothing but rounding tells lengths apart, its size is no measure of chance.
    alike = law is None and float(np.ptp(squares)) <= _rounded(sample)
    if alike or (law is not None and law.fixed_length):
        off, allowed = float(np.max(np.abs(squares - 1))), _rounded(sample)
        return Tested("variance", what, value, 1.0, wrong=off > allowed, detectable=lambda alpha: allowed)
    if law is None:
        p_value, error = of_means(sample.per_call(squares), 1.0)
    else:
        p_value, error = of_squares(sample.rows, law)
    return Tested(
        "variance", what, value, 1.0, p_value, detectable=lambda alpha: error * (quantile(alpha) + _POWER)
    )


def arrays(sample: Sample, law: NoiseLaw | None) -> Tested | None:
    """The variance in each array; None where all are off, which is then said of them together."""
    assert law is not None
    found = {name: of_squares(sample.rows[:, where], law)[0] for name, where in sample.slices.items()}
    if max(found.values()) < _CERTAIN:
        return None
    worst = min(found, key=lambda name: found[name])
    value = float(np.mean(sample.rows[:, sample.slices[worst]] ** 2))
    what = "the variance of the noise of one array over sigma^2"
    return Tested("arrays", what, value, 1.0, sidak(found[worst], len(found)), where=worst)


def correlation(sample: Sample, law: NoiseLaw | None) -> Tested | None:
    """The largest correlation of two coordinates: layers that draw from one seed have 1."""
    assert law is not None
    if sample.size < 2:
        return None
    cosines = _cosines(sample.rows.T)
    pairs = np.triu_indices(sample.size, 1)
    found = np.abs(cosines[pairs])
    worst = int(np.argmax(found))
    value = float(cosines[pairs][worst])
    p_value = sidak(of_cosine(abs(value), sample.number, law), len(found))
    first, second = (_array(sample, int(index[worst])) for index in pairs)
    both = f"{first} and {second}" if first != second else first
    return Tested("correlation", "the correlation of two coordinates", value, 0.0, p_value, where=both)


def marginal(sample: Sample, law: NoiseLaw | None) -> Tested | None:
    """The distribution of all numbers, against that of the law (Kolmogorov and Smirnov)."""
    assert law is not None
    numbers = np.sort(sample.rows, axis=None)
    kurtosis = float(np.mean(numbers**4)) / float(np.mean(numbers**2)) ** 2
    expected = law.fourth(sample.size)
    what = "the kurtosis of its noise"
    if law.signs:
        off = float(np.max(np.abs(np.abs(numbers) - 1)))
        return Tested("law", what, kurtosis, expected, wrong=off > _rounded(sample))
    assert law.cumulative is not None
    from scipy import special

    steps = np.arange(numbers.size + 1) / numbers.size
    at = law.cumulative(numbers)
    distance = float(max(np.max(steps[1:] - at), np.max(at - steps[:-1])))
    root = math.sqrt(numbers.size)
    # Stephens's correction makes the limit law right to three digits from n = 5 on (JRSS B 32:115, 1970).
    p_value = float(special.kolmogorov(distance * (root + 0.12 + 0.11 / root)))
    return Tested("law", what, kurtosis, expected, p_value)


def members(sample: Sample, law: NoiseLaw | None) -> Tested | None:
    """The largest cosine of two directions, of one call or of two."""
    if law is None and not sample.dense:
        return None
    rows = sample.rows[:_COMPARED]
    cosines = np.abs(_cosines(rows))
    np.fill_diagonal(cosines, 0.0)
    worst, other = np.unravel_index(int(np.argmax(cosines)), cosines.shape)
    value = float(cosines[worst, other])
    together = "one call" if sample.calls[worst] == sample.calls[other] else "two calls"
    what = f"the largest cosine of two directions of {together}"
    if law is None:
        return Tested("members", what, value, 0.0, wrong=value > 1 - ALIKE)
    of_any = sidak(of_cosine(value, sample.size, law), math.comb(len(rows), 2))
    return Tested("members", what, value, 0.0, of_any)


def neighbours(sample: Sample, law: NoiseLaw | None) -> Tested:
    """The correlation of each direction with the next of the same call."""
    same = sample.calls[1:] == sample.calls[:-1]
    products = np.sum(sample.rows[1:][same] * sample.rows[:-1][same], axis=1)
    return _correlated("neighbours", "the correlation of neighbours in a call", products, sample.size)


def calls(sample: Sample, law: NoiseLaw | None) -> Tested | None:
    """The correlation of each direction with that in the same place of the next call."""
    counts = np.bincount(sample.calls)
    if sample.runs < 2 or np.any(counts != counts[0]):
        return None
    rows = sample.rows.reshape(sample.runs, counts[0], sample.size)
    products = np.sum(rows[1:] * rows[:-1], axis=2).ravel()
    what = "the correlation of directions of neighbouring seeds"
    return _correlated("calls", what, products, sample.size)


def _correlated(name: str, what: str, products: Any, size: int) -> Tested:
    """Products of independent directions have mean 0 and variance P each: their sum is taken as normal."""
    value = float(np.mean(products)) / size if products.size else 0.0
    root = math.sqrt(max(products.size, 1) * size)
    return Tested(name, what, value, 0.0, math.erfc(abs(value) * root / math.sqrt(2)))


def _rounded(sample: Sample) -> float:
    """How far an exact square may be off: twice the blur of each number, and eight roundings."""
    return 8 * sample.blur + 16 * float(np.finfo(np.float64).eps)


def _cosines(rows: Any) -> Any:
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / np.where(norms > 0, norms, 1.0)
    return unit @ unit.T


def _array(sample: Sample, index: int) -> str:
    return next(name for name, where in sample.slices.items() if where.start <= index < where.stop)
