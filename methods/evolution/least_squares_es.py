"""Least squares: the gradient that explains the differences along the moves, not their weighted mean.

    c_k = (f(x + sigma e_k) - f(x - sigma e_k)) / (2 sigma),   e_k ~ N(0, I),   k = 1 .. M
    M < P    g_hat = (P/M) E^T (E E^T)^-1 c     the shortest vector with E g = c, E of rows e_k
    M >= P   g_hat = (E^T E)^-1 E^T c           the vector nearest to E g = c

(interpolation: Berahas, Cao, Choromanski and Scheinberg 2022). For a linear loss E g = c holds: the shortest
vector is the gradient's projection on the moves, of which P/M gives the length back on average:
E|g_hat - g|^2 = (P/M - 1) |g|^2, as for orthogonal moves, and nothing from M = P on. Where f curves the mean
is off by O(sigma^2); it is not that of a smoothed loss, as moves that are alike share their weight.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gradmark.arguments import check_positive, check_size, memory_bytes
from gradmark.arrays import to_numpy
from gradmark.claims import Claims, Target, Unbiased
from gradmark.draw import Draw
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.noise import normal_rows
from gradmark.parameters import Parameters, ravel, size
from gradmark.population import evaluator, members_per_chunk
from gradmark.problem import Problem
from methods.evolution.calling import against_moves, black_box_claims, prepared
from methods.evolution.mirrored import mirrored

_HELD = 4
"""Arrays of M x P float64 numbers that are held: the moves, and what their QR decomposition takes."""


@dataclass(frozen=True)
class LeastSquaresES:
    """`pairs` mirrored Gaussian moves of standard deviation `sigma`; 2 * `pairs` evaluations.

    All moves are held, in 32 M P bytes with what the decomposition takes, which costs 2 M^2 P operations.
    """

    pairs: int = 64
    sigma: float = 0.01

    def __post_init__(self) -> None:
        check_size("least_squares_es", "pairs", self.pairs)
        check_positive("least_squares_es", "sigma", self.sigma)

    @property
    def claims(self) -> Claims:
        """Unbiased on linear and quadratic losses, with the variance above."""
        exactness = Unbiased("pairs", lambda number: max(0.0, number - self.pairs))
        target = Target("smoothed gradient", "interpolation", self.sigma)
        return black_box_claims(exactness, target, 2 * self.pairs)

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem without bounds, as far as the moves fit into memory."""
        number = size(problem.parameters)
        if 8 * _HELD * self.pairs * number > memory_bytes():
            return (
                f"{self.pairs} moves of {number} parameters, which are held together, do not fit into memory"
            )
        return against_moves(problem) or unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that evaluates a population."""
        check_supported(self, problem, want)
        evaluate = evaluator(problem)

        def estimate(point: Parameters, draw: Draw, seed: int) -> Parameters:
            number, (_, unravel) = size(point), ravel(point, problem.arrays.xp)
            chunk = members_per_chunk(problem, draw, number)
            moves = partial(normal_rows, problem.arrays, seed, self.pairs, number, chunk)
            found = list(mirrored(evaluate, problem, point, draw, moves, self.sigma))
            e = np.concatenate([np.asarray(to_numpy(each), dtype=float) for each, _, _ in found])
            c = np.concatenate(
                [np.asarray(to_numpy(above - below), dtype=float) for _, above, below in found]
            )
            return unravel(problem.arrays.array(_explained(e, c / (2 * self.sigma))))

        return prepared(problem, estimate)


def _explained(e: Any, c: Any) -> Any:
    """The vector (P,) above, by the QR decomposition of the longer side.

    Of differences that are no numbers, none is one: SciPy would raise instead.
    """
    from scipy.linalg import solve_triangular

    pairs, number = e.shape
    if pairs < number:
        q, r = np.linalg.qr(e.T)
        return number / pairs * (q @ solve_triangular(r, c, trans="T", check_finite=False))
    q, r = np.linalg.qr(e)
    return solve_triangular(r, q.T @ c, check_finite=False)
