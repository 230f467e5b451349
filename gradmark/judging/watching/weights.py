"""The weights of an estimator, from one call: how it makes its estimate of the losses that it read.

With lines d_k through the point, an estimate linear in the losses is g_hat = sum of u_k d_k. For estimators
whose weights do not mix lines, u_k = a z_k + b, z_k = the losses ahead minus those behind on line k. So one
call shows a, b and whether that is true at all; and with E d_k d_k^T = sigma^2 I the mean of g_hat is

    s g,   s = a sigma^2 N,   or   a sigma^2 (N - sum of n_k^2 / N)   where the mean loss is the baseline,

on a linear loss, N moves, n_k on line k. What is exact in it is known to rounding (ESTIMATORS: identification
from recorded queries; the bound is that of least squares, |du| <= |dg| / smallest singular value).
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.judging.watching.lines import Lines, lines
from gradmark.judging.watching.watched import Hidden, Queries

_SAFETY = 4.0
"""Roundings of n terms add up like sqrt(n) (Higham and Mary, SIAM J. Sci. Comput. 41:A2815, 2019); so many
times that is not met by chance."""
_MEAN, _POINT, _NONE, _OTHER = "the mean loss", "the loss at the point", "none", "another number"


@dataclass(frozen=True)
class Weights:
    """What one call shows. `residual` (P,) is what of the estimate lies outside of its queries' span, and
    `residual_bound` (P,) what rounding explains. `slope` +- `slope_error` is a, `intercept` b; `bent` the
    norm of u - a z - b, and `bent_bound` what rounding explains of it. `baseline` is what is taken off the
    losses, in words; `baselines` are all that rounding allows.
    """

    lines: Lines
    contrasts: Any
    weights: Any
    residual: Any
    residual_bound: Any
    slope: float
    slope_error: float
    intercept: float
    bent: float
    bent_bound: float
    baseline: str
    baselines: tuple[str, ...]

    @property
    def in_span(self) -> bool:
        """Whether the estimate lies in the span of its queries."""
        return bool(np.all(np.abs(self.residual) <= self.residual_bound))

    @property
    def linear(self) -> bool:
        """Whether the weights are linear in the losses, line by line."""
        return self.bent <= self.bent_bound and not self.lines.unequal

    @property
    def factor(self) -> float:
        """s / (a sigma^2): what the declared mean needs as 1 / (a sigma^2)."""
        return self._factor(self.baseline)

    def _factor(self, baseline: str) -> float:
        per_line = self.lines.ahead.sum(axis=1) + self.lines.behind.sum(axis=1)
        number = float(per_line.sum())
        return number - float(np.sum(per_line**2)) / number if baseline == _MEAN else number

    @property
    def known_baseline(self) -> bool:
        """Whether the baseline is one whose effect on the mean is known."""
        return self.baseline != _OTHER

    def scale(self, sigma: float) -> float:
        """s: the mean of the estimate on a linear loss, in units of the gradient."""
        return self.slope * sigma * sigma * self.factor

    def scale_error(self, sigma: float) -> float:
        """What rounding leaves open of s, and of the baseline."""
        open_to = [self._factor(each) for each in self.baselines] or [self.factor]
        rounding = self.slope_error * sigma * sigma * self.factor
        return rounding + abs(self.scale(sigma)) * (max(open_to) - min(open_to)) / min(open_to)


def weights_of(queries: Queries) -> Weights:
    """Recover the weights of one call. Raises `Hidden` where there are more lines than parameters."""
    found = lines(queries)
    if not 0 < found.count < len(queries.estimate):
        size = len(queries.estimate)
        raise Hidden(f"{found.count} directions in {size} dimensions do not show what weights they have")
    d = np.asarray(found.directions, dtype=np.float64)
    u, _, _, singular = np.linalg.lstsq(d.T, np.asarray(queries.estimate, dtype=np.float64), rcond=None)
    z = np.asarray(found.ahead @ queries.values - found.behind @ queries.values, dtype=np.float64)
    a, b = _line(z, u)
    bound = _rounding(queries, found, u, a)
    loose = float(np.linalg.norm(bound) / singular[-1]) if singular[-1] > 0 else math.inf
    loose += 2 * queries.precision * abs(a) * _size(queries) * math.sqrt(len(u))
    spread = float(np.linalg.norm(z - z.mean())) if len(z) > 1 else float(abs(z[0]))
    known = _baselines(queries, found, z, a, b, loose / math.sqrt(len(u)))
    return Weights(
        lines=found,
        contrasts=z,
        weights=u,
        residual=queries.estimate - u @ found.directions,
        residual_bound=bound,
        slope=a,
        slope_error=loose / spread if spread > 0 else math.inf,
        intercept=b,
        bent=float(np.linalg.norm(u - a * z - b)),
        bent_bound=2 * loose,
        baseline=known[0] if known else _OTHER,
        baselines=known,
    )


def _line(z: Any, u: Any) -> tuple[float, float]:
    """The least-squares line u = a z + b, about the means, which keeps digits."""
    centred = z - z.mean()
    square = float(centred @ centred)
    a = float(centred @ u) / square if square > 0 else 0.0
    return a, float(u.mean() - a * z.mean())


def _rounding(queries: Queries, found: Lines, u: Any, a: float) -> Any:
    """A bound of the rounding in every entry of the estimate.

    Directions are known to `rounding`; the sum over moves rounds every term, which is up to the weight times
    the direction, the weight being that of a loss whose baseline may be taken off after the sum.
    """
    terms = np.abs(u) + abs(a) * _size(queries)
    summed = queries.precision * math.sqrt(len(queries.values)) * (terms @ np.abs(found.directions))
    stored = np.sqrt((np.abs(u) ** 2) @ (len(queries.values) * found.rounding**2))
    return _SAFETY * np.asarray(summed + stored, dtype=np.float64) + np.finfo(np.float64).tiny


def _size(queries: Queries) -> float:
    return float(np.max(np.abs(queries.values)))


def _baselines(queries: Queries, found: Lines, z: Any, a: float, b: float, error: float) -> tuple[str, ...]:
    """Which numbers may be taken off the losses before they are weighted, the nearest first: b = -a c."""
    if a == 0:
        return (_NONE,)
    # Far from the mean of z the line's slope errs too.
    spread = float(np.linalg.norm(z - z.mean())) or 1.0
    taken = -b / a
    slack = _SAFETY * error / abs(a) * (1 + abs(z.mean()) * math.sqrt(len(z)) / spread)
    mean = float(np.mean(queries.values[np.any(found.ahead | found.behind, axis=0)]))
    known = {_NONE: 0.0} if not found.one_sided else {_NONE: 0.0, _POINT: queries.level, _MEAN: mean}
    if queries.slopes:
        known = {_NONE: 0.0}
    fitting = [name for name, number in known.items() if abs(taken - number) <= slack]
    return tuple(sorted(fitting, key=lambda name: abs(taken - known[name])))
