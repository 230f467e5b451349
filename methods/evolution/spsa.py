"""Simultaneous perturbation stochastic approximation: all parameters move at once, each up or down.

    g_hat = 1/M sum over M pairs of (f(x + c d) - f(x - c d)) / 2c * 1/d,   d_i = +1 or -1

(Spall 1992). 1/d = d for signs, so that it is the mirrored evolution strategy whose moves are signs. On a
linear loss its variance is exactly (P - 1) |g|^2 / M, below that of Gaussian moves, whose lengths vary. Where
f curves its mean differs from g by c^2/6 times a sum of third derivatives in which a coordinate's own counts
once (E d^4 = 1) where Gaussian moves, the mean of which is the gradient of the smoothed loss, count it three
times.
"""

from dataclasses import dataclass

from gradmark.arguments import check_name, check_positive, check_size
from gradmark.claims import Claims, Target, Unbiased
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.problem import Problem
from methods.evolution.calling import against_moves, black_box_claims
from methods.evolution.mirrored import prepared_mirrored, rows_of
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
        return prepared_mirrored(problem, rows_of("rademacher"), self.sigma, self.pairs, self.shaping)
