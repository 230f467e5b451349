"""The factor that lifts a float16 gradient above the smallest number, and its history from call to call.

The dynamic rule is that of Micikevicius et al. (2018) and of torch's GradScaler: half after an overflow,
twice after `growth_interval` good calls in a row. All scales that start as a power of two stay one, so that
scaling rounds nothing.
"""

from dataclasses import dataclass, replace
from typing import Any

from gradmark.arguments import check_number
from gradmark.errors import UsageError, shown

FLOOR = 2.0**-14
"""No scale is below: a gradient that overflows even so lies beyond float16 by another 2^14."""
CEILING = 2.0**32
"""No scale is above: it would be reached only where all gradients are zero."""


@dataclass(frozen=True)
class LossScale:
    """What a call is given by the call before it, and gives to the next one.

    `good_steps` counts the calls since the scale was changed, `skipped` all calls that gave no gradient, and
    `reason` says why the last one gave none (None: it gave one).
    """

    scale: float
    good_steps: int = 0
    skipped: int = 0
    reason: str | None = None

    @property
    def at_floor(self) -> bool:
        """Whether it may not be halved."""
        return self.scale <= FLOOR

    def halved(self) -> "LossScale":
        """After an overflow."""
        return replace(self, scale=max(self.scale / 2, FLOOR), good_steps=0)

    def after_good(self, growth_interval: int | None) -> "LossScale":
        """After a gradient without overflow; `growth_interval` None: the scale is static."""
        good = replace(self, good_steps=self.good_steps + 1, reason=None)
        if growth_interval is None or good.good_steps < growth_interval:
            return good
        return replace(good, scale=min(2 * self.scale, CEILING), good_steps=0)

    def after_skip(self, reason: str) -> "LossScale":
        """After a call that gave no gradient."""
        return replace(self, good_steps=0, skipped=self.skipped + 1, reason=reason)


def checked(state: Any, first: LossScale) -> LossScale:
    """The `state` that a call was given; `first` where it was given none."""
    if state is None:
        return first
    if not isinstance(state, LossScale):
        raise UsageError(f"`state={shown(state)}` must be the `state` of an estimate, or None.")
    check_number("state", "scale", state.scale, FLOOR, CEILING)
    return state
