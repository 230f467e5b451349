"""A pole balanced on a cart by a linear policy (Barto, Sutton and Anderson 1983)."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arguments import check_fits, check_name, check_number, check_size
from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.problem import Call
from gradmark.random import generator
from problems.layers.branches import positive, real_part
from problems.systems.system import State, SystemProblem, beside, system_problem

_COSTS = ("smooth", "falling")
_GRAVITY, _CART, _POLE, _HALF_LENGTH, _PUSH, _TIME = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
"""m/s^2, kg, kg, m, N, s: those of the paper, without its friction, which is 5e-4 of the cart's weight."""
_EDGE, _ANGLE = 2.4, math.radians(12)
"""Where the task is lost: metres from the middle, and the pole's angle."""
_SPREAD = 0.05
"""Of the four numbers at the start."""
_START = np.array([[0.2, 0.08, 1.0, 0.07]])
"""A policy that damps too little: it loses some poles within two seconds, so there is something to learn."""
_LARGEST = 1e3


def cart_pole(
    *,
    horizon: int = 100,
    cost: str = "smooth",
    gusts: float = 1.0,
    batch: int = 8,
    backend: str = "numpy",
    device: str = "cpu",
    dtype: str = "float64",
    seed: int = 0,
) -> SystemProblem:
    """The state (x, x', phi, phi') of cart and pole, pushed with a force F by z = w . state + b.

    ``weight`` (1, 4) and ``bias`` (1,) are the parameters, near a policy that loses some of the poles within
    two seconds. With l the half length of the pole, m its mass and M that of both,

        phi'' = (g sin phi - cos phi q) / (l (4/3 - m cos^2 phi / M)),   q = (F + m l phi'^2 sin phi) / M,
        x'' = q - m l phi'' cos phi / M,

    by `horizon` steps of Euler's, 0.02 s each. `cost` is smooth: F = 10 tanh z, and each step costs
    1 - cos phi + (x / 2.4)^2 / 2; or falling, as in the paper: F is 10 or -10 by the sign of z, and each step
    from that on costs 1 at which |x| > 2.4 or |phi| > 12 degrees. The loss is the mean over steps, and over
    `batch` rows, whose starts (uniform up to 0.05) and gusts (forces of `gusts` newtons' standard deviation,
    one a step) are a draw.

    The falling cost is piecewise constant: its gradient is zero, and tells nothing; that of the smoothed
    cost, which evolution strategies estimate, is not. On the smooth one all methods agree. Raises
    `UsageError` for arguments that do not fit.

    >>> problem = cart_pole()
    >>> {name: array.shape for name, array in problem.parameters.items()}
    {'weight': (1, 4), 'bias': (1,)}
    """
    arguments = dict(locals())
    check_name("cost", cost, _COSTS)
    gusts = check_number("cart_pole", "gusts", gusts, 0, _LARGEST)
    horizon, batch = (check_size("cart_pole", name, arguments[name]) for name in ("horizon", "batch"))
    check_fits("cart_pole", batch * (horizon + 4))
    random = generator(seed, "weights")
    weight = _START * random.uniform(0.9, 1.1, (1, 4))
    return system_problem(
        CartPole(horizon, cost, gusts, Arrays(backend, device, dtype)),
        {"weight": weight, "bias": 0.1 * random.standard_normal(1)},
        Call("cart_pole", arguments),
        batch=batch,
        smoothness="smooth" if cost == "smooth" else "discontinuous",
    )


@dataclass(frozen=True)
class CartPole:
    """(x, x', phi, phi'), whether the pole still stands (1 or 0), and the cost so far."""

    horizon: int
    cost: str
    gusts: float
    arrays: Arrays

    def sample(self, random: Any, rows: int) -> dict[str, Any]:
        """The starts, and a gust for each step."""
        starts = random.uniform(-_SPREAD, _SPREAD, (rows, 4))
        return {"starts": starts, "gusts": self.gusts * random.standard_normal((rows, self.horizon))}

    def initial(self, parameters: Parameters, draw: Draw) -> State:
        """The starts; every pole stands."""
        moved = parameters["weight"][..., 0, 0], parameters["bias"][..., 0]
        s = beside(draw.arrays["starts"], *moved)
        zero = 0 * s[..., :1]
        return s, zero + 1, zero

    def step(self, parameters: Parameters, state: State, draw: Draw, t: int) -> State:
        """One step of Euler's, and what the state that it leads to costs."""
        xp, (s, stands, total) = self.arrays.xp, state
        z = xp.sum(parameters["weight"] * s, axis=-1, keepdims=True) + parameters["bias"][..., None]
        force = _PUSH * self._pushed(z) + self._gust(draw, t)
        x, speed, angle, turning = (s[..., i : i + 1] for i in range(4))
        s = s + _TIME * xp.concat([speed, *self._accelerations(force, angle, turning)], axis=-1)
        if self.cost == "smooth":
            x, angle = s[..., 0:1], s[..., 2:3]
            return s, stands, total + 1 - xp.cos(angle) + 0.5 * (x / _EDGE) * (x / _EDGE)
        stands = xp.where(self._upright(s), stands, 0 * stands)
        return s, stands, total + (1 - stands)

    def _pushed(self, z: Array) -> Array:
        xp = self.arrays.xp
        if self.cost == "smooth":
            return xp.tanh(z)
        return xp.where(positive(xp, z), 0 * z + 1, 0 * z - 1)

    def _gust(self, draw: Draw, t: int) -> Array:
        gusts = draw.arrays["gusts"]
        # JAX counts t itself, and cannot slice by it.
        return gusts[:, t : t + 1] if isinstance(t, int) else gusts[:, t][:, None]

    def _accelerations(self, force: Array, angle: Array, turning: Array) -> tuple[Array, Array, Array]:
        """x'', phi' and phi'', in the order in which they belong behind x'."""
        xp, whole = self.arrays.xp, _CART + _POLE
        sine, cosine = xp.sin(angle), xp.cos(angle)
        q = (force + _POLE * _HALF_LENGTH * turning * turning * sine) / whole
        bent = (_GRAVITY * sine - cosine * q) / (_HALF_LENGTH * (4 / 3 - _POLE * cosine * cosine / whole))
        return q - _POLE * _HALF_LENGTH * bent * cosine / whole, turning, bent

    def _upright(self, s: Array) -> Array:
        xp = self.arrays.xp
        x, angle = (xp.abs(real_part(xp, s[..., i : i + 1])) for i in (0, 2))
        return xp.logical_and(x <= _EDGE, angle <= _ANGLE)

    def costs(self, parameters: Parameters, state: State, draw: Draw) -> Array:
        """The cost so far over T."""
        return state[2] / self.horizon
