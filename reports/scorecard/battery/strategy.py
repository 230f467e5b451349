"""Evolution strategies made of pieces, so that a fault is one piece exchanged.

    g_hat = 1/(2 M sigma) sum over M pairs of (f(x + sigma e) - f(x - sigma e)) e,   e ~ N(0, I),

one-sided: 1/((N - 1) sigma) sum over N = 2 M moves of (f(x + sigma e) - mean f) e.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import gradmark
from gradmark.claims import Target
from reports.scorecard.battery.case import Value

SIGMA = 0.01
PAIRS = 32


def normal(random: Any, index: int, parameters: Value) -> Value:
    """One move: standard normal numbers for each array."""
    return {name: random.standard_normal(array.shape) for name, array in parameters.items()}


def signs(random: Any, index: int, parameters: Value) -> Value:
    """One move: +-1 for each number."""
    return {name: random.choice([-1.0, 1.0], array.shape) for name, array in parameters.items()}


@dataclass(frozen=True)
class Strategy:
    """An evolution strategy. Each field is one piece of it, right as it stands.

    `start(seed)` makes the random generator; `move(random, index, parameters)` is e; `used(e, index)` is what
    the update multiplies; `shaped` makes weights of the values (the differences of pairs, or the values less
    their baseline); `scale(M)` is 1/(M sigma) times the half; `back` is where the mirror image is taken from;
    `after` changes the gradient.
    """

    start: Callable[[int], Any] = np.random.default_rng
    move: Callable[[Any, int, Value], Value] = normal
    used: Callable[[Value, int], Value] = lambda e, index: e
    shaped: Callable[[Any], Any] = lambda values: values
    scale: Callable[[int], float] = lambda pairs: 1 / (2 * pairs * SIGMA)
    back: Callable[[Value, Value], Value] = lambda x, plus: x
    after: Callable[[Value], Value] = lambda g: g

    def mirrored(self, problem: Any, x: Value, seed: int, pairs: int) -> Value:
        """The antithetic estimate."""
        random = self.start(seed)
        moves = [self.move(random, index, x) for index in range(pairs)]
        values = []
        for e in moves:
            plus = moved(x, e, SIGMA)
            minus = moved(self.back(x, plus), e, -SIGMA)
            values.append(float(problem.loss(plus)) - float(problem.loss(minus)))
        return self._weighted(x, moves, self.shaped(np.array(values)), self.scale(pairs))

    def one_sided(self, problem: Any, x: Value, seed: int, pairs: int) -> Value:
        """The estimate without mirror images; `scale` is that of 2 M moves."""
        random = self.start(seed)
        moves = [self.move(random, index, x) for index in range(2 * pairs)]
        values = np.array([float(problem.loss(moved(x, e, SIGMA))) for e in moves])
        return self._weighted(x, moves, self.shaped(values), self.scale(pairs))

    def _weighted(self, x: Value, moves: list[Value], weights: Any, scale: float) -> Value:
        used = [self.used(e, index) for index, e in enumerate(moves)]
        total = {n: scale * sum(w * e[n] for w, e in zip(weights, used, strict=True)) for n in x}
        return self.after({name: array.astype(x[name].dtype) for name, array in total.items()})


def moved(x: Value, e: Value, sigma: float) -> Value:
    """x + sigma e, in the dtype of x."""
    return {name: (array + sigma * e[name]).astype(array.dtype) for name, array in x.items()}


def less_mean(values: Any) -> Any:
    """Values less their mean: the baseline that asks for a division by N - 1."""
    return values - values.mean()


def method(
    strategy: Strategy,
    *,
    one_sided: bool = False,
    factor: Callable[[int], float] = lambda size: size + 1,
    law: str = "gaussian",
    name: str = "strategy",
) -> Any:
    """The strategy as a gradient method: unbiased for the gradient smoothed by `law`, with the variance law
    `factor` / M."""

    def estimate(problem: Any, parameters: Any, seed: int, pairs: int = PAIRS) -> Any:
        estimator = strategy.one_sided if one_sided else strategy.mirrored
        return estimator(problem, parameters, seed, pairs)

    estimate.__name__ = name
    return gradmark.gradient_method(
        family="evolution",
        samples="pairs",
        variance_factor=factor,
        target=Target("smoothed gradient", law, SIGMA),
        evaluations=lambda size, pairs: 2 * pairs,
    )(estimate)
