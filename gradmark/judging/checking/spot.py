"""Slopes of the function at one point, from two references that share nothing but the function."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradmark.arrays import Arrays
from gradmark.judging.checking.arithmetic import Arithmetic
from gradmark.judging.checking.carried import Carried
from gradmark.judging.checking.line import Line, Rung
from gradmark.judging.checking.objective import Objective
from gradmark.judging.checking.space import Space
from gradmark.reference.noise import noise
from gradmark.reference.scale import room, typical_sizes

SAFETY = 4.0
"""Times a reference's estimate of its own error."""
_COMPLEX_ROUNDINGS = 64.0
"""Epsilons of the slope that a complex step may be off by where nothing cancels."""
_IMAGINARY = 2.0**-120
"""The imaginary step, of the parameters' size: its square is far below the last digit of extended precision,
and far above what any arithmetic flushes to zero (float32 ends at 2^-126, so there it is 2^-60)."""
COMPLEX = "the complex step"
"""The name of that reference."""
_DISJOINT = 0.61
"""How the second ladder's steps are shifted against the first's."""
_QUICK = 2.0**-21
"""Of the parameters' size: the step of one central difference in extended precision, epsilon^(1/3)."""


@dataclass(frozen=True)
class Slope:
    """The derivative along a direction, its error as the reference states it, and which reference it is."""

    value: Any
    error: float
    source: str
    rung: Rung | None = None


