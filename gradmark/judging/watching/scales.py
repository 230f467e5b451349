"""What a wrong scale looks like: the common slips of estimators, told by the factor that they leave."""

import math

from gradmark.judging.watching.weights import Weights

_NEAR = 1e-4
"""A factor is recognised within this, or within what is known of the scale where that is less."""


def slip(weights: Weights, sigma: float) -> str | None:
    """The slip that explains the scale, in words; None where none is known that does.

    They are those met in public repositories, such as a lost 1/sigma, a lost N/(N-1), or a sum for a mean.
    """
    scale, slack = weights.scale(sigma), max(_NEAR, 2 * weights.scale_error(sigma))
    moves, count = weights.lines.moves, weights.lines.count
    known = {
        "the sign is wrong": -1.0,
        "1/sigma is missing": sigma,
        "1/sigma^2 is missing": sigma**2,
        "it divides by sigma once too often": 1 / sigma,
        "it is a sum and not a mean": float(moves),
        "it sums over directions and does not divide": float(count),
        "it divides by the number of moves once too often": 1 / moves,
        "it is off by a factor of two": 2.0,
        "it is half of what it should be": 0.5,
        "a mean loss as baseline needs N/(N-1)": 1 - 1 / moves,
        "a factor N/(N-1) stands there without need": 1 / (1 - 1 / moves) if moves > 1 else math.nan,
    }
    return next((words for words, factor in known.items() if abs(scale / factor - 1) <= slack), None)
