"""Evolution strategies whose moves of each matrix have low rank: few numbers to draw, and cheap to apply.

    g_hat = 1/(2 M sigma) sum over M pairs of (f(x + sigma E) - f(x - sigma E)) E,   E_l = A_l B_l^T / sqrt(r)

in each matrix (Sarkar et al. 2025, "EGGROLL", with Gaussian A and B); vectors move by plain numbers. A layer
then maps x to x W^T +- sigma (x B) A^T / sqrt(r): one product with W for all members, and two thin ones. A
member is r (m + n) numbers for each matrix of m n.

Where f is linear or quadratic the mean is g, and the variance that of `factors` in this package: for Gaussian
factors of rank 1 sum over l of |G_l|^2 (P + 2 (m_l + n_l) + 3) / M; for signs of rank 1 all moves
have the length sqrt(P), and it is (P - 1) |g|^2 / M, the least that moves which are not orthogonal can have.
Smoothing is not that of Gaussian noise: of a single number's third derivative it sees E E_ij^4 times
sigma^2/6, which is 3 + 6/r for Gaussian factors and 3 - 2/r for signs.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gradmark.arguments import check_name, check_positive, check_size
from gradmark.arrays import Array
from gradmark.claims import Claims, Target, Unbiased
from gradmark.draw import Draw
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.noise import Members
from gradmark.parameters import Parameters, size
from gradmark.population import evaluator, members_per_chunk
from gradmark.problem import Problem
from methods.evolution.calling import against_moves, black_box_claims, prepared
from methods.evolution.low_rank.factors import LAWS, beyond, moves, numbers, places, variance_factor
from methods.evolution.low_rank.low_rank_on_chains import against_chains, chain_kernel
from methods.evolution.mirrored import mirrored_estimate
from methods.evolution.shaping import SHAPINGS


@dataclass(frozen=True)
class LowRankES:
    """`pairs` mirrored moves of rank `rank`, 2 * `pairs` evaluations; `law` is signs or gaussian.

    `sigma` is the standard deviation of every number's move. `shaping` is what is done to the losses first
    (`methods.evolution.shaping`). On a chain of dense layers on the CPU `workers` threads share the members,
    and the libraries of linear algebra start none of their own meanwhile; the answer is the same.
    """

    pairs: int = 64
    sigma: float = 0.01
    rank: int = 1
    law: str = "signs"
    shaping: str = "identity"
    workers: int = 1

    def __post_init__(self) -> None:
        check_size("low_rank_es", "pairs", self.pairs)
        check_positive("low_rank_es", "sigma", self.sigma)
        check_size("low_rank_es", "rank", self.rank)
        check_name("law", self.law, LAWS)
        check_name("shaping", self.shaping, SHAPINGS)
        check_size("low_rank_es", "workers", self.workers)

    @property
    def claims(self) -> Claims:
        """Unbiased for the mean over the moves of (f(x + sigma E) - f(x - sigma E)) E / (2 sigma).

        The size alone does not say the variance: the guess is that of one square matrix.
        """
        exactness = Unbiased(
            "pairs",
            lambda number: number - 1 + beyond((number**0.5, number**0.5), self.rank, self.law),
            lambda problem, gradient: variance_factor(gradient, self.rank, self.law),
        )
        target = Target("smoothed gradient", f"rank-{self.rank} {self.law}", self.sigma)
        return black_box_claims(exactness, target, 2 * self.pairs, self.shaping)

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem whose domain has no bounds, which a move could cross; threads, on chains alone."""
        if self.workers > 1 and (reason := against_chains(problem)):
            return f"{reason}, which `workers={self.workers}` are for: set workers=1"
        return against_moves(problem) or unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the kernel of dense chains on NumPy and torch, or the function that evaluates a population."""
        check_supported(self, problem, want)
        kernel = chain_kernel(problem, self.rank, self.sigma, self.workers)
        evaluate = evaluator(problem)

        def estimate(point: Parameters, draw: Draw, seed: int) -> Parameters:
            found = places(point, self.rank)
            members = Members(LAWS[self.law], seed, numbers(found))
            if kernel is not None:
                return kernel.estimate(point, draw, members, self.pairs, self.shaping)
            chunk = members_per_chunk(problem, draw, size(point))

            def every() -> Iterator[Array]:
                for start in range(0, self.pairs, chunk):
                    rows = members.rows(start, min(start + chunk, self.pairs))
                    yield moves(problem.arrays.xp, found, problem.arrays.array(rows))

            at = (evaluate, problem, point, draw, every, self.sigma)
            return mirrored_estimate(*at, self.pairs, self.shaping)

        return prepared(problem, estimate)