class Spot:
    """The function at the point `x` (a flat vector): its slopes, and how sure they are."""

    def __init__(
        self,
        objective: Objective,
        arithmetic: Arithmetic,
        x: Any,
        bounds: tuple[float, float] | None,
    ) -> None:
        self.objective, self.arithmetic, self.x, self.bounds = objective, arithmetic, x, bounds
        self.complex_believed = arithmetic.complex_wide is not None
        self.noise_is_measured = False
        self._quick_step, self._quick_error = _QUICK, 0.0
        self._known: dict[int, tuple[Any, Slope]] = {}

    @property
    def space(self) -> Space:
        """What the point is made of."""
        return self.objective.space

    def carried(self, arrays: Arrays) -> Carried:
        """The function in one arithmetic."""
        return Carried(self.objective, arrays)

    @cached_property
    def value(self) -> Any:
        """The value at the point, in the widest real arithmetic."""
        return self.carried(self.arithmetic.real)(self.x)

    @cached_property
    def magnitude(self) -> float:
        """|f| at the point."""
        return float(abs(self.value))

    @cached_property
    def sizes(self) -> dict[str, float]:
        """The typical size of each array's entries."""
        parts = {name: self.x[part] for name, part in self.space.slices.items()}
        return typical_sizes({name: part for name, part in parts.items() if part.size})

    def size(self, v: Any) -> float:
        """What steps along `v` are relative to: the least typical size of the arrays that move."""
        return min(self.sizes[name] for name, part in self.space.slices.items() if np.any(v[part]))

    def unit(self, v: Any) -> float:
        """The same, no larger than the bounds allow."""
        return min(self.size(v), float(np.min(room(self.x[v != 0], self.bounds), initial=np.inf)))

    @cached_property
    def noise(self) -> float:
        """One standard deviation of the noise of a value in the real arithmetic.

        Measured where real differences are all there is. Beside a complex step, and in extended precision, one
        rounding of the value is assumed until slopes disagree.
        """
        if self.arithmetic.extended or self.complex_believed:
            return self.carried(self.arithmetic.real).epsilon * self.magnitude
        return self.measured_noise()

    def measured_noise(self) -> float:
        """The noise of the real arithmetic, from 16 or 32 evaluations; kept from then on."""
        real = self.carried(self.arithmetic.real)
        # In proportion, so that a small entry beside large ones stays in its domain; a point of zeros moves too.
        step = self.x if np.any(self.x) else np.full(self.x.size, self.unit(self.x == 0), np.longdouble)
        step = step * np.where(np.arange(self.x.size) % 2, 0.75, -1.25)
        level = noise(lambda offsets: [real(self.x + t * step) for t in offsets], real.epsilon)
        if not np.isfinite(level):
            level = real.epsilon * self.magnitude
        self.__dict__["noise"], self.noise_is_measured = level, True
        return level

    def line(self, v: Any, shift: float = 1.0) -> Line:
        """The function along `v`."""
        real = self.carried(self.arithmetic.real)
        return Line(
            lambda t: real(self.x + t * v),
            self.value,
            self.unit(v),
            self.noise,
            self.arithmetic.extended,
            shift,
        )

    def complex_slope(self, v: Any, arrays: Arrays, x: Any = None) -> Any:
        """Im f(x + i h v) / h in a complex arithmetic; longdouble, NaN where it fails."""
        h = np.longdouble(self.size(v)) * (_IMAGINARY if "64" not in arrays.dtype else 2.0**-60)
        at = (self.x if x is None else x).astype(np.clongdouble)
        at.imag = h * v
        return np.longdouble(self.carried(arrays)(at).imag) / h

    def quick(self, v: Any) -> Slope:
        """The cheapest slope: one complex evaluation, else one central difference of a known step."""
        wide = self.arithmetic.complex_wide
        known = self._known.get(id(v))
        if known is not None and (self.complex_believed or known[1].source != COMPLEX):
            return known[1]
        found = self._quick(v, wide)
        self._known[id(v)] = v, found
        return found

    def _quick(self, v: Any, wide: Arrays | None) -> Slope:
        if self.complex_believed and wide is not None:
            value = self.complex_slope(v, wide)
            rounding = _COMPLEX_ROUNDINGS * self.carried(wide).epsilon
            if np.isfinite(value):
                return Slope(value, rounding * float(abs(value)), COMPLEX)
        return self.central(v)

    def central(self, v: Any) -> Slope:
        """One central difference: its error is what the first ladder at this point says of that step."""
        h = self._quick_step * self.unit(v)
        value = self.difference(v, self.x, h)
        return Slope(value, self._quick_error * float(abs(value)) + self.noise / h, "central differences")

    def difference(self, v: Any, x: Any, h: float | None = None) -> Any:
        """(f(x + h v) - f(x - h v)) / 2h in the real arithmetic, at this point or another."""
        real, step = self.carried(self.arithmetic.real), np.longdouble(h or self._quick_step * self.unit(v))
        return (real(x + step * v) - real(x - step * v)) / (2 * step)

    @cached_property
    def own_noise(self) -> float:
        """The noise of a value in the dtype of the point."""
        if self.arithmetic.own == self.arithmetic.real:
            return self.noise
        own = self.carried(self.arithmetic.own)(self.x)
        floor = self.space.arrays.epsilon / 4 * self.magnitude
        return max(float(abs(own - self.value)), floor, self.noise)

    def inherit(self, other: "Spot", value: Any) -> None:
        """Begin with the step and the references that suited another point; `value` is that in the own dtype."""
        if other.complex_believed and value is not None:
            self.__dict__["magnitude"] = float(abs(value))
        self._quick_step, self._quick_error = other._quick_step, other._quick_error
        self.complex_believed = self.complex_believed and other.complex_believed

    def careful(self, v: Any, shift: float = 1.0, *, thorough: bool = False, enough: float = 0.0) -> Slope:
        """The slope by a ladder of real differences, all of its steps where the first ones do not agree.

        An error of `enough` is good enough.
        """
        line = self.line(v, shift)
        rung = line.short()
        if thorough or not rung.good(self.arithmetic.extended, enough):
            # Steps that happen to agree are taken for good ones unless the noise is known.
            line.noise = self.noise if self.noise_is_measured else self.measured_noise()
            rung = line.long()
        return Slope(rung.value, rung.error, "differences over a ladder of steps", rung)

    def learn(self, v: Any) -> Slope:
        """The first real slope at the point: what step suits it, and whether the complex step is right here."""
        found = self.careful(v, thorough=False)
        assert found.rung is not None
        step, off = found.rung.best_step()
        unit, size = self.unit(v), float(abs(found.value))
        self._quick_step = step / unit
        self._quick_error = off / size if size else 0.0
        return found

    def second(self, v: Any, first: Slope, enough: float) -> Slope:
        """Another reference for a slope: real differences for a complex step, else steps in between."""
        if first.source == COMPLEX:
            return self.careful(v, enough=enough)
        return self.careful(v, _DISJOINT)
