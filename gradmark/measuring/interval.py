"""A number with the interval that goes with it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % interval (unless the function that made it says otherwise), in one unit.

    Where the data allow no statement, `low` and `high` are infinite (`low` is 0 for ratios).
    """

    value: float
    low: float
    high: float

    def __contains__(self, number: float) -> bool:
        return self.low <= number <= self.high
