"""Work that no count shows: a method that makes more passes than it states.

A pass over more rows takes longer, and nothing else does: so the time that more rows cost the method, over
what they cost the loss, is the number of passes that are really made. What is spent on each parameter or
call, by an interpreter or a generator of noise, cancels. A method that goes through the rows one by one is
slow by a factor, but the number of passes that it seems to make does not grow with P, as that of a loop over
P coordinates does.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gradmark.judging.verdict import Evidence, Finding

CHECK = "cost.hidden"
FAR = 50.0
"""Passes made for each one stated. A pullback costs two, memory traffic some; a loop over coordinates P."""
_HALF = 0.5
"""The power of P by which they must grow besides."""


@dataclass(frozen=True)
class Rows:
    """Seconds of a call, which has `stated` passes, and of the loss, with few rows and with all."""

    size: float
    stated: float
    method_few: float
    method_all: float
    loss_few: float
    loss_all: float

    @property
    def passes(self) -> float:
        """Passes made for each one stated; not below the one itself, and 1 where the loss shows no rows."""
        more = self.loss_all - self.loss_few
        return max(1.0, (self.method_all - self.method_few) / (self.stated * more)) if more > 0 else 1.0


def judged(measured: Sequence[tuple[Rows, Rows]], allowed: float) -> Finding:
    """Whether a method makes passes that it does not state: at a small and a large size, in each measurement.

    `allowed` is the power of P by which the claims let the time of a stated pass grow beyond that of a loss.
    """
    size, least = measured[0][1].size, min(large.passes for _, large in measured)
    said = f"for each pass that it states, the time says {least:.2g} at P={size:g}"
    if least <= FAR:
        return Finding(CHECK, "passed", f"{said}.")
    powers = [
        math.log(large.passes / small.passes) / math.log(large.size / small.size) for small, large in measured
    ]
    if min(powers) < allowed + _HALF:
        return Finding(CHECK, "skipped", f"{said}, which is slow, but it does not grow with P.")
    evidence = Evidence("passes that the time says for each one stated", found=least, expected=1.0)
    reason = f"{said}, and they grow with P^{min(powers):.1f}: it makes passes that it does not state."
    return Finding(CHECK, "failed", reason, evidence=evidence)
