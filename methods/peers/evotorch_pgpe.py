"""EvoTorch's policy gradients with parameter exploration: one generation of its functional ``pgpe``.

    g_hat = 1/M sum over M pairs of (f(x + sigma e) - f(x - sigma e)) / 2 * sigma e,   over sigma^2

(Sehnke et al. 2010; Toklu et al. 2023, "EvoTorch"). What it follows is the estimate times sigma^2, which is
divided out here, and its losses are not ranked, so that it can be compared with others. Without mirrored
moves it takes the mean of all N losses as the baseline of each, and divides by N: that leaves 1 - 1/N of the
gradient, which is its own choice and stays. The whole population is held at once, O(N P).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from gradmark.arguments import check_positive, check_size, check_switch
from gradmark.arrays import Array, installed
from gradmark.claims import Biased, Claims, Target, Unbiased
from gradmark.draw import Draw
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, ravel
from gradmark.population import evaluator
from gradmark.problem import Problem
from gradmark.random import generator
from methods.evolution.calling import against_moves, black_box_claims, prepared


@dataclass(frozen=True)
class EvotorchPgpe:
    """``pgpe(stdev_init=sigma, ranking_method="raw", symmetric=symmetric)`` with 2 * `pairs` evaluations."""

    pairs: int = 64
    sigma: float = 0.01
    symmetric: bool = True

    def __post_init__(self) -> None:
        check_size("evotorch_pgpe", "pairs", self.pairs)
        check_positive("evotorch_pgpe", "sigma", self.sigma)
        check_switch("evotorch_pgpe", "symmetric", self.symmetric)

    @property
    def claims(self) -> Claims:
        """Unbiased for the gradient of the smoothed loss with mirrored moves; without, 1/N is missing."""
        if self.symmetric:
            exactness: Unbiased | Biased = Unbiased("pairs", lambda number: number + 1)
            target = Target("smoothed gradient", "gaussian", self.sigma)
        else:
            exactness, target = Biased("its baseline holds each loss itself: 1/N is missing"), Target()
        return replace(black_box_claims(exactness, target, 2 * self.pairs), backends=frozenset({"torch"}))

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs torch arrays of float32 or float64, and a domain without bounds."""
        if reason := unsupported(self, problem, want):
            return reason
        if problem.arrays.itemsize < 4:
            return f"its moves would be lost in {problem.arrays.dtype}: use float32 or float64"
        if not installed("evotorch"):
            return (
                "the package `evotorch` is not installed, nor a part of gradmark[peers]: pip install evotorch"
            )
        return against_moves(problem)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Import EvoTorch, and Ray with it."""
        check_supported(self, problem, want)
        evaluate, generation = evaluator(problem), self._generation(problem)

        def estimate(point: Parameters, draw: Draw, seed: int) -> Parameters:
            x, unravel = ravel(point, problem.arrays.xp)
            return unravel(generation(x, lambda rows: evaluate(unravel(rows), point, draw), seed))

        return prepared(problem, estimate)

    def _generation(self, problem: Problem) -> Callable[[Array, Callable[[Array], Array], int], Array]:
        """From the point, what evaluates rows of members, and the seed to the estimate, shape (P,)."""
        import torch
        from evotorch.algorithms.functional import pgpe, pgpe_ask, pgpe_tell

        cuda = [problem.arrays.device] if problem.arrays.device.startswith("cuda") else []

        def generation(x: Array, evaluated: Callable[[Array], Array], seed: int) -> Array:
            # It draws from torch's own generators, which are left as they were.
            with torch.random.fork_rng(cuda):
                torch.manual_seed(int(generator(seed, "noise").integers(2**63)))
                state = pgpe(
                    center_init=x,
                    center_learning_rate=1.0,
                    stdev_learning_rate=0.0,
                    stdev_init=self.sigma,
                    objective_sense="min",
                    ranking_method="raw",
                    optimizer=(_begin, _centre, _keep),
                    symmetric=self.symmetric,
                )
                rows = pgpe_ask(state, popsize=2 * self.pairs)
                state = pgpe_tell(state, rows, evaluated(rows))
            return -state.optimizer_state.followed / self.sigma**2

        return generation


class _Kept(NamedTuple):
    """An optimizer that stays where it is and keeps what it is told to follow, as it is.

    A difference of two centres would be rounded to their size.
    """

    center: Array
    followed: Array | None = None


def _begin(*, center_init: Array, **_: Any) -> _Kept:
    return _Kept(center_init)


def _centre(state: _Kept) -> Array:
    return state.center


def _keep(state: _Kept, *, follow_grad: Array) -> _Kept:
    return _Kept(state.center, follow_grad)
