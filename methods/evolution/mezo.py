"""Mirrored moves that are never stored: the seed makes the same noise again when it is weighed.

    g_hat = 1/(2 M sigma) sum over M pairs of (f(x + sigma e) - f(x - sigma e)) e

(Malladi et al. 2023, "MeZO", with Gaussian e and one pair a step). Their loop makes e four times a pair, to
move the parameters forth, back to the other side, home, and for the update; what is added and taken off again
leaves roundings in the parameters. Here these are read alone. On a chain of dense layers
(`methods.evolution.mezo_on_chains`) the result is where a move stands until its losses are known, and each
move is made once more to be weighed: beside the parameters and the result there are 2^16 numbers, the
states of the draw's rows on both sides, and M numbers. Other problems are given moved parameters: of a pair,
or of as many as 2^15 numbers are.

The moves are those of `spsa` or, for `law` gaussian, of `gaussian_es`, number for number, and so are mean and
variance: (P - 1) |g|^2 / M or (P + 1) |g|^2 / M on a linear loss. Signs are made ten times as fast.
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
from gradmark.population import evaluator
from gradmark.problem import Problem
from methods.evolution.calling import against_moves, black_box_claims, prepared
from methods.evolution.mezo_on_chains import replaying_kernel
from methods.evolution.mirrored import mirrored_estimate

LAWS = ("rademacher", "gaussian")
_NUMBERS = 2**15
"""Numbers of moves that are held at once where one move has fewer."""


@dataclass(frozen=True)
class Mezo:
    """`pairs` mirrored moves of size `sigma`, 2 * `pairs` evaluations; `law` is rademacher or gaussian."""

    pairs: int = 64
    sigma: float = 0.01
    law: str = "rademacher"

    def __post_init__(self) -> None:
        check_size("mezo", "pairs", self.pairs)
        check_positive("mezo", "sigma", self.sigma)
        check_name("law", self.law, LAWS)

    @property
    def claims(self) -> Claims:
        """Those of `spsa` and `gaussian_es`."""
        more = 1 if self.law == "gaussian" else -1
        exactness = Unbiased("pairs", lambda number: number + more)
        target = Target("smoothed gradient", self.law, self.sigma)
        return black_box_claims(exactness, target, 2 * self.pairs)

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem whose domain has no bounds, which a move could cross."""
        return against_moves(problem) or unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the kernel of dense chains on NumPy and torch, or the function that evaluates moved points."""
        check_supported(self, problem, want)
        kernel, evaluate = replaying_kernel(problem, self.sigma), evaluator(problem)

        def estimate(point: Parameters, draw: Draw, seed: int) -> Parameters:
            members = Members(self.law, seed, size(point))
            if kernel is not None:
                return kernel.estimate(point, draw, members, self.pairs)

            together = max(1, _NUMBERS // size(point))

            def moves() -> Iterator[Array]:
                for start in range(0, self.pairs, together):
                    yield problem.arrays.array(members.rows(start, min(start + together, self.pairs)))

            return mirrored_estimate(evaluate, problem, point, draw, moves, self.sigma, self.pairs)

        return prepared(problem, estimate)
