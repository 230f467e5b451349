"""Differences of the gradient: H v = (g(x + h v) - g(x - h v)) / 2h, with g by backpropagation.

The oldest way to a Hessian-vector product without second derivatives: two gradients, whatever P is. The error
is of order h^2 |g'''| + eps |g| / h, at best about eps^(2/3). Along the basis directions it makes the
Hessian, row by row, which is symmetric but for that error. The divisor is the step as rounded: what of
(x + h v) - (x - h v) lies along v.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from gradmark.arguments import check_positive
from gradmark.arrays import Array, Arrays
from gradmark.claims import Claims, Growth, Truncated
from gradmark.draw import Draw
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from methods.answering import answering, rows
from methods.finite_difference import steps
from methods.reverse.backprop import Backprop


@dataclass(frozen=True)
class GradientDifference:
    """Two-sided differences of the hand-derived gradient, for problems that know their layers.

    `step` is how far the coordinate goes that moves most; None: eps^(1/3) times the root mean square of an
    array, so that no array that moves goes farther than that.
    """

    step: float | None = None

    def __post_init__(self) -> None:
        if self.step is not None:
            check_positive("gradient_difference", "step", self.step)

    @property
    def claims(self) -> Claims:
        """Second order in the step; two gradients for a product with H, 2P for the Hessian."""
        return Claims(
            family="finite-difference",
            exactness=Truncated(2, "step"),
            reads=frozenset({"loss", "pullback"}),
            growth=Growth(),
            wants=frozenset({"hvp", "hessian"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs layers, as backpropagation does."""
        return unsupported(self, problem, want) or Backprop().supports(problem)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Prepare the gradient: workspaces, or a compilation."""
        check_supported(self, problem, want)
        gradient = Backprop().prepare(problem)
        answer = self._hvp if want == "hvp" else self._hessian
        compiled = problem.arrays.backend == "jax"
        return answering(problem, want, partial(answer, problem.arrays, gradient), declared=compiled)

    def _hvp(
        self, arrays: Arrays, gradient: Prepared, point: Parameters, draw: Draw, v: Parameters
    ) -> tuple[dict[str, Array], None]:
        """H v; parameters without a direction do not move."""
        h = _along(arrays, point, v, self.step)
        right, left = ({**point, **{name: point[name] + s * h * v[name] for name in v}} for s in (1, -1))
        distance = _distance(arrays, {name: right[name] - left[name] for name in v}, v)
        # A result is valid until the next call: a gradient may live in buffers.
        ahead = {
            name: arrays.xp.asarray(g, copy=True) for name, g in gradient(right, draw=draw).result.items()
        }
        behind = gradient(left, draw=draw).result
        return {name: (ahead[name] - behind[name]) / distance for name in point}, None

    def _hessian(
        self, arrays: Arrays, gradient: Prepared, point: Parameters, draw: Draw, _: None
    ) -> tuple[dict[str, dict[str, Array]], None]:
        def block_row(name: str, x: Array) -> dict[str, Array]:
            def product(one: Array) -> Mapping[str, Array]:
                found, _ = self._hvp(arrays, gradient, point, draw, {name: one[0, ...]})
                return {other: array[None, ...] for other, array in found.items()}

            return rows(arrays, x, product, lambda number: 1)

        return {name: block_row(name, x) for name, x in point.items()}, None


def _along(arrays: Arrays, point: Parameters, v: Parameters, step: float | None) -> Array:
    """The factor h of v, so that no array of `point` moves farther than it may; 1 where v is zero."""
    xp, found = arrays.xp, None
    for name, direction in v.items():
        largest = xp.max(xp.abs(direction))
        wanted = steps.wanted(arrays, point[name], steps.central_rule, step)
        may = xp.max(steps.resolved(arrays, point[name], wanted))
        h = may / xp.where(largest > 0, largest, xp.ones_like(largest))
        h = xp.where(largest > 0, h, xp.full_like(h, float("inf")))
        found = h if found is None else xp.minimum(found, h)
    return xp.where(xp.isfinite(found), found, xp.ones_like(found))


def _distance(arrays: Arrays, moved: Parameters, v: Parameters) -> Array:
    """How many times v what was moved is, 1 where v is zero: then nothing was."""
    xp = arrays.xp
    along: Any = sum(xp.sum(moved[name] * v[name]) for name in v)
    squared: Any = sum(xp.sum(v[name] * v[name]) for name in v)
    one = xp.ones_like(squared)
    return xp.where(squared > 0, along / xp.where(squared > 0, squared, one), one)
