"""What the tests of a random estimate say, in words."""

from gradmark.judging.replicating.decision import MARGIN
from gradmark.judging.replicating.mean_and_variance import Statistic
from gradmark.judging.verdict import Status
from gradmark.measuring.equivalence import equivalent

SAME = "it gives the same answer for every seed"
MEASURED = {
    "scale": "the mean of <g_hat, g>/|g|^2",
    "arrays": "the mean of <g_hat, g>/|g|^2 of one array",
    "variance": "the mean of |g_hat - g|^2 over its declared value",
    "repeats": "the mean of <g_1 - g, g_2 - g>/|g|^2 over neighbouring seeds",
    "bias": "the mean of <g_hat - g, u>/|g|, u where earlier estimates lay off",
}
"""The number that each test measures."""


def described(test: Statistic, wrong: bool) -> str:
    """What was measured, as a statement about the method."""
    value = f"{test.value.value:.4g} (98 %: {test.value.low:.4g} to {test.value.high:.4g})"
    if test.name == "scale":
        if equivalent(test.value, 1.0, MARGIN) and not wrong:
            return f"its mean along the gradient is the gradient within {MARGIN:.0%}: {value} times"
        return f"its mean along the gradient is {value} times the gradient"
    if test.name == "arrays":
        return f"its mean for `{test.part}` is {value} times the gradient's"
    if test.name == "variance":
        return f"its variance is {value} times what it declares"
    if test.name == "repeats":
        said = "share" if wrong else "do not share"
        return f"estimates of neighbouring seeds {said} their noise: their product is {value} times |g|^2"
    said = "lies off" if wrong else "was not seen to lie off"
    return f"its mean {said} the declared one: {value} times |g| along where earlier estimates lay off"


def power(test: Statistic, status: Status) -> str:
    """The smallest fault that would have been found, unless one was, or there is no size to it."""
    if status == "failed" or test.name == "repeats":
        return ""
    many = f"{test.detectable:.1%}" if test.detectable < 1 else "a factor of 2"
    if status == "passed":
        return f"; a fault of {many} would have been seen"
    return f"; that is too few: not even {many} would surely be seen"
