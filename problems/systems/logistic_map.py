"""The logistic map, unrolled until it is chaotic: the gradient is true, and says nothing."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arguments import check_number, check_size
from gradmark.arrays import Array, Arrays, to_numpy
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.noise_laws import NoiseLaw
from gradmark.parameters import Parameters
from gradmark.problem import Call
from problems.systems.system import State, SystemProblem, beside, system_problem

_START, _TARGET = 0.3, 0.6
_WITHIN = (0.0, 4.0)
"""Where x stays in [0, 1]; beyond, it leaves every bound."""
_RESOLVED = 20
"""Steps up to which a grid of `_POINTS` resolves the loss: at r = 3.8 its features shrink by e^0.43 a step,
and at 25 steps the fourth digit of the smoothed gradient still depends on the grid."""
_POINTS, _REACH = 2**16, 8.0
"""Points of the grid, and where it ends: beyond 8 standard deviations there is 1e-15 of the noise."""


def logistic_map(
    *,
    horizon: int = 20,
    rate: float = 3.8,
    backend: str = "numpy",
    device: str = "cpu",
    dtype: str = "float64",
    seed: int = 0,
) -> SystemProblem:
    """x_{t+1} = r x_t (1 - x_t) from x_0 = 0.3, with the loss 1/T sum over t = 1..T of (x_t - 0.6)^2.

    The one parameter is r, which starts at `rate` (from 0 to 4); T is `horizon`. At 3.8 the map is chaotic:
    derivatives grow by e^0.43 a step, so that from T = 10 on the gradient at r + 0.02 e has either sign, and
    a standard deviation of 71 (T = 20) or 1.5e10 (T = 60), where that of f(r + 0.02 e) e / 0.02, mirrored,
    is 0.37 and 0.63. Their common mean is the gradient of the smoothed loss: at sigma = 0.02 it is 0.0788
    (T = 5), 0.1570 (20), 0.338 (60) and 0.452 (200). Up to T = 20 the problem has it as `smoothed_form`, by
    quadrature, for Gaussian noise (and for signs, which are two points), as long as noise of 8 standard
    deviations stays between 0 and 4; beyond, x grows without bound. Nothing is random.

    After Metz, Freeman, Schoenholz and Kachman (2021, "Gradients are not all you need") and Parmas,
    Rasmussen, Peters and Doya (2018). Raises `UsageError` for arguments that do not fit.

    >>> problem = logistic_map(horizon=1, rate=2.0)
    >>> round(float(problem.loss(problem.parameters)), 6)  # x_1 = 0.42
    0.0324
    """
    arguments = dict(locals())
    horizon = check_size("logistic_map", "horizon", horizon)
    rate = check_number("logistic_map", "rate", rate, *_WITHIN)
    system = LogisticMap(horizon, Arrays(backend, device, dtype))
    return system_problem(system, {"r": np.array([rate])}, Call("logistic_map", arguments))


@dataclass(frozen=True)
class LogisticMap:
    """x, and the sum of (x_t - 0.6)^2 so far."""

    horizon: int
    arrays: Arrays

    def sample(self, random: Any, rows: int) -> dict[str, Any]:
        """Nothing is random."""
        return {}

    def initial(self, parameters: Parameters, draw: Draw) -> State:
        """x_0 = 0.3, and no cost."""
        zero = beside(self.arrays.zeros((1, 1)), parameters["r"][..., 0])
        return zero + _START, zero

    def step(self, parameters: Parameters, state: State, draw: Draw, t: int) -> State:
        """r x (1 - x)."""
        x, total = state
        x = parameters["r"][..., None] * x * (1 - x)
        return x, total + (x - _TARGET) * (x - _TARGET)

    def costs(self, parameters: Parameters, state: State, draw: Draw) -> Array:
        """The sum so far over T."""
        return state[1] / self.horizon

    @property
    def smoothed(self) -> Any:
        """The smoothed gradient by quadrature; None where the grid does not resolve the loss."""
        return self._smoothed if self.horizon <= _RESOLVED else None

    def _smoothed(self, parameters: Parameters, draw: Draw, law: NoiseLaw, sigma: float) -> dict[str, Array]:
        """1/sigma times the integral of f(r + sigma e) e over the law of e, by the midpoint rule.

        It converges exponentially, as for every smooth function that vanishes at both ends.
        """
        r = float(to_numpy(parameters["r"])[0])
        points, weights = _quadrature(law)
        moved = r + sigma * points
        if moved.min() < _WITHIN[0] or moved.max() > _WITHIN[1]:
            raise UsageError(
                f"logistic_map: smoothing with sigma={sigma:g} at r={r:g} reaches beyond 0 or 4, where x has "
                f"no bound: take a sigma of at most {min(r, _WITHIN[1] - r) / _REACH:.3g}."
            )
        mean = np.sum(weights * points * self._losses(moved)) / sigma
        return {"r": self.arrays.array([mean])}

    def _losses(self, r: Any) -> Any:
        x, total = np.full_like(r, _START), np.zeros_like(r)
        for _ in range(self.horizon):
            x = r * x * (1 - x)
            total += (x - _TARGET) ** 2
        return total / self.horizon


def _quadrature(law: NoiseLaw) -> tuple[Any, Any]:
    """Points e and weights for the mean over one number e of the law."""
    if law.name == "gaussian":
        points = _REACH * ((2 * np.arange(_POINTS) + 1) / _POINTS - 1)
        return points, 2 * _REACH / _POINTS * np.exp(-points * points / 2) / math.sqrt(2 * math.pi)
    if law.fourth(1) == 1:  # e^2 = 1: signs, and the sphere of one dimension
        return np.array([-1.0, 1.0]), np.array([0.5, 0.5])
    raise UsageError(f"logistic_map: no quadrature for {law.name} noise: take gaussian noise or signs.")
