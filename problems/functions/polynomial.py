"""A polynomial of several arrays whose mean under search noise is known exactly: what the judge needs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import device as device_of

from gradmark.arguments import check_fits, check_size
from gradmark.arrays import Array, Arrays
from gradmark.errors import UsageError, shown
from gradmark.function_problem import FunctionProblem
from gradmark.noise_laws import NoiseLaw
from gradmark.parameters import Parameters
from gradmark.problem import Call
from gradmark.random import generator
from problems.layers.branches import real_part

_LEAST_SIZE = 17
"""Below, one of the seven arrays would be empty."""
_STEPS = 64
"""Coefficients are multiples of 1/64 below 2: even bfloat16 holds them exactly, so no dtype rounds them."""


def polynomial(
    *,
    size: int = 60,
    degree: int = 3,
    backend: str = "numpy",
    device: str = "cpu",
    dtype: str = "float64",
    seed: int = 0,
) -> FunctionProblem:
    """A polynomial of `degree` 1 to 4 in seven arrays of different shapes, `size` (17 or more) numbers.

    With t = sum of c_i x_i over all arrays, a sum of separable and coupled terms,

        f(x) = sum of (l_i x_i + q_i x_i^2 / 2 + k_i x_i^3 / 6 + r_i x_i^4 / 24)
               + t^2 / 2 + t^3 / 6 + t^4 / 24,

    each up to `degree`; the coupled ones begin at degree 2. At the point it is built with, l_i, q_i x_i, k_i
    and r_i x_i have the same sign, so that no entry of the gradient is near zero. The mean of
    f(x + sigma e) e / sigma over noise e is exactly

        grad f + sigma^2 / 6 E[(sum of k'_i e_i^3 + t' (c . e)^3) e],   k'_i = k_i + r_i x_i,   t' = 1 + t,

    which the problem offers as `smoothed_form`: for Gaussian e it is the gradient of the smoothed loss.
    Raises `UsageError` for sizes and degrees that do not fit.

    >>> problem = polynomial(size=60, degree=1)
    >>> [array.shape for array in problem.parameters.values()]
    [(4, 2), (4,), (2, 6), (2,), (6, 2), (2,), (20,)]
    """
    arguments = dict(locals())
    size = check_size("polynomial", "size", size, _LEAST_SIZE)
    if isinstance(degree, bool) or not isinstance(degree, int) or not 1 <= degree <= 4:
        raise UsageError(f"polynomial: `degree={shown(degree)}` must be 1, 2, 3 or 4.")
    check_fits("polynomial", 8 * size)
    arrays, random = Arrays(backend, device, dtype), generator(seed, "weights")
    point, terms = _start(random, _shapes(size), size, degree)
    return FunctionProblem(
        function=terms.loss,
        arrays=arrays,
        parameters={name: arrays.array(numbers) for name, numbers in point.items()},
        call=Call("polynomial", arguments),
        population=True,
        gradient=terms.gradient,
        smoothing=terms.smoothed,
    )


def _shapes(size: int) -> dict[str, tuple[int, ...]]:
    """Matrices that are not square, biases, and a vector that takes the numbers left over."""
    k = math.isqrt(size)
    while 5 * k * k + 9 * k + 2 >= size:
        k -= 1
    shapes: dict[str, tuple[int, ...]] = {
        "first.weight": (2 * k, k), "first.bias": (2 * k,), "second.weight": (k, 3 * k), "second.bias": (k,),
        "third.weight": (3 * k, 2), "third.bias": (2,),
    }  # fmt: skip
    return {**shapes, "rest": (size - sum(map(math.prod, shapes.values())),)}


def _start(
    random: np.random.Generator, shapes: Mapping[str, tuple[int, ...]], size: int, degree: int
) -> tuple[dict[str, Any], "_Terms"]:
    """The point and the coefficients; c has a power of two as its scale, about 1/sqrt(P)."""
    point, linear, separable, coupling = {}, {}, {}, {}
    scale = 2.0 ** -round(math.log2(size) / 2)
    for name, shape in shapes.items():
        sign, slope = (2.0 * random.integers(0, 2, shape) - 1 for _ in range(2))
        point[name] = sign * random.uniform(0.5, 1, shape)
        linear[name] = slope * _coefficients(random, shape)
        own = [slope * sign**power * _coefficients(random, shape) for power in (1, 2, 3)]
        separable[name] = own[: degree - 1]
        alternating = 1.0 - 2 * (np.arange(math.prod(shape)) % 2).reshape(shape)
        coupling[name] = scale * sign * alternating * _coefficients(random, shape)
    return point, _Terms(degree, linear, separable, coupling, {})


def _coefficients(random: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return 1 + random.integers(0, _STEPS, shape) / _STEPS


@dataclass(frozen=True)
class _Terms:
    """The coefficients by array name, and the formulas made of them. `kept` are copies for other backends."""

    degree: int
    linear: dict[str, Any]
    separable: dict[str, list[Any]]
    coupling: dict[str, Any]
    kept: dict[Any, list[Any]]

    def loss(self, xp: Any, p: Parameters) -> Array:
        """f(x); the sums run over each array's own axes, so a leading population axis stays."""
        total, t = 0, self._coupled(xp, p) if self.degree > 1 else 0
        for name, x in p.items():
            linear, _, *separable = self._on(xp, name, x)
            value = linear * x
            for power, coefficient in enumerate(separable, start=2):
                value = value + coefficient * x**power / math.factorial(power)
            total = total + _summed(xp, value, linear.ndim)
        for power in range(2, self.degree + 1):
            total = total + t**power / math.factorial(power)
        return total

    def gradient(self, xp: Any, p: Parameters) -> dict[str, Array]:
        """l + q x + k x^2 / 2 + r x^3 / 6 + (t + t^2 / 2 + t^3 / 6) c."""
        t, found = self._coupled(xp, p), {}
        along = sum(t**power / math.factorial(power) for power in range(1, self.degree)) + 0 * t
        for name, x in p.items():
            linear, c, *separable = self._on(xp, name, x)
            own = linear + 0 * x
            for power, coefficient in enumerate(separable, start=1):
                own = own + coefficient * x**power / math.factorial(power)
            found[name] = own + _spread(xp, along, c.ndim) * c
        return found

    def smoothed(self, xp: Any, p: Parameters, law: NoiseLaw, sigma: float) -> dict[str, Array]:
        """The mean of f(x + sigma e) e / sigma: E e_j^4 = m4 and E e_i^2 e_j^2 = m22 give the third order.

        E e_i^3 e_j is m4 for i = j, else 0; E (c . e)^3 e_j = c_j^3 m4 + 3 c_j (|c|^2 - c_j^2) m22.
        """
        found = self.gradient(xp, p)
        if self.degree < 3:
            return found
        size = sum(math.prod(c.shape) for c in self.coupling.values())
        fourth, mixed = law.fourth(size), law.mixed(size)
        norm = float(sum(np.sum(c * c) for c in self.coupling.values()))
        third = 1 + (self._coupled(xp, p) if self.degree == 4 else 0 * self._coupled(xp, p))
        for name, x in p.items():
            _, c, _, cubic, *quartic = self._on(xp, name, x)
            own = cubic + quartic[0] * x if quartic else cubic
            coupled = c * c * c * fourth + 3 * mixed * c * (norm - c * c)
            bias = own * fourth + _spread(xp, third, c.ndim) * coupled
            found[name] = found[name] + (sigma * sigma / 6) * bias
        return found

    def _coupled(self, xp: Any, p: Parameters) -> Array:
        each = [_summed(xp, (c := self._on(xp, name, x)[1]) * x, c.ndim) for name, x in p.items()]
        return sum(each[1:], start=each[0])

    def _on(self, xp: Any, name: str, x: Array) -> list[Any]:
        """linear, coupling and separable coefficients of one array, beside `x` and in its real dtype."""
        # A tracer knows no device of its own and takes constants from anywhere.
        traced = any(kind in type(x).__name__ for kind in ("Tracer", "ArrayBox"))
        place = None if traced else device_of(x)
        dtype = real_part(xp, x).dtype
        key = (xp.__name__, str(dtype), str(place), name)
        if traced or key not in self.kept:
            numbers = [self.linear[name], self.coupling[name], *self.separable[name]]
            made = [xp.asarray(each, dtype=dtype, device=place) for each in numbers]
            if traced:
                return made
            self.kept[key] = made
        return self.kept[key]


def _summed(xp: Any, value: Array, axes: int) -> Array:
    return xp.sum(value, axis=tuple(range(-axes, 0)))


def _spread(xp: Any, value: Array, axes: int) -> Array:
    """One number for each member, with `axes` axes of length 1 behind."""
    return xp.reshape(value, (*value.shape, *[1] * axes))
