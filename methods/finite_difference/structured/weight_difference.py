"""Central differences of every weight that use the network's structure: the same stencil, less work.

(f(x + h e_i) - f(x - h e_i)) / 2h with the steps of `central_difference`, and equal to it up to the rounding
of the loss, eps |f| / h. But what lies before the moved layer is computed once (`suffixes`). On a chain of
dense layers a weight moves one column of its pre-activations by a multiple of an input, and so the next ones
by a rank-1 update,

    z_l[:, i] + d x[:, j],   z_{l+1} + dh W_{l+1}[:, i]^T,   dh = sigma(z_l[:, i] + d x[:, j]) - h_l[:, i],

so that whole matrix products remain from layer l + 2 on (`weight_difference_on_chains`).
"""

from dataclasses import dataclass
from typing import Any

from gradmark.arguments import check_positive, check_switch
from gradmark.claims import Claims, Growth, Truncated
from gradmark.dense_chain import chain_of
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, detached, finished, size
from gradmark.problem import Problem
from gradmark.work import Work, counting
from methods.finite_difference import steps
from methods.finite_difference.structured.suffixes import states_of, suffix_losses
from methods.finite_difference.structured.weight_difference_on_chains import prepare_on_chain


@dataclass(frozen=True)
class WeightDifference:
    """Two-sided differences of the loss, weight by weight, each over the layers behind it.

    `step` is the absolute step of every weight; None: eps^(1/3) times the size of the weight (see
    `steps.lengths`). `fast` lets it use rank-1 updates on chains of dense layers on NumPy and torch.
    """

    step: float | None = None
    fast: bool = True

    def __post_init__(self) -> None:
        if self.step is not None:
            check_positive("weight_difference", "step", self.step)
        check_switch("weight_difference", "fast", self.fast)

    @property
    def claims(self) -> Claims:
        """Second order in the step; a forward pass, and two evaluations behind each weight."""
        return Claims(
            family="finite-difference",
            exactness=Truncated(2, "step"),
            reads=frozenset({"loss", "layers"}),
            growth=Growth(
                passes=1,
                time={"parameters": 2, "batch": 1, "depth": 2},
                memory={"parameters": 1, "batch": 1, "depth": 1},
            ),
            work=lambda problem: Work(forward=1 + 2 * size(problem.parameters)),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs layers that take a population axis."""
        if problem.layers is None:
            return f"{problem.call.name} has no layers, behind which a weight could be moved"
        if not problem.population:
            return f"{problem.call.name} takes no population axis"
        return unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Allocate the workspace of a chain; elsewhere bind (on JAX compile) the passes over its parts."""
        check_supported(self, problem, want)
        if self.fast and (chain := chain_of(problem)) is not None:
            return prepare_on_chain(problem, chain, self.step)
        return _portable(problem, self.step)


def _portable(problem: Problem, step: float | None) -> Prepared:
    arrays, states_at, losses_at = problem.arrays, states_of(problem), suffix_losses(problem)
    value, compiled = problem.criterion.value, arrays.backend == "jax"  # type: ignore[union-attr]

    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        draw, point, result = draw or problem.default_draw, detached(parameters), {}
        with counting() as work:
            states = states_at(point, draw)
            for name, x in point.items():
                h = steps.resolved(arrays, x, steps.wanted_alone(arrays, x, steps.central_rule, step))
                right, left = x + h, x - h
                ends = [losses_at(point, draw, states, name, moved) for moved in (right, left)]
                result[name] = (ends[0] - ends[1]) / (right - left)
        return Estimate(finished(result), value(states[-1], draw), work.total(declared=compiled))

    return gradient
