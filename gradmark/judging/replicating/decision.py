"""The black-box decision: estimates are drawn until a fault is found, or none as large as matters is left.

`decide` sees nothing but numbers, so that an impostor can stand before it as a method does:

    method = with_samples(hearing, site, 32)
    declared, drawn = declaration_of(hearing, site, method), Estimates(hearing, site, method)
    decide(drawn, declared, alpha=1e-8).fault                            # None
    decide(lambda k: 1.1 * drawn(k), declared, alpha=1e-8).fault.name    # "scale"

(`gradmark.judging.replicating.estimates`), or with any function of k that gives the estimate number k as a
vector.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from gradmark.judging.replicating import mean_and_variance
from gradmark.judging.replicating.declaration import Declaration
from gradmark.judging.replicating.mean_and_variance import Statistic
from gradmark.judging.replicating.replicates import Replicates, Sample
from gradmark.measuring.equivalence import equivalent
from gradmark.measuring.skew_corrected import FEWEST
from gradmark.measuring.spending import anytime, at_look, share

TESTS = 5
"""scale, arrays, variance, repeats, bias: equal shares of the false-alarm probability."""
MARGIN = 0.05
"""A scale within 5 % is what black-box tests can show in a second; 1 % would take 25 times as many."""
VARIANCE_MARGIN = 0.2
"""A declared variance that is off by a fifth is wrong."""
_TOTAL = 8192
"""The first look waits for that many samples in all estimates together: 256 estimates of 32. A mean of
fewer skewed numbers is not normal enough in the far tail."""
_MOST = 2**14
_FEWEST_LOOKS = 2
_UNSEEN = 1e-3
"""A mean that a test without a law finds as likely as this is not what is wrong, where something else is."""


@dataclass(frozen=True)
class Ruling:
    """A `Statistic` after all looks: its p-value holds for all of them (at most uniform). Is it `faulty`?"""

    test: Statistic
    p_value: float
    faulty: bool

    @property
    def name(self) -> str:
        """scale, arrays, variance, repeats or bias."""
        return self.test.name


@dataclass(frozen=True)
class Decision:
    """What was found after `count` estimates. `identical`: they were all the same; `moved` of them were not
    zero. `variance` is the declared relative one, None where there is none."""

    tested: tuple[Ruling, ...]
    count: int
    identical: bool
    moved: int
    variance: float | None = None

    @property
    def fault(self) -> Ruling | None:
        """The test that found a fault, of several the one that explains the others.

        A wrong scale moves everything, except where it was told by a law that a wrong variance breaks; one
        array's is blamed where the whole one is right or differs from it; else the surest.
        """
        faulty = {each.name: each for each in self.tested if each.faulty}
        whole, part, spread = (faulty.get(name) for name in ("scale", "arrays", "variance"))
        if whole is not None and spread is not None and self._spread_alone(whole.test, spread.test):
            return spread
        if whole is not None and (part is None or _overlap(whole.test, part.test)):
            return whole
        others = [part] if part is not None else list(faulty.values())
        return min(others, key=lambda each: each.p_value * each.test.reserve, default=None)

    def _spread_alone(self, scale: Statistic, variance: Statistic) -> bool:
        """Whether the mean is seen to be wrong only by taking a wrong spread for a right one.

        Estimates c times too large have c^2 + (c - 1)^2 / V times the declared variance V. Where theirs is
        another one, and a test that knows no law finds no fault of their mean, their spread is at fault.
        """
        if scale.lawless is None or scale.lawless < _UNSEEN or not self.variance:
            return False
        factors = [c * c + (c - 1) ** 2 / self.variance for c in (scale.value.low, scale.value.high)]
        explained = min(factors) <= variance.value.high and variance.value.low <= max(factors)
        return not explained

    def of(self, name: str) -> Ruling | None:
        """The test of that name, if it was made."""
        return next((each for each in self.tested if each.name == name), None)


def _overlap(one: Statistic, other: Statistic) -> bool:
    """Whether the intervals meet; those of faults that have no number (NaN) do."""
    return not (one.value.high < other.value.low or other.value.high < one.value.low)


def looks_for(samples: float) -> tuple[int, ...]:
    """The numbers of estimates at which to look: from 256 (more where `samples` is below 32), doubling, to
    2^14.

    >>> looks_for(32)
    (256, 512, 1024, 2048, 4096, 8192, 16384)
    """
    first = FEWEST
    while first * samples < _TOTAL:
        first *= 2
    last = max(_MOST, first * _FEWEST_LOOKS)
    return tuple(first * 2**k for k in range(int(math.log2(last / first)) + 1))


def decide(
    sample: Sample,
    declared: Declaration,
    alpha: float,
    looks: tuple[int, ...] | None = None,
    may_go_on: Callable[[], bool] = lambda: True,
    margin: float = MARGIN,
) -> Decision:
    """Draw ``sample(0)``, ``sample(1)``, ... until there is a decision, `looks` are used up, or time is.

    `alpha` is the probability with which a correct estimate may be called faulty, by all tests and looks
    together. With a single look the p-values are uniform (those over several arrays at most so); with
    several, at most uniform. It ends early where a fault is found, and where the scale is shown to be
    equivalent to 1 within `margin` and anything larger would have been found.
    """
    found, each, past = Replicates(declared), share(alpha, TESTS), dict[str, list[float]]()
    looks = looks or looks_for(declared.samples)
    tested: tuple[Ruling, ...] = ()
    for number, until in enumerate(looks, start=1):
        before = found.count
        found.extend(sample, until // 2, may_go_on)
        found.look_along()
        found.extend(sample, until, may_go_on)
        if found.count < FEWEST or found.count == before:
            break
        tests = _tests(found, declared, each, number, len(looks) == 1)
        single = len(looks) == 1
        tested = tuple(_judged(test, each, past.setdefault(test.name, []), single) for test in tests)
        if any(one.faulty for one in tested) or _settled(tested, margin) or not may_go_on():
            break
    return Decision(tested, found.count, found.identical, found.moved, declared.variance)


def _tests(
    found: Replicates, declared: Declaration, alpha: float, look: int, single: bool
) -> list[Statistic]:
    now = alpha if single else at_look(alpha, look)
    tests = (
        mean_and_variance.scale(found, declared, alpha if declared.degrees else now, single),
        mean_and_variance.parts(found, declared, now),
        mean_and_variance.variance(found, declared, alpha if declared.degrees else now, single),
        mean_and_variance.repeats(found, declared, now),
        mean_and_variance.bias(found, declared, now),
    )
    return [test for test in tests if test is not None]


def _judged(test: Statistic, alpha: float, past: list[float], single: bool) -> Ruling:
    past.append(test.p_value)
    p_value = test.p_value if test.anytime or single else anytime(past)
    return Ruling(test, p_value, p_value * test.reserve <= alpha)


def _settled(tested: tuple[Ruling, ...], margin: float) -> bool:
    """Whether going on could show nothing that matters."""
    limits = {"scale": margin, "variance": VARIANCE_MARGIN}
    sharp = all(each.test.detectable <= limits.get(each.name, math.inf) for each in tested)
    return sharp and equivalent(tested[0].test.value, 1.0, margin)
