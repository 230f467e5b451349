"""Two one-sided tests: shown to be equal up to a margin, which is more than not shown to differ.

The mean is equivalent to `expected` if both "it is at most expected - margin" and "it is at least expected
+ margin" are rejected at level a: that is, if the 1 - 2 a interval lies within the margins (D. J.
Schuirmann, "A comparison of the two one-sided tests procedure and the power approach", Journal of
Pharmacokinetics and Biopharmaceutics 15:657, 1987).
"""

from gradmark.measuring.interval import Interval

FALSE_PASS = 0.01
"""The probability with which something as far off as the margin may be called equivalent."""


def confidence(false_pass: float = FALSE_PASS) -> float:
    """The confidence of the interval that decides: 1 - 2 a.

    >>> confidence(0.01)
    0.98
    """
    return 1 - 2 * false_pass


def equivalent(interval: Interval, expected: float, margin: float) -> bool:
    """Whether the whole interval (of the given `confidence`) lies within `margin` of `expected`.

    >>> equivalent(Interval(1.0, 0.97, 1.03), 1.0, 0.05), equivalent(Interval(1.0, 0.97, 1.06), 1.0, 0.05)
    (True, False)
    """
    return expected - margin < interval.low and interval.high < expected + margin
