"""Simultaneous perturbation stochastic approximation: all parameters move at once, each up or down.

    g_hat = 1/M sum over M pairs of (f(x + c d) - f(x - c d)) / 2c * 1/d,   d_i = +1 or -1

(Spall 1992). 1/d = d for signs, so that it is the mirrored evolution strategy whose moves are signs. On a
linear loss its variance is exactly (P - 1) |g|^2 / M, below that of Gaussian moves, whose lengths vary. Where
f curves its mean differs from g by c^2/6 times a sum of third derivatives in which a coordinate's own counts
once (E d^4 = 1) where Gaussian moves, the mean of which is the gradient of the smoothed loss, count it three
times.
"""

from dataclasses import dataclass
from functools import partial

from gradmark.arguments import check_name, check_positive, check_size
from gradmark.claims import Claims, Target, Unbiased
from gradmark.draw import Draw
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.noise import noise_rows
from gradmark.parameters import Parameters, size
from gradmark.population import evaluator, members_per_chunk
from gradmark.problem import Problem
from methods.evolution.calling import against_moves, black_box_claims, prepared
from methods.evolution.mirrored import mirrored_estimate
from methods.evolution.shaping import SHAPINGS


@dataclass(frozen=True)
class Spsa:
    """`pairs` mirrored moves of all parameters by +-`sigma`, 2 * `pairs` evaluations.

    `shaping` is what is done to the losses first (`methods.evolution.shaping`).
    """

    pairs: int = 64
    sigma: float = 0.01
    shaping: str = "identity"

    def __post_init__(self) -> None:
        check_size("spsa", "pairs", self.pairs)
        check_positive("spsa", "sigma", self.sigma)
        check_name("shaping", self.shaping, SHAPINGS)

    @property
    def claims(self) -> Claims:
        """Unbiased for the mean over signs of (f(x + c d) - f(x - c d)) d / 2c; variance as above."""
        exactness = Unbiased("pairs", lambda number: number - 1)
        target = Target("smoothed gradient", "rademacher", self.sigma)
        return black_box_claims(exactness, target, 2 * self.pairs, self.shaping)

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem whose domain has no bounds, which a move could cross."""
        return against_moves(problem) or unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that evaluates a population."""
        check_supported(self, problem, want)
        evaluate = evaluator(problem)

        def estimate(point: Parameters, draw: Draw, seed: int) -> Parameters:
            number = size(point)
            chunk = members_per_chunk(problem, draw, number)
            moves = partial(noise_rows, problem.arrays, "rademacher", seed, self.pairs, number, chunk)
            at = (evaluate, problem, point, draw, moves, self.sigma)
            return mirrored_estimate(*at, self.pairs, self.shaping)

        return prepared(problem, estimate)
