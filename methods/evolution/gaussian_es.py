"""Evolution strategies: the loss at randomly moved parameters, weighted by the moves.

The gradient of the smoothed loss f_sigma(x) = E f(x + sigma e), e ~ N(0, I), needs values of f alone
(Rechenberg 1973; Nesterov and Spokoiny 2017; Salimans et al. 2017). Antithetic, with M pairs:

    g_hat = 1/(2 M sigma) sum over pairs of (f(x + sigma e) - f(x - sigma e)) e;

one-sided, with N = 2 M evaluations, and as baseline of each move the mean of the other moves' losses (leave
one out), or the loss at the centre x, which is one of the N:

    g_hat = 1/((N - 1) sigma) sum over N moves of (f(x + sigma e) - mean f) e,
    g_hat = 1/((N - 1) sigma) sum over N - 1 moves of (f(x + sigma e) - f(x)) e.

All have grad f_sigma as their mean. On a linear loss g . x their variance is exactly (P + 1) |g|^2 / M for
pairs and (P + 1) |g|^2 / (N - 1) for both others: so one-sided estimates need half as many evaluations there,
and more where f curves: from sigma > sqrt(2) |g| / |H|_F on with the mean as baseline.
"""

from dataclasses import dataclass
from functools import partial

from gradmark.arguments import check_name, check_positive, check_size, check_switch
from gradmark.claims import Claims, Target, Unbiased
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.noise import normal_rows
from gradmark.parameters import Parameters, size
from gradmark.population import evaluator, members_per_chunk
from gradmark.problem import Problem
from methods.evolution.calling import against_moves, black_box_claims, prepared
from methods.evolution.mirrored import prepared_mirrored
from methods.evolution.one_sided import less_the_centre, less_their_mean, shaped_moves
from methods.evolution.shaping import SHAPINGS

BASELINES = ("mean", "centre")


@dataclass(frozen=True)
class GaussianES:
    """Gaussian moves of all parameters, 2 * `pairs` evaluations.

    `sigma` is the standard deviation of every move. `antithetic` evaluates each move with its mirror image;
    otherwise moves are independent, and `baseline` is what is taken off their losses: their leave-one-out
    mean, or the loss at the centre. `shaping` is what is done to the losses first
    (`methods.evolution.shaping`).
    """

    pairs: int = 64
    sigma: float = 0.01
    antithetic: bool = True
    baseline: str = "mean"
    shaping: str = "identity"

    def __post_init__(self) -> None:
        check_size("gaussian_es", "pairs", self.pairs)
        check_positive("gaussian_es", "sigma", self.sigma)
        check_switch("gaussian_es", "antithetic", self.antithetic)
        check_name("baseline", self.baseline, BASELINES)
        check_name("shaping", self.shaping, SHAPINGS)
        if self.baseline == "centre" and (self.antithetic or self.shaping != "identity"):
            raise UsageError(
                'gaussian_es: `baseline="centre"` is for one-sided moves whose losses are not shaped: set '
                'antithetic=False and shaping="identity", or leave the baseline at "mean".'
            )

    @property
    def claims(self) -> Claims:
        """Unbiased for the gradient of the smoothed loss, with the variance law of a linear loss.

        One-sided, N - 1 = 2 * `pairs` - 1 independent samples count where antithetic sampling has `pairs`.
        """
        share = 1.0 if self.antithetic else self.pairs / (2 * self.pairs - 1)
        exactness = Unbiased("pairs", lambda number: (number + 1) * share)
        target = Target("smoothed gradient", "gaussian", self.sigma)
        return black_box_claims(exactness, target, 2 * self.pairs, self.shaping)

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem whose domain has no bounds, which a Gaussian move would cross."""
        return against_moves(problem) or unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that evaluates a population."""
        check_supported(self, problem, want)
        if self.antithetic:
            return prepared_mirrored(problem, normal_rows, self.sigma, self.pairs, self.shaping)
        evaluate, number = evaluator(problem), 2 * self.pairs - (self.baseline == "centre")

        def estimate(point: Parameters, draw: Draw, seed: int) -> Parameters:
            chunk = members_per_chunk(problem, draw, size(point))
            moves = partial(normal_rows, problem.arrays, seed, number, size(point), chunk)
            at = (evaluate, problem, point, draw, moves, self.sigma)
            if self.shaping != "identity":
                return shaped_moves(*at, self.shaping)
            return less_their_mean(*at) if self.baseline == "mean" else less_the_centre(*at)

        return prepared(problem, estimate)
