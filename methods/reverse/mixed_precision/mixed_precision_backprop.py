"""Backpropagation in 16 bits with a wide master copy and a scaled loss (Micikevicius et al. 2018).

Parameters come in float32 (or float64) and are rounded to 16 bits; so are the activations and the deltas of
all layers, while sums are accumulated in float32. The loss and its gradient at the outputs are computed in
the master's dtype. float16 ends at 2^-24 = 6e-8, below which the deltas of deep layers vanish: so the delta
at the outputs is multiplied by a scale, and the gradient, in the master's dtype again, divided by it.
bfloat16 has the range of float32 and needs no scale, and 8 bits where float16 has 11.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.measuring.saved import saved_by_layers
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import detached
from gradmark.problem import Problem
from gradmark.work import Work, counting
from methods.reverse.mixed_precision.loss_scale import checked
from methods.reverse.mixed_precision.narrow import narrowed
from methods.reverse.mixed_precision.scaling import Scaling

_MASTERS = ("float32", "float64")


@dataclass(frozen=True)
class MixedPrecisionBackprop:
    """Layers in `precision`, float16 or bfloat16, on torch.

    `loss_scale` is dynamic (start at `scale`, half after an overflow, twice after `growth_interval` good
    calls), static (`scale`) or none. The history goes from call to call as `state`, a `LossScale`. Where the
    gradient overflows, the dynamic scale is halved and the way back repeated within the call, up to `retries`
    times: 30 lead from 2^16 to the floor of 2^-14. A call that still has no gradient is skipped, as torch's
    GradScaler skips a step: the result is NaN everywhere, and `state` says the reason and the new scale. An
    overflow at the floor, and one on the way forward, is a `UsageError`.

    Without a scale float16 loses what is below 2^-24, so that ``loss_scale=none`` can fail the judge where
    deltas are small: that is a finding about float16.
    """

    precision: str = "float16"
    loss_scale: str = "dynamic"
    scale: float = 2.0**16
    growth_interval: int = 2000
    retries: int = 30

    def __post_init__(self) -> None:
        self._scaling()

    def _scaling(self) -> Scaling:
        return Scaling(
            "mixed_precision_backprop",
            self.precision,
            self.loss_scale,
            self.scale,
            self.growth_interval,
            self.retries,
        )

    @property
    def claims(self) -> Claims:
        """Exact in `precision`; how often the way back is repeated is told by `work` of each call."""
        once = self._scaling().tries == 1
        return Claims(
            family="reverse",
            exactness=Exact(),
            reads=frozenset({"loss", "pullback"}),
            growth=Growth(
                passes=0,
                time={"parameters": 1, "batch": 1, "depth": 1},
                memory={"parameters": 1, "batch": 1, "depth": 1},
            ),
            work=(lambda problem: Work(forward=1, pullback=1)) if once else None,
            precision=self.precision,
            backends=frozenset({"torch"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs layers, a wide master copy, and each layer in `precision`."""
        if reason := unsupported(self, problem, want):
            return reason
        if problem.layers is None:
            return f"{problem.call.name} has no layers to run in {self.precision}"
        if problem.arrays.dtype not in _MASTERS:
            return f"its master copy is in {' or '.join(_MASTERS)}, not in {problem.arrays.dtype}"
        if problem.arrays.device == "meta":
            return "it looks whether numbers are finite, and meta tensors have none"
        try:
            narrowed(problem, self.precision)
        except UsageError as error:
            return str(error).rstrip(".")
        return None

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Move the layers to `precision`."""
        check_supported(self, problem, want)
        narrow, scaling = narrowed(problem, self.precision), self._scaling()
        no_grad, where = problem.arrays.xp.no_grad, problem.call.name

        def gradient(
            parameters: Any,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            before, draw = checked(state, scaling.first), draw or problem.default_draw
            with counting() as work, no_grad():
                trace = narrow.forward(detached(parameters), draw)
                assert problem.criterion is not None
                value = problem.criterion.value(trace.outputs, draw)
                result, after = scaling.gradient(partial(narrow.pullback, trace), before, where)
            return Estimate(result, value, work.total(), state=after)

        return gradient

    def saved(self, problem: Problem) -> dict[str, int]:
        """The bytes that each layer keeps first, in 16 bits, and the outputs in the master's dtype."""
        narrow = saved_by_layers(narrowed(problem, self.precision).narrow)
        return narrow | {"loss": saved_by_layers(problem)["loss"]}
