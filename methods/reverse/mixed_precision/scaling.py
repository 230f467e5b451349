"""The rule by which a scaled gradient is tried, and tried again at half the scale where it overflows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gradmark.arguments import check_name, check_number, check_size
from gradmark.errors import UsageError
from methods.reverse.mixed_precision.loss_scale import CEILING, FLOOR, LossScale

PRECISIONS = ("float16", "bfloat16")
LOSS_SCALES = ("dynamic", "static", "none")
Attempt = Callable[[float], tuple[dict[str, Any], str | None]]
"""The gradient found at a scale, and the first parameter on the way back where it is not finite."""


@dataclass(frozen=True)
class Scaling:
    """The hyper-parameters of a mixed-precision method that its scale depends on; `owner` is its name."""

    owner: str
    precision: str
    loss_scale: str
    scale: float
    growth_interval: int
    retries: int

    def __post_init__(self) -> None:
        check_name("precision", self.precision, PRECISIONS)
        check_name("loss_scale", self.loss_scale, LOSS_SCALES)
        check_number(self.owner, "scale", self.scale, FLOOR, CEILING)
        check_size(self.owner, "growth_interval", self.growth_interval)
        check_size(self.owner, "retries", self.retries, least=0)

    @property
    def dynamic(self) -> bool:
        """Whether the scale changes."""
        return self.loss_scale == "dynamic"

    @property
    def tries(self) -> int:
        """How often the way back may be made in one call."""
        return 1 + self.retries if self.dynamic else 1

    @property
    def first(self) -> LossScale:
        """The state of a call that is given none."""
        return LossScale(1.0 if self.loss_scale == "none" else float(self.scale))

    def gradient(self, attempt: Attempt, state: LossScale, where: str) -> tuple[dict[str, Any], LossScale]:
        """The gradient at the scale of `state`, or at half of it as long as it overflows; the next state.

        Raises `UsageError` for an overflow at the floor, `where` being the problem in words.
        """
        for _ in range(self.tries):
            gradient, overflow = attempt(state.scale)
            if overflow is None:
                return gradient, state.after_good(self.growth_interval if self.dynamic else None)
            said = (
                f"the gradient of `{overflow}`, the first on the way back, is not finite in {self.precision} "
                f"at the scale {state.scale:g}"
            )
            if self.dynamic and state.at_floor:
                raise UsageError(
                    f"{where}: {said}, which is no longer halved: the floor is {FLOOR:g}; scale the loss or "
                    "the inputs down."
                )
            state = state.halved() if self.dynamic else state
        nowhere = {name: array * float("nan") for name, array in gradient.items()}
        return nowhere, state.after_skip(said)
