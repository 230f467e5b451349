"""A method at one point, with the slack that two of its gradients may differ by."""

import math
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from gradmark import dtypes
from gradmark.draw import Draw
from gradmark.judging.hearing import Hearing, Numbers
from gradmark.judging.invariances.binding import bound, computing_dtype, step_of, truncated
from gradmark.judging.places.references import reference_at
from gradmark.judging.places.shared import noise_at
from gradmark.judging.places.sites import Site
from gradmark.measuring.norms import norm
from gradmark.method import Prepared
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.reference import NoReference
from gradmark.reference.point import Point

_TWO = 2.0
"""Two gradients are compared, and each may be off by the bound."""
_UNMEASURED = 1024.0
"""Epsilons of an array's size that rounding may take where no reference tells how much it takes."""
_SIGNIFICANT = 8.0
"""Standard deviations of the loss's noise, which is itself measured from few values."""


@dataclass
class Tally:
    """The passes and seconds that a method has taken."""

    passes: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class Subject:
    """The method of a hearing at a site; a truncated one with a `step` near its best."""

    hearing: Hearing
    site: Site
    tally: Tally = field(default_factory=Tally)

    @property
    def problem(self) -> Problem:
        """The problem of the hearing."""
        return self.hearing.problem

    @cached_property
    def point(self) -> Point:
        """The site in the problem's own dtype."""
        return Point(self.problem, self.site.parameters, self.site.draw)

    @cached_property
    def step(self) -> float | None:
        """The step of a truncated method."""
        claimed = truncated(self.hearing)
        return None if claimed is None else step_of(self.hearing, claimed.order)

    def prepare(self, problem: Problem, steps: float = 1.0) -> Prepared:
        """The method bound to `problem`, a truncated one with `steps` times `step`."""
        if self.step is None and problem is self.problem:
            return self.hearing.prepared
        return bound(self.hearing, problem, None if self.step is None else steps * self.step)

    def gradient(
        self, parameters: Parameters | None = None, draw: Draw | None = None, prepared: Prepared | None = None
    ) -> Numbers:
        """The method's gradient there (None: at the site), in longdouble."""
        answer = self.hearing.call(
            self.site.parameters if parameters is None else parameters,
            self.hearing.seed,
            draw or self.site.draw,
            prepared=prepared or self.prepare(self.problem),
        )
        self.tally.passes += answer.work.passes
        self.tally.seconds += answer.seconds
        return {name: np.asarray(array, np.longdouble) for name, array in answer.gradient.items()}

    @cached_property
    def here(self) -> Numbers:
        """The gradient at the site."""
        return self.gradient()

    @property
    def size(self) -> float:
        """The 2-norm of the gradient at the site."""
        return math.hypot(*(norm(array) for array in self.here.values()))

    @cached_property
    def slack(self) -> dict[str, float]:
        """For each array, how far two gradients that are equal in theory may be apart (2-norm)."""
        if self.step is not None:
            return self._of_differences(self.step, noise_at(self.problem, self.point))
        return {name: _TWO * limit for name, limit in self._rounding().items()}

    def slack_for(self, draws: list[Draw]) -> dict[str, float]:
        """The slack where the loss is also taken of other draws, whose noise may be larger."""
        if self.step is None:
            return self.slack
        points = [replace(self.point, draw=draw) for draw in (self.site.draw, *draws)]
        levels = [noise_at(self.problem, point) for point in points]
        return self._of_differences(self.step, max(levels))

    @cached_property
    def truncation(self) -> dict[str, float]:
        """What a step twice as long changes, at least the truncation of `step`; 0 for exact methods."""
        if self.step is None:
            return dict.fromkeys(self.here, 0.0)
        longer = self.gradient(prepared=self.prepare(self.problem, 2.0))
        return {name: norm(longer[name] - array) for name, array in self.here.items()}

    def _rounding(self) -> dict[str, float]:
        dtype = computing_dtype(self.hearing)
        try:
            reference = reference_at(self.problem, self.site, self.hearing.method.claims.reads)
            return reference.rounding_in(dtype)
        except NoReference:
            unit = _UNMEASURED * dtypes.epsilon(dtype)
            return {name: unit * norm(array) for name, array in self.here.items()}

    def _of_differences(self, step: float, level: float) -> dict[str, float]:
        """Noise of the values and of the moved points over the step, and what a step twice as long changes.

        Truncation itself cancels in whatever is linear in the loss. The last term is for methods that choose
        their steps by what they see; it is of the size of the first ones at a step near the best.
        """
        unit = dtypes.epsilon(computing_dtype(self.hearing))
        level *= unit / self.point.epsilon
        slack = {}
        for name, array in self.here.items():
            of_moves = unit * float(np.max(np.abs(self.point.numbers[name]), initial=0)) * norm(array)
            noise = _SIGNIFICANT * (level * math.sqrt(array.size) + of_moves) / step
            slack[name] = _TWO * (noise + self.truncation[name])
        return slack
