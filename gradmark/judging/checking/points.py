"""The points at which a gradient is looked at, besides the one that was given."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradmark.judging.checking.carried import Carried
from gradmark.random import generator
from gradmark.reference.scale import typical_sizes

AT = "as given"
_HALVINGS = 8
"""How often a point is brought nearer before it is given up: to 1/256 of the way."""
_DESCENT = 0.25
"""The first step of descent, of the size of the parameters."""
_NEARBY = 0.1
"""The relative change of the point nearby."""
_SCALES = (2.0**-6, 2.0**2)
"""Factors of the rescaled point's two halves: a ratio of 256, as between a layer's weights and its inputs."""
_ENLARGED = 8.0
"""The factor of the enlarged point: units that were in their linear range saturate."""


_HALF_OF_THE_EXPONENTS = {"float16": 7, "bfloat16": 63, "float32": 63}
_HALF = 511
"""Of float64, and where it matters of longdouble."""
Along = Callable[[float], Any]


@dataclass(frozen=True)
class Candidate:
    """A point, flat and rounded to its dtype, its name in the report, and the value there if known."""

    name: str
    x: Any
    value: Any = None


@dataclass(frozen=True)
class Unusable:
    """A point that could not be used, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Search:
    """The `function` in the dtype of the point, the point `x` and its `value`, and where points may lie."""

    function: Carried
    x: Any
    value: Any
    seed: int = 0
    bounds: tuple[float, float] | None = None

    def points(self, gradient: Any, spare: int) -> Iterator[Candidate | Unusable]:
        """After descent, rescaled, enlarged, nearby; then `spare` more nearby ones.

        `gradient` is what to descend along, flat, or None for a random direction.
        """
        yield self._descended(gradient)
        for name, target in self._targets(spare):
            yield self.towards(name, functools.partial(self._between, target()))

    def towards(
        self, name: str, way: Along, wanted: Callable[[Any], bool] | None = None
    ) -> Candidate | Unusable:
        """The farthest point on the way, halved up to 8 times, that is inside and where the value is fit."""
        reason = "it could not be moved in its dtype"
        for halving in range(_HALVINGS + 1):
            point = self.function.objective.space.rounded(way(2.0**-halving))
            if not self._inside(point):
                reason = "all points on the way are out of `bounds`"
            elif np.all(point == self.x):
                break
            elif not abs(value := self.function(point)) <= self._largest:
                reason = "the function is not finite there, nor nearer"
            elif wanted is not None and not wanted(value):
                reason = "the function does not fall along the way"
            else:
                return Candidate(name, point, value)
        return Unusable(name, reason)

    @property
    def _largest(self) -> float:
        """The largest value at a point that is made up: a correct gradient does not overflow before the
        function.

        In exponents half of the way from 1, or from the value at the point where that is larger, to the
        largest number of the dtype; never below that value.
        """
        half, here = _HALF_OF_THE_EXPONENTS.get(self.function.arrays.dtype, _HALF), float(abs(self.value))
        return max(float(2.0**half * max(1.0, here) ** 0.5), here)

    def _descended(self, gradient: Any) -> Candidate | Unusable:
        signs = generator(self.seed, "judge", 46).choice([-1.0, 1.0], self.x.size)
        largest = 0.0 if gradient is None else float(np.max(np.abs(gradient)))
        along = -gradient / largest if largest > 0 else signs
        step = _DESCENT * self._sizes
        found = self.towards(
            "after descent", lambda part: self.x + part * step * along, lambda value: bool(value < self.value)
        )
        if isinstance(found, Candidate):
            return found
        # Along a wrong gradient, or at a minimum, it does not fall: somewhere else is as good.
        return self.towards("beside it", lambda part: self.x + part * step * signs)

    def _between(self, target: Any, part: float) -> Any:
        return self.x + part * (target - self.x)

    def _targets(self, spare: int) -> Iterator[tuple[str, Callable[[], Any]]]:
        yield "rescaled", self._rescaled
        yield "enlarged", lambda: self.x * _ENLARGED
        yield "nearby", functools.partial(self._nearby, 0)
        for index in range(1, 1 + spare):
            yield f"nearby ({1 + index})", functools.partial(self._nearby, index)

    def _nearby(self, index: int) -> Any:
        random = generator(self.seed, "judge", 44, index)
        sizes = np.where(self.x == 0, self._sizes, np.abs(self.x))
        return self.x + _NEARBY * sizes * random.uniform(-1, 1, self.x.size)

    def _rescaled(self) -> Any:
        """Every other array, or half of the entries of a single one, made small and the others large."""
        slices = self.function.objective.space.slices
        if len(slices) > 1:
            kinds = np.concatenate([np.full(p.stop - p.start, k % 2) for k, p in enumerate(slices.values())])
        else:
            kinds = generator(self.seed, "judge", 45).permutation(np.arange(self.x.size) % 2)
        return self.x * np.asarray(_SCALES)[kinds]

    @cached_property
    def _sizes(self) -> Any:
        slices = self.function.objective.space.slices
        parts = {name: self.x[part] for name, part in slices.items() if part.stop > part.start}
        sizes = typical_sizes(parts)
        return np.concatenate([np.full(part.size, sizes[name]) for name, part in parts.items()])

    def _inside(self, x: Any) -> bool:
        return self.bounds is None or bool(np.all((x >= self.bounds[0]) & (x <= self.bounds[1])))
