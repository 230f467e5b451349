"""Faults of stochastic estimators, most of them from public repositories: a piece of `Strategy` exchanged.

The size of a fault is that of the error of the mean, relative to the target; NaN where the mean is right and
something else is not: the noise law, the independence of calls, the declared variance.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from reports.scorecard.battery.case import Case, MethodQuestion, Value, wrong
from reports.scorecard.battery.strategy import PAIRS, SIGMA, Strategy, less_mean, method, normal, signs

_N = 2 * PAIRS


def cases() -> Iterator[Case]:
    """Mirrored strategies, then one-sided ones."""
    for name, (what, strategy, fault) in _MIRRORED.items():
        yield wrong(f"estimator:{name}", what, _asked(strategy, fault))
    for name, (what, strategy, fault) in _ONE_SIDED.items():
        yield wrong(f"estimator:{name}", what, _asked(strategy, fault, one_sided=True))


def _asked(strategy: Strategy, fault: float, *, one_sided: bool = False) -> Callable[[], MethodQuestion]:
    share = PAIRS / (_N - 1) if one_sided else 1.0

    def factor(size: int) -> float:
        return (size + 1) * share

    return lambda: MethodQuestion(method(strategy, one_sided=one_sided, factor=factor), fault)


def _times(factor: float) -> Strategy:
    return Strategy(scale=lambda pairs: factor / (2 * pairs * SIGMA))


def _shared(random: Any, index: int, parameters: Value) -> Value:
    """Every array from a generator of the same seed."""
    seed = int(random.integers(2**32))
    return {
        name: np.random.default_rng(seed).standard_normal(array.shape) for name, array in parameters.items()
    }


def _uniform(random: Any, index: int, parameters: Value) -> Value:
    """Uniform numbers whose variance is 1.03."""
    half = np.sqrt(3 * 1.03)
    return {name: random.uniform(-half, half, array.shape) for name, array in parameters.items()}


def _duplicated(random: Any, index: int, parameters: Value) -> Value:
    """Each move comes twice: the generator is wound back before every second one."""
    if index % 2:
        random.bit_generator.state = random.before
    random.before = random.bit_generator.state
    return normal(random, index, parameters)


class _Rewound(np.random.Generator):
    """A generator that can keep the state it had before a draw."""

    before: Any = None


def _low_rank(random: Any, index: int, parameters: Value) -> Value:
    """Matrices of rank 4 as A B^T, the 1/sqrt 4 forgotten."""

    def drawn(shape: tuple[int, ...]) -> Any:
        if len(shape) != 2:
            return random.standard_normal(shape)
        return random.standard_normal((shape[0], 4)) @ random.standard_normal((4, shape[1]))

    return {name: drawn(array.shape) for name, array in parameters.items()}


def _other_noise(moves: Value) -> Value:
    """The update draws its noise anew, from another seed."""
    random = np.random.default_rng(99)
    return {name: random.standard_normal(array.shape) for name, array in moves.items()}


def _transposed(moves: Value) -> Value:
    """Every move of a matrix transposed and read in the old shape."""

    def turned(array: Any) -> Any:
        return np.swapaxes(array, 1, 2).reshape(array.shape) if array.ndim == 3 else array

    return {name: turned(array) for name, array in moves.items()}


def _bias_doubled(g: Value) -> Value:
    last = list(g)[-1]
    return {**g, last: 2 * g[last]}


def _half_back(x: Value, plus: Value) -> Value:
    """theta is restored from where it was perturbed to, in float16."""
    return {n: (plus[n].astype("float16") + (x[n] - plus[n]).astype("float16")).astype(x[n].dtype) for n in x}


def _ranks(values: Any) -> Any:
    """Centred ranks, in [-1/2, 1/2]."""
    return values.argsort().argsort() / (len(values) - 1) - 0.5


def _best_half(values: Any) -> Any:
    """The better half of the pairs only."""
    return np.where(np.abs(values) >= np.median(np.abs(values)), 2 * values, 0.0)


_MIRRORED: dict[str, tuple[str, Strategy, float]] = {
    "scale-1.01": ("one percent too large", _times(1.01), 0.01),
    "scale-0.97": ("three percent too small", _times(0.97), 0.03),
    "no-sigma": ("1/sigma missing", _times(SIGMA), 1 - SIGMA),
    "sigma-squared": ("sigma^2 times the gradient", _times(SIGMA**2), 1 - SIGMA**2),
    "over-sigma-twice": ("divided by sigma twice", _times(1 / SIGMA), 1 / SIGMA - 1),
    "sum": ("the sum in place of the mean", _times(PAIRS), PAIRS - 1),
    "root-n": ("sigma^2 sqrt N times the gradient", _times(SIGMA**2 * _N**0.5), 1 - SIGMA**2 * _N**0.5),
    "half-forgotten": ("the 1/2 of the pairs forgotten", _times(2.0), 1.0),
    "sign": ("the sign", _times(-1.0), 2.0),
    "same-noise": (
        "the same noise at every call",
        Strategy(start=lambda seed: np.random.default_rng(3)),
        np.nan,
    ),
    "few-seeds": (
        "seeds that collide: the last two bits count",
        Strategy(start=lambda seed: np.random.default_rng(seed % 4)),
        np.nan,
    ),
    "layers-seeded-alike": ("every array seeded alike", Strategy(move=_shared), np.nan),
    "uniform": ("uniform noise of variance 1.03 for normal", Strategy(move=_uniform), 0.03),
    "signs-for-normal": ("signs declared as normal noise", Strategy(move=signs), np.nan),
    "duplicated": (
        "each pair drawn twice",
        Strategy(start=lambda seed: _Rewound(np.random.PCG64(seed)), move=_duplicated),
        np.nan,
    ),
    "rank-4": ("rank-4 noise without 1/sqrt 4", Strategy(move=_low_rank), 3.0),
    "replay": ("the update draws other noise", Strategy(used=_other_noise), 1.0),
    "transposed": ("the update's matrices transposed", Strategy(used=_transposed), np.nan),
    "bias-doubled": ("one bias twice", Strategy(after=_bias_doubled), np.nan),
    "float16-restore": ("the point restored in float16", Strategy(back=_half_back), np.nan),
    "ranks": ("centred ranks passed off as a gradient", Strategy(shaped=_ranks), np.nan),
    "sign-of-difference": ("the signs of differences", Strategy(shaped=np.sign), np.nan),
    "best-half": ("the better half of the pairs, doubled", Strategy(shaped=_best_half), np.nan),
}
_ONE_SIDED: dict[str, tuple[str, Strategy, float]] = {
    "mean-baseline": ("a mean baseline, divided by N", Strategy(shaped=less_mean), 1 / _N),
    "no-baseline": ("no baseline: the mean is right, the variance is not", Strategy(), np.nan),
}
"""`Strategy.scale` is 1/(2 M sigma) = 1/(N sigma), where a mean baseline asks for N - 1."""
