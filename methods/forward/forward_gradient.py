"""Forward gradients: random directions v, each multiplied by the derivative along it.

    g_hat = 1/K sum over k of (g . v_k) v_k,   E[v v^T] = I

is the gradient on average, and needs forward mode alone (Baydin, Pearlmutter, Syme, Wood and Torr 2022).
Its variance E|g_hat - g|^2 is exact, whatever the loss; over |g|^2 it is

    gaussian (P + 1)/K,   rademacher (P - 1)/K,   orthonormal P/K - 1,

the last for K directions that are orthogonal to each other, of length sqrt(P): all of them are the gradient.
Antithetic directions v and -v gain nothing: (g . v) v is even in v, so that the second of a pair repeats the
first, and the variance is that of half as many directions.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gradmark.arguments import check_name, check_size, check_switch, memory_bytes
from gradmark.arrays import Array
from gradmark.claims import Claims, Growth, Target, Unbiased
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.noise import LAWS, WeightedSum, noise_rows
from gradmark.parameters import Parameters, detached, finished, ravel, size
from gradmark.population import per_chunk
from gradmark.problem import Problem
from gradmark.work import Work, counting
from methods.forward.slopes import against_layers, by_jax, by_layers, by_torch, transformed_together

_TRANSFORMS = {"torch": by_torch, "jax": by_jax}


@dataclass(frozen=True)
class ForwardGradient:
    """The mean of (g . v) v over `directions` random directions v.

    `law` is gaussian, rademacher (signs) or orthonormal; `antithetic` takes half of the directions, and the
    opposite of each. Derivatives along v come from the layers where each has a pushforward, else from
    ``torch.func.jvp`` or ``jax.jvp``. Orthonormal directions are held together, in 8 K P bytes.
    """

    directions: int = 16
    law: str = "gaussian"
    antithetic: bool = False

    def __post_init__(self) -> None:
        check_size("forward_gradient", "directions", self.directions)
        check_name("law", self.law, LAWS)
        if check_switch("forward_gradient", "antithetic", self.antithetic) and self.directions % 2:
            raise UsageError(
                f"forward_gradient: `directions={self.directions}` must be even with antithetic=True, "
                "because every direction comes with its opposite."
            )

    @property
    def claims(self) -> Claims:
        """Unbiased, with the variance of the law on any loss; a tangent pass for each direction.

        Antithetic: the variance of half as many directions, for the same work. Through layers there is one
        forward pass; else one for each chunk of directions held at once.
        """
        return Claims(
            family="forward",
            exactness=Unbiased("directions", self._factor, lambda problem, g: self._factor(size(g))),
            reads=frozenset({"loss", "pushforward", "torch graph", "jax trace"}),
            growth=Growth(passes=0, time={"parameters": 1, "batch": 1, "depth": 1}, memory={"parameters": 1}),
            work=self._work,
            target=Target(law="sphere" if self.law == "orthonormal" else self.law),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs layers that have a pushforward, or torch's or JAX's forward mode.

        And no more orthonormal directions than there are parameters, nor than memory holds.
        """
        if (reason := against_layers(problem)) and problem.arrays.backend not in _TRANSFORMS:
            return f"{reason}, and {problem.arrays.backend} has no forward mode"
        return self._unfit(size(problem.parameters)) or unsupported(self, problem, want)

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
                rows = noise_rows(
                    arrays, self.law, seed, self._drawn, number, together(problem, draw, number)
                )
                for v in self._mirrored(rows):
                    value, slopes = along(unravel(v))
                    total.add(slopes, v)
            result = finished(unravel(total.divided(self.directions)))
            return Estimate(result, value, work.total(declared=compiled))

        return gradient

    @property
    def _drawn(self) -> int:
        """How many directions are drawn."""
        return self.directions // 2 if self.antithetic else self.directions

    def _mirrored(self, rows: Iterator[Array]) -> Iterator[Array]:
        """Each chunk, and its mirror image where that is taken too."""
        for v in rows:
            yield v
            if self.antithetic:
                yield -v

    def _factor(self, number: int) -> float:
        """v in E|g_hat - g|^2 = v |g|^2 / K for `number` parameters."""
        repeated = self.directions // self._drawn
        if self.law == "orthonormal":
            return max(0.0, repeated * number - self.directions)
        return repeated * (number + 1 if self.law == "gaussian" else number - 1)

    def _unfit(self, number: int) -> str | None:
        """Why there are no such orthonormal directions, in words; None where there are."""
        if self.law != "orthonormal":
            return None
        if self._drawn > number:
            most = number * self.directions // self._drawn
            return (
                f"{self._drawn} directions cannot be orthogonal to each other in {number} dimensions: set "
                f"`directions` to at most {most}"
            )
        if 8 * self._drawn * number > memory_bytes():
            return f"{self._drawn} orthonormal directions of {number} parameters do not fit into memory"
        return None

    def _work(self, problem: Problem) -> Work:
        chunk = _together(problem)(problem, problem.default_draw, size(problem.parameters))
        chunks = math.ceil(self._drawn / chunk) * (self.directions // self._drawn)
        return Work(forward=1 if against_layers(problem) is None else chunks, tangent=self.directions)


def _together(problem: Problem) -> Callable[[Problem, Draw, int], int]:
    """The rule for how many directions go through the problem's forward mode at once."""
    return per_chunk if against_layers(problem) is None else transformed_together
