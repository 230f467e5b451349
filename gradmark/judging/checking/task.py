"""What is checked, by whichever of the three public functions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gradmark.judging.checking.compare import Claim
from gradmark.judging.checking.meter import Meter
from gradmark.judging.checking.objective import Objective
from gradmark.judging.checking.same_again import Doubt
from gradmark.judging.checking.space import Space


class Side(Protocol):
    """What differs between a gradient, a vjp and a jvp."""

    def objective(self, point: int) -> Objective:
        """The scalar function that the claim is about at one of the points."""

    def claim(self, point: int, x: Any) -> Claim:
        """What is claimed there; raises `BrokenContract`."""

    def contract(self, claim: Claim, x: Any) -> list[Doubt]:
        """The rest of the contract at the point that was given; raises `BrokenContract`."""

    def code(self, given: str) -> str:
        """A line of Python that shows a finding again; `given` are the options as Python."""


@dataclass(frozen=True)
class Task:
    """One check: its subject in words, the point, and the options of `gradmark.check_gradient`."""

    subject: str
    side: Side
    space: Space
    x: Any
    meter: Meter
    seed: int = 0
    points: Sequence[Any] | None = None
    bounds: tuple[float, float] | None = None
    given: str = ""
    """The options that were given, as they stand in a call."""
    expected: dict[str, str] = field(default_factory=dict)
