"""Evolution strategies: the loss at randomly moved parameters, weighted by the moves.

The gradient of the smoothed loss f_sigma(x) = E f(x + sigma e), e ~ N(0, I), needs values of f alone
(Rechenberg 1973; Nesterov and Spokoiny 2017; Salimans et al. 2017). Antithetic, with M pairs:

    g_hat = 1/(2 M sigma) sum over pairs of (f(x + sigma e) - f(x - sigma e)) e;

one-sided, with N = 2 M moves and the mean of the others as the baseline of each:

    g_hat = 1/((N - 1) sigma) sum over moves of (f(x + sigma e) - mean f) e.

Both have grad f_sigma as their mean. On a linear loss g . x their variance is exactly (P + 1) |g|^2 / M and
(P + 1) |g|^2 / (N - 1): so one-sided estimates need half as many evaluations there, and more where f curves.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from gradmark.arguments import check_name, check_positive, check_size, check_switch
from gradmark.claims import Claims, Growth, Target, Unbiased
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.noise import WeightedSum, normal_rows
from gradmark.parameters import Parameters, detached, finished, ravel, size
from gradmark.population import Evaluator, evaluator, members_per_chunk
from gradmark.problem import Problem
from gradmark.work import Work, counting
from methods.evolution.mirrored import mirrored_estimate
from methods.evolution.shaping import SHAPINGS


@dataclass(frozen=True)
class GaussianES:
    """Gaussian moves of all parameters, 2 * `pairs` evaluations.

    `sigma` is the standard deviation of every move. `antithetic` evaluates each move with its mirror image;
    otherwise there are 2 * `pairs` independent moves and a leave-one-out mean as baseline.
    """

    pairs: int = 64
    sigma: float = 0.01
    antithetic: bool = True
    shaping: str = "identity"

    def __post_init__(self) -> None:
        check_size("gaussian_es", "pairs", self.pairs)
        check_positive("gaussian_es", "sigma", self.sigma)
        check_switch("gaussian_es", "antithetic", self.antithetic)
        check_name("shaping", self.shaping, SHAPINGS)

    @property
    def claims(self) -> Claims:
        """Unbiased for the gradient of the smoothed loss, with the variance law of a linear loss.

        One-sided, N - 1 = 2 * `pairs` - 1 independent samples count where antithetic sampling has `pairs`.
        """
        share = 1.0 if self.antithetic else self.pairs / (2 * self.pairs - 1)
        return Claims(
            family="evolution",
            exactness=Unbiased("pairs", lambda number: (number + 1) * share),
            reads=frozenset({"loss"}),
            growth=Growth(passes=0, time={"parameters": 1, "batch": 1, "depth": 1}, memory={"parameters": 1}),
            work=lambda problem: Work(forward=2 * self.pairs),
            target=Target("smoothed gradient", "gaussian", self.sigma),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem whose domain has no bounds, which a Gaussian move would cross."""
        if problem.bounds is not None:
            return f"{problem.call.name} has bounds {problem.bounds}, and Gaussian moves know none"
        return unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that evaluates a population."""
        check_supported(self, problem, want)
        evaluate, weighted = evaluator(problem), _mirrored if self.antithetic else _one_sided

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw, point = draw or problem.default_draw, detached(parameters)
            with counting() as work:
                result = weighted(self, problem, evaluate, point, draw, seed)
            return Estimate(finished(result), None, work.total())

        return gradient


def _mirrored(
    es: GaussianES, problem: Problem, evaluate: Evaluator, point: Parameters, draw: Draw, seed: int
) -> Parameters:
    number = size(point)
    chunk = members_per_chunk(problem, draw, number)
    moves = partial(normal_rows, problem.arrays, seed, es.pairs, number, chunk)
    return mirrored_estimate(evaluate, problem, point, draw, moves, es.sigma, es.pairs, es.shaping)


def _one_sided(
    es: GaussianES, problem: Problem, evaluate: Evaluator, point: Parameters, draw: Draw, seed: int
) -> Parameters:
    """sum (f - mean f) e = sum (f - c) (e - mean e) for any c; with the first loss as c, digits stay."""
    arrays, number = problem.arrays, 2 * es.pairs
    x, unravel = ravel(point, arrays.xp)
    chunk = members_per_chunk(problem, draw, x.shape[0])
    weighted, moves, first, above = WeightedSum(arrays, x.shape[0]), WeightedSum(arrays, x.shape[0]), None, []
    for e in normal_rows(arrays, seed, number, x.shape[0], chunk):
        f = evaluate(unravel(x + es.sigma * e), point, draw)
        first = f[0] if first is None else first
        above.append(f - first)
        weighted.add(above[-1], e)
        moves.add(arrays.xp.ones_like(f), e)
    mean = arrays.xp.mean(arrays.xp.concat(above))
    estimate = weighted.divided(number - 1) - mean * moves.divided(number - 1)
    return unravel(estimate / es.sigma)
