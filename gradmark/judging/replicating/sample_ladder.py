"""A ladder of numbers of samples, with estimates on each rung: what a declared variance predicts of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.judging.hearing import Hearing
from gradmark.judging.places.sites import Site
from gradmark.judging.replicating.declaration import Declaration
from gradmark.judging.replicating.estimates import (
    Estimates,
    NoTarget,
    declaration_of,
    samples_of,
    with_samples,
)
from gradmark.measuring.skew_corrected import FEWEST, MeanTest, mean_test

SAMPLES = (16, 64, 256, 1024, 4096)
FEWEST_LEVELS = 3
"""A slope through two numbers of samples shows no bend."""
_LEAST = 4
"""Samples, from which on the law of the cosine is known as well as is stated (`law_is_off`)."""
_USABLE = 0.5
"""Of the time there is: the rest is for the slower calls among those to come."""


@dataclass(frozen=True)
class Level:
    """One number of samples: where estimates come from, and what they are held to."""

    samples: float
    drawn: Estimates
    declared: Declaration

    @property
    def ratio(self) -> float:
        """M / v, the inverse of the declared relative variance."""
        assert self.declared.variance is not None
        return 1 / self.declared.variance


def levels_within(
    hearing: Hearing, site: Site, seconds: float, ladder: Sequence[int] = SAMPLES
) -> list[Level]:
    """The numbers of samples of the ladder that the method takes, that leave a variance and fit in time.

    Where these are few and time is not why, as with directions that are orthogonal, of which there are no
    more than parameters, they are powers of two from `_LEAST` to the last of the ladder.
    """
    found, in_time = _climbed(hearing, site, seconds, ladder)
    if len(found) < FEWEST_LEVELS and in_time:
        found, _ = _climbed(hearing, site, seconds, _powers(ladder[-1]))
    return found


def _climbed(hearing: Hearing, site: Site, seconds: float, ladder: Sequence[int]) -> tuple[list[Level], bool]:
    """The levels, and whether time was enough for all of the ladder."""
    found: list[Level] = []
    for stream, samples in enumerate(ladder):
        method = with_samples(hearing, site, samples)
        if samples_of(method) != samples:
            continue
        declared = declaration_of(hearing, site, method)
        if declared.variance is None:
            raise NoTarget("a variance is declared for a linear loss, which this is not.")
        if declared.variance == 0:  # as that of all directions of a space
            continue
        drawn = Estimates(hearing, site, method, stream + 1)
        begun = hearing.clock.spent()
        drawn(0)
        seconds -= (hearing.clock.spent() - begun) * FEWEST / _USABLE
        if seconds < 0:
            return found, False
        found.append(Level(samples, drawn, declared))
    return found, True


def _powers(most: int) -> list[int]:
    """Powers of two from `_LEAST` to `most`."""
    return [2**power for power in range(_LEAST.bit_length() - 1, most.bit_length())]


@dataclass(frozen=True)
class Measured:
    """Of each estimate at one level: |g_hat - g|^2/|g|^2, the cosine, and the error once shrunk, squared."""

    squares: Any
    cosines: Any
    shrunk: Any


def measured(level: Level) -> Measured:
    g = level.declared.gradient
    length, factor = float(np.linalg.norm(g)), level.ratio / (1 + level.ratio)
    rows = np.stack([level.drawn(1 + k) for k in range(FEWEST)])
    with np.errstate(all="ignore"):
        cosines = rows @ g / (np.linalg.norm(rows, axis=1) * length)
        squares = np.sum((rows - g) ** 2, axis=1) / length**2
        shrunk = np.sum((factor * rows - g) ** 2, axis=1) / length**2
    return Measured(squares, np.nan_to_num(cosines), shrunk)


def cosine_law(level: Level) -> float:
    return math.sqrt(level.ratio / (1 + level.ratio))


def law_is_off(level: Level) -> float:
    """How far sqrt(M / (M + v)), the law of many samples and parameters, may be from the mean cosine.

    cos (1 - cos^2) (1/M + 1/P) is twice the relative variance of a cosine, and its mean is off by less; of
    normal directions, whose cos^2 is Beta(M/2, (P - 1)/2), by at most this from P = 2 and M = 4 on.
    """
    law, size = cosine_law(level), np.size(level.declared.gradient)
    return law * (1 - law * law) * (1 / level.samples + 1 / size)


def against_law(level: Level, measured: Measured) -> MeanTest:
    return mean_test(measured.cosines, cosine_law(level), law_is_off(level) + level.declared.slack)


def shrunk_law(level: Level) -> float:
    """v / (M + v), the mean squared error of the shrunk estimate: exact for any unbiased one."""
    return 1 / (1 + level.ratio)


def shrunk_against_law(level: Level, measured: Measured) -> MeanTest:
    return mean_test(measured.shrunk / shrunk_law(level), 1.0, level.declared.slack)
