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

    `start(seed)` makes the random generator; `move(random, index, parameters)` is e; `used(moves)` is what
    the update multiplies, all moves of an array stacked; `shaped` makes weights of the values (differences
    of pairs, or losses one-sided); `scale(M)` is 1/(2 M sigma); `back` is where the mirror image is taken
    from; `after` changes the gradient.
    """

    start: Callable[[int], Any] = np.random.default_rng
    move: Callable[[Any, int, Value], Value] = normal
    used: Callable[[Value], Value] = lambda moves: moves
    shaped: Callable[[Any], Any] = lambda values: values
    scale: Callable[[int], float] = lambda pairs: 1 / (2 * pairs * SIGMA)
    back: Callable[[Value, Value], Value] = lambda x, plus: x
    after: Callable[[Value], Value] = lambda g: g

    def mirrored(self, problem: Any, x: Value, seed: int, pairs: int) -> Value:
        """The antithetic estimate."""
        moves = self._moves(x, seed, pairs)
        plus = moved(x, moves, SIGMA)
        minus = moved(self.back(x, plus), moves, -SIGMA)
        values = losses(problem, plus) - losses(problem, minus)
        return self._weighted(x, moves, self.shaped(values), self.scale(pairs))

    def one_sided(self, problem: Any, x: Value, seed: int, pairs: int) -> Value:
        """The estimate without mirror images; `scale` is that of 2 M moves."""
        moves = self._moves(x, seed, 2 * pairs)
        values = losses(problem, moved(x, moves, SIGMA))
        return self._weighted(x, moves, self.shaped(values), self.scale(pairs))

    def _moves(self, x: Value, seed: int, number: int) -> Value:
        random = self.start(seed)
        each = [self.move(random, index, x) for index in range(number)]
        return {name: np.stack([e[name] for e in each]) for name in x}

    def _weighted(self, x: Value, moves: Value, weights: Any, scale: float) -> Value:
        used = self.used(moves)
        total = {name: scale * np.tensordot(weights, used[name], axes=1) for name in x}
        return self.after({name: array.astype(x[name].dtype) for name, array in total.items()})


def moved(x: Value, moves: Value, sigma: float) -> Value:
    """x + sigma e for every move e, in the dtype of x."""
    return {name: (array + sigma * moves[name]).astype(array.dtype) for name, array in x.items()}


def losses(problem: Any, population: Value) -> Any:
    """The loss of each member: all at once where the problem takes a population."""
    if problem.population:
        return np.asarray(problem.loss(population), np.float64)
    number = len(next(iter(population.values())))
    members = ({name: array[index] for name, array in population.items()} for index in range(number))
    return np.array([float(problem.loss(member)) for member in members])


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
