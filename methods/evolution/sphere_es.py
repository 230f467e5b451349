"""Mirrored moves of one length: directions uniform on the sphere of radius sqrt(P).

    g_hat = 1/(2 M sigma) sum over M pairs of (f(x + sigma e) - f(x - sigma e)) e,   e = sqrt(P) u, |u| = 1

(Flaxman, Kalai and McMahan 2005, for one point; mirrored here). A Gaussian vector in many dimensions has this
length but for a relative 1/sqrt(2 P): what the length adds to the variance is gone. On a linear loss it is
exactly (P - 1) |g|^2 / M. Its mean where f curves is that of Gaussian moves with third derivatives multiplied
by P/(P + 2): the gradient of f averaged over the ball of radius sigma sqrt(P).
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
class SphereES:
    """`pairs` mirrored moves by `sigma` sqrt(P) in all, 2 * `pairs` evaluations.

    `shaping` is what is done to the losses first (`methods.evolution.shaping`).
    """

    pairs: int = 64
    sigma: float = 0.01
    shaping: str = "identity"

    def __post_init__(self) -> None:
        check_size("sphere_es", "pairs", self.pairs)
        check_positive("sphere_es", "sigma", self.sigma)
        check_name("shaping", self.shaping, SHAPINGS)

    @property
    def claims(self) -> Claims:
        """Unbiased for the gradient of f averaged over the ball, with the variance above."""
        exactness = Unbiased("pairs", lambda number: number - 1)
        target = Target("smoothed gradient", "sphere", self.sigma)
        return black_box_claims(exactness, target, 2 * self.pairs, self.shaping)

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem whose domain has no bounds, which a move could cross."""
        return against_moves(problem) or unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that evaluates a population."""
        check_supported(self, problem, want)
        return prepared_mirrored(problem, rows_of("sphere"), self.sigma, self.pairs, self.shaping)
