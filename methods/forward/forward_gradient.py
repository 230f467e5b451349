"""Forward gradients: random directions v, each multiplied by the derivative along it.

    g_hat = 1/K sum over k of (g . v_k) v_k,   v_k ~ N(0, I)

is the gradient on average, because E[v v^T] = I, and needs forward mode alone (Baydin, Pearlmutter, Syme,
Wood and Torr 2022). Its variance is E|g_hat - g|^2 = (P + 1) |g|^2 / K: exact, whatever the loss.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gradmark.arguments import check_size
from gradmark.claims import Claims, Growth, Unbiased
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.noise import WeightedSum, normal_rows
from gradmark.parameters import Parameters, detached, finished, ravel, size
from gradmark.population import per_chunk
from gradmark.problem import Problem
from gradmark.work import Work, counting
from methods.forward.slopes import against_layers, by_jax, by_layers, by_torch, transformed_together

_TRANSFORMS = {"torch": by_torch, "jax": by_jax}


@dataclass(frozen=True)
class ForwardGradient:
    """The mean of (g . v) v over `directions` normal directions v.

    Derivatives along v come from the layers where each has a pushforward, else from ``torch.func.jvp`` or
    ``jax.jvp``.
    """

    directions: int = 16

    def __post_init__(self) -> None:
        check_size("forward_gradient", "directions", self.directions)

    @property
    def claims(self) -> Claims:
        """Unbiased with variance factor P + 1; a tangent pass for each direction.

        Through layers there is one forward pass; else one for each chunk of directions held at once.
        """
        return Claims(
            family="forward",
            exactness=Unbiased("directions", lambda number: number + 1),
            reads=frozenset({"loss", "pushforward", "torch graph", "jax trace"}),
            growth=Growth(passes=0, time={"parameters": 1, "batch": 1, "depth": 1}, memory={"parameters": 1}),
            work=self._work,
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs layers that have a pushforward, or torch's or JAX's forward mode."""
        if (reason := against_layers(problem)) and problem.arrays.backend not in _TRANSFORMS:
            return f"{reason}, and {problem.arrays.backend} has no forward mode"
        return unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Choose the forward mode; compile on JAX."""
        check_supported(self, problem, want)
        arrays, together = problem.arrays, _together(problem)
        transformed = against_layers(problem) is not None
        bind = (_TRANSFORMS[arrays.backend] if transformed else by_layers)(problem)
        compiled = transformed or arrays.backend == "jax"

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw, (point, unravel) = draw or problem.default_draw, ravel(detached(parameters), arrays.xp)
            number, total, value = point.shape[0], WeightedSum(arrays, point.shape[0]), None
            with counting() as work:
                along = bind(unravel(point), draw)
                for v in normal_rows(arrays, seed, self.directions, number, together(problem, draw, number)):
                    value, slopes = along(unravel(v))
                    total.add(slopes, v)
            result = finished(unravel(total.divided(self.directions)))
            return Estimate(result, value, work.total(declared=compiled))

        return gradient

    def _work(self, problem: Problem) -> Work:
        chunk = _together(problem)(problem, problem.default_draw, size(problem.parameters))
        forward = 1 if against_layers(problem) is None else math.ceil(self.directions / chunk)
        return Work(forward=forward, tangent=self.directions)


def _together(problem: Problem) -> Callable[[Problem, Draw, int], int]:
    """The rule for how many directions go through the problem's forward mode at once."""
    return per_chunk if against_layers(problem) is None else transformed_together
