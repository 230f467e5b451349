"""The function at one point: its value, its noise, and what steps along a direction are relative to."""

from functools import cached_property
from typing import Any

import numpy as np

from gradmark.arrays import Arrays
from gradmark.judging.checking.arithmetic import Arithmetic
from gradmark.judging.checking.carried import Carried
from gradmark.judging.checking.noisiness import along_a_line, between
from gradmark.judging.checking.objective import Objective
from gradmark.judging.checking.space import Space
from gradmark.random import generator
from gradmark.reference.scale import room, typical_sizes

LARGE = 10_000
"""From this many parameters on evaluations are dear."""
_NOISES = 8
"""Points at which two arithmetics are compared."""
_QUARTER = 0.25
_QUICK = 2.0**-21
"""Of the parameters' size: the step of one central difference in extended precision, epsilon^(1/3)."""


class Spot:
    """The function at the point `x` (a flat vector), and what has been learnt about it there.

    `own_value` is the value in the dtype of the point, if known; `complex_believed` until real differences
    contradict the complex step; `quick_step` suits one central difference (relative to the parameters), with
    the relative `quick_error`; `slopes` are those known, by direction, and `learnt` is the one by real
    differences, with its relative error `learnt_error`; `floor` is what rounding on the way does to a slope,
    relative to it. `norm_elsewhere` and `magnitude_elsewhere` are the norm of the gradient and the size of
    the value at the point that was given, if this one is made up.
    """

    def __init__(
        self,
        objective: Objective,
        arithmetic: Arithmetic,
        x: Any,
        bounds: tuple[float, float] | None,
        own_value: Any = None,
    ) -> None:
        self.own_value = own_value
        self.objective, self.arithmetic, self.x, self.bounds = objective, arithmetic, x, bounds
        self.complex_believed = arithmetic.complex_wide is not None
        self.noise_is_measured = False
        self.quick_step, self.quick_error = _QUICK, 0.0
        self.norm_elsewhere, self.magnitude_elsewhere = 0.0, 0.0
        self.slopes: dict[int, tuple[Any, Any]] = {}
        self.learnt: tuple[Any, Any] | None = None
        self.learnt_error = 0.0
        self.floor: float | None = None

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

        Measured where real differences are all there is. Beside a complex step, and in extended precision,
        one rounding of the value is assumed until slopes disagree.
        """
        if self.arithmetic.extended or self.complex_believed:
            return self.carried(self.arithmetic.real).epsilon * self.magnitude
        return self.measured_noise()

    def measured_noise(self) -> float:
        """The noise of the real arithmetic, from 16 or 32 evaluations; kept from then on."""
        real = self.carried(self.arithmetic.real)
        level = along_a_line(real, self.x, self.unit(self.x == 0) if not np.any(self.x) else 0.0)
        if not np.isfinite(level):
            level = real.epsilon * self.magnitude
        self.__dict__["noise"], self.noise_is_measured = level, True
        return level

    @cached_property
    def own_noise(self) -> float:
        """The noise of a value in the dtype of the point."""
        if self.arithmetic.own == self.arithmetic.real:
            return self.noise
        known = self.own_value
        own = self.carried(self.arithmetic.own)(self.x) if known is None else known
        floor = self.space.arrays.epsilon / 4 * self.magnitude
        return max(float(abs(own - self.value)), floor, self.noise)

    @cached_property
    def variation(self) -> float:
        """How much the function changes when the point does by up to a quarter, inside the bounds."""
        x = self.x * (1 + _QUARTER * generator(0, "judge", 51).uniform(-1, 1, self.x.size))
        if self.bounds is not None:
            x = np.clip(x, (self.x + self.bounds[0]) / 2, (self.x + self.bounds[1]) / 2)
        return float(abs(self.carried(self.arithmetic.real)(x) - self.value))

    @cached_property
    def closer_noise(self) -> float:
        """The same, from a few points instead of one, which may have been lucky."""
        if self.arithmetic.own == self.arithmetic.real:
            return self.noise
        own, real = self.carried(self.arithmetic.own), self.carried(self.arithmetic.real)
        return max(self.own_noise, between(own, real, self.x, _NOISES))

    def inherit(self, other: "Spot") -> None:
        """Begin with what suited another point."""
        value = self.own_value
        if other.complex_believed and value is not None:
            self.__dict__["magnitude"] = float(abs(value))
        self.quick_step, self.quick_error = other.quick_step, other.quick_error
        self.learnt_error, self.magnitude_elsewhere = other.learnt_error, other.magnitude
        if self.space.size >= LARGE:
            self.floor = other.floor
        self.complex_believed = self.complex_believed and other.complex_believed
        if other.noise_is_measured and self.space.size >= LARGE and value is not None:
            # Rounding grows with the value; noise that does not is no smaller here.
            growth = float(abs(value)) / other.magnitude if other.magnitude else 1.0
            self.__dict__["noise"], self.noise_is_measured = other.noise * max(1.0, growth), True
