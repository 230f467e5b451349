"""A limit that a measured ratio is held against. It is missed when the whole interval lies beyond it."""

from dataclasses import dataclass
from typing import Literal

from gradmark.measuring.interval import Interval

Verdict = Literal["met", "not told", "MISSED"]


@dataclass(frozen=True)
class Bound:
    """`ratio` must be at least, or at most, `limit`."""

    what: str
    ratio: Interval
    limit: float
    at_least: bool = True

    @property
    def verdict(self) -> Verdict:
        """met: the estimate keeps the limit; MISSED: all of its interval breaks it; else not told."""
        sign = 1 if self.at_least else -1
        far = self.ratio.high if self.at_least else self.ratio.low
        if sign * (self.ratio.value - self.limit) >= 0:
            return "met"
        return "not told" if sign * (far - self.limit) >= 0 else "MISSED"


def print_bounds(title: str, bounds: list[Bound]) -> None:
    """How many of `bounds` are met, and the others one by one."""
    met = [bound for bound in bounds if bound.verdict == "met"]
    print(f"- {title}: {len(met)} of {len(bounds)} met")
    for bound in bounds:
        if bound.verdict != "met":
            print(f"  {_line(bound)}")


def print_each(bounds: list[Bound]) -> None:
    """Every one of `bounds`, met or not."""
    for bound in bounds:
        print(_line(bound))


def _line(bound: Bound) -> str:
    sign = "at least" if bound.at_least else "at most"
    return f"- {bound.what}: {shown(bound.ratio)}, {sign} {bound.limit:.2f}: {bound.verdict}"


def shown(ratio: Interval) -> str:
    """``1.23 [1.20, 1.26]``."""
    return f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
