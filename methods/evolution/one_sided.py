"""One-sided moves: the loss at x + sigma e alone, less a baseline, times e.

    leave one out   1/((N - 1) sigma) sum over N moves of (f(x + sigma e) - mean f) e
    centre          1/(m sigma) sum over m moves of (f(x + sigma e) - f(x)) e
    shaped          1/(N sigma) sum over N moves of w e,   w from the ranks of the losses

The mean of all N losses in place of that of the others takes off 1/N of the whole estimate, which N - 1 in
place of N gives back.
"""

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.noise import WeightedSum
from gradmark.parameters import Parameters, ravel
from gradmark.population import Evaluator
from gradmark.problem import Problem
from methods.evolution.mirrored import Moves
from methods.evolution.shaping import shaped


def less_their_mean(
    evaluate: Evaluator, problem: Problem, point: Parameters, draw: Draw, moves: Moves, sigma: float
) -> Parameters:
    """sum (f - mean f) e = sum (f - c) (e - mean e) for any c; with the first loss as c, digits stay."""
    xp, (x, unravel) = problem.arrays.xp, ravel(point, problem.arrays.xp)
    weighted, whole = WeightedSum(problem.arrays, x.shape[0]), WeightedSum(problem.arrays, x.shape[0])
    first, above = None, []
    for e in moves():
        f = evaluate(unravel(x + sigma * e), point, draw)
        first = f[0] if first is None else first
        above.append(f - first)
        weighted.add(above[-1], e)
        whole.add(xp.ones_like(f), e)
    every = xp.concat(above)
    others = every.shape[0] - 1
    return unravel((weighted.divided(others) - xp.mean(every) * whole.divided(others)) / sigma)


def less_the_centre(
    evaluate: Evaluator, problem: Problem, point: Parameters, draw: Draw, moves: Moves, sigma: float
) -> Parameters:
    """One evaluation more, at x itself; every move is then a sample by itself."""
    x, unravel = ravel(point, problem.arrays.xp)
    centre, number = evaluate(unravel(x[None, :]), point, draw)[0], 0
    total = WeightedSum(problem.arrays, x.shape[0])
    for e in moves():
        total.add(evaluate(unravel(x + sigma * e), point, draw) - centre, e)
        number += e.shape[0]
    return unravel(total.divided(number * sigma))


def shaped_moves(
    evaluate: Evaluator,
    problem: Problem,
    point: Parameters,
    draw: Draw,
    moves: Moves,
    sigma: float,
    shaping: str,
) -> Parameters:
    """All losses first, then the same moves again with their weights."""
    x, unravel = ravel(point, problem.arrays.xp)
    losses: list[Array] = [evaluate(unravel(x + sigma * e), point, draw) for e in moves()]
    weights, start = shaped(problem.arrays, shaping, problem.arrays.xp.concat(losses)), 0
    total = WeightedSum(problem.arrays, x.shape[0])
    for e in moves():
        total.add(weights[start : start + e.shape[0]], e)
        start += e.shape[0]
    return unravel(total.divided(start * sigma))
