"""Mirrored moves: the loss at x + sigma e and at x - sigma e, and the mean of the differences times e.

    g_hat = 1/(2 M sigma) sum over M pairs of (f(x + sigma e) - f(x - sigma e)) e

What e is drawn from makes the method. `Moves` yields the e, a few at a time, and can be gone through again:
weights that depend on the whole population (`shaping`) need all losses first, and then the same e.
"""

from collections.abc import Callable, Iterator
from functools import partial

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.method import Prepared
from gradmark.noise import WeightedSum, noise_rows
from gradmark.parameters import Parameters, ravel, size
from gradmark.population import Evaluator, evaluator, members_per_chunk
from gradmark.problem import Problem
from methods.evolution.calling import prepared
from methods.evolution.shaping import shaped

Moves = Callable[[], Iterator[Array]]
"""Makes the same vectors e again at each call, in arrays of shape (at most some, P)."""
Rows = Callable[[Arrays, int, int, int, int], Iterator[Array]]
"""``rows(arrays, seed, number, P, chunk)``: `number` vectors e in arrays of shape (at most `chunk`, P)."""


def rows_of(law: str) -> Rows:
    """Independent vectors of a law of `gradmark.noise.noise_rows`."""

    def rows(arrays: Arrays, seed: int, number: int, size: int, chunk: int) -> Iterator[Array]:
        return noise_rows(arrays, law, seed, number, size, chunk)

    return rows


def prepared_mirrored(problem: Problem, rows: Rows, sigma: float, pairs: int, shaping: str) -> Prepared:
    """What a method prepares whose moves are `pairs` such rows, each with its mirror image."""
    evaluate = evaluator(problem)

    def estimate(point: Parameters, draw: Draw, seed: int) -> Parameters:
        number = size(point)
        chunk = members_per_chunk(problem, draw, number)
        moves = partial(rows, problem.arrays, seed, pairs, number, chunk)
        return mirrored_estimate(evaluate, problem, point, draw, moves, sigma, pairs, shaping)

    return prepared(problem, estimate)


def mirrored(
    evaluate: Evaluator, problem: Problem, point: Parameters, draw: Draw, moves: Moves, sigma: float
) -> Iterator[tuple[Array, Array, Array]]:
    """e (k, P), f(x + sigma e) and f(x - sigma e), both (k,), for the next k of the moves."""
    x, unravel = ravel(point, problem.arrays.xp)
    for e in moves():
        move = sigma * e
        yield e, evaluate(unravel(x + move), point, draw), evaluate(unravel(x - move), point, draw)


def mirrored_estimate(
    evaluate: Evaluator,
    problem: Problem,
    point: Parameters,
    draw: Draw,
    moves: Moves,
    sigma: float,
    pairs: int,
    shaping: str = "identity",
) -> Parameters:
    """The estimate above from `pairs` pairs; its memory is that of a chunk, whatever their number."""
    x, unravel = ravel(point, problem.arrays.xp)
    total = WeightedSum(problem.arrays, x.shape[0])
    if shaping == "identity":
        for e, above, below in mirrored(evaluate, problem, point, draw, moves, sigma):
            total.add(above - below, e)
    else:
        weights, start = _weights(evaluate, problem, point, draw, moves, sigma, shaping), 0
        for e in moves():
            total.add(weights[start : start + e.shape[0]], e)
            start += e.shape[0]
    return unravel(total.divided(2 * pairs * sigma))


def _weights(
    evaluate: Evaluator,
    problem: Problem,
    point: Parameters,
    draw: Draw,
    moves: Moves,
    sigma: float,
    shaping: str,
) -> Array:
    """The shaped losses of all pairs, above minus below: (M,)."""
    xp = problem.arrays.xp
    found = [(above, below) for _, above, below in mirrored(evaluate, problem, point, draw, moves, sigma)]
    above, below = (xp.concat(list(each)) for each in zip(*found, strict=True))
    weights = shaped(problem.arrays, shaping, xp.stack([above, below]))
    return weights[0, ...] - weights[1, ...]
