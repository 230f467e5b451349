"""Mirrored moves from a low-discrepancy sequence: normal scores of scrambled Sobol points.

    g_hat = 1/(2 M sigma) sum over M pairs of (f(x + sigma e) - f(x - sigma e)) e,   e_i = F^-1(u_i)

u are the first M points of a Sobol sequence in P dimensions with a random linear scramble and shift (Matousek
1998), F the normal distribution. Every point by itself is uniform, so that the mean is the gradient of the
smoothed loss, as for independent normal moves. Nothing is claimed of the variance, which depends on the
direction of the gradient. With several points for each dimension it is below that of `gaussian_es`; with far
more dimensions than points, as in any network, above it: points that agree in most of the first digits of
their coordinates are nearly parallel, and ask the same again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradmark.arguments import check_name, check_positive, check_size
from gradmark.arrays import Array, Arrays
from gradmark.claims import Claims, Target, Unbiased
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.parameters import size
from gradmark.problem import Problem
from gradmark.random import generator
from methods.evolution.calling import against_moves, black_box_claims
from methods.evolution.mirrored import prepared_mirrored
from methods.evolution.shaping import SHAPINGS

_MOST = 21_201
"""Dimensions for which SciPy has direction numbers (Joe and Kuo 2008)."""

_BITS = 30
"""Digits of a point: scores of up to 6.2, and a mean that is off by 1e-9."""


@dataclass(frozen=True)
class SobolES:
    """`pairs` mirrored moves, 2 * `pairs` evaluations; powers of two fill the cube most evenly.

    `sigma` is the standard deviation of every move. `shaping` is what is done to the losses first
    (`methods.evolution.shaping`).
    """

    pairs: int = 64
    sigma: float = 0.01
    shaping: str = "identity"

    def __post_init__(self) -> None:
        check_size("sobol_es", "pairs", self.pairs)
        check_positive("sobol_es", "sigma", self.sigma)
        check_name("shaping", self.shaping, SHAPINGS)

    @property
    def claims(self) -> Claims:
        """Unbiased for the gradient of the smoothed loss; nothing is claimed of its variance."""
        target = Target("smoothed gradient", "gaussian", self.sigma)
        return black_box_claims(
            Unbiased("pairs", None, independent=False), target, 2 * self.pairs, self.shaping
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem without bounds, of at most 21,201 parameters: so many dimensions have Sobol points."""
        if (number := size(problem.parameters)) > _MOST:
            return f"Sobol points are known in at most {_MOST} dimensions, and it has {number} parameters"
        return against_moves(problem) or unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that evaluates a population."""
        check_supported(self, problem, want)
        rows = _normal_scores
        return prepared_mirrored(problem, rows, self.sigma, self.pairs, self.shaping)


def _normal_scores(arrays: Arrays, seed: int, number: int, size: int, chunk: int) -> Iterator[Array]:
    """The points, at most `chunk` at a time, each moved to the middle of its cell: none is 0 or 1."""
    from scipy.special import ndtri
    from scipy.stats.qmc import Sobol

    points = Sobol(size, scramble=True, bits=_BITS, rng=generator(seed, "noise"))
    first = points.random(1)  # by itself: SciPy warns where what is asked first is no power of two
    for start in range(0, number, chunk):
        wanted = min(chunk, number - start) - len(first)
        u = np.concatenate([first, points.random(wanted)]) if wanted else first
        first = first[:0]
        yield arrays.array(ndtri(u + np.ldexp(0.5, -_BITS)))
