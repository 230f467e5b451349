"""The linear-quadratic regulator with a linear policy: the control case, in which all methods agree."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import device as device_of

from gradmark.arguments import check_fits, check_size
from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.parameters import Parameters
from gradmark.problem import Call
from gradmark.random import generator
from problems.systems.system import State, SystemProblem, beside, system_problem

_STEPS = 64
"""Matrices are of multiples of 1/64 below 4: even bfloat16 holds them, almost always exactly."""
_RADIUS = 0.8
"""Of A's spectrum, so that the system is stable, and stays so with small gains."""
_GAIN = 0.1


def lqr(
    *,
    states: int = 4,
    inputs: int = 2,
    horizon: int = 30,
    batch: int = 8,
    backend: str = "numpy",
    device: str = "cpu",
    dtype: str = "float64",
    seed: int = 0,
) -> SystemProblem:
    """x_{t+1} = A x_t + B u_t with u_t = -K x_t, and the loss 1/2 sum over t < T of (|x_t|^2 + |u_t|^2).

    K (`inputs`, `states`) is the parameter ``gain``, small at the start; A has the spectral radius 0.8. T is
    `horizon`, and the loss a mean over `batch` rows, whose x_0 are standard normal: a draw. With
    P_t = 1 + K'K + (A - BK)' P_{t+1} (A - BK), P_T = 0, and S_t the mean of x_t x_t', the gradient is

        sum over t < T of (K + B' P_{t+1} (B K - A)) S_t,

    which is the closed form; for a long horizon P and the sum of S_t solve discrete Lyapunov equations
    (Fazel, Ge, Kakade and Mesbahi 2018). Nothing is chaotic and nothing jumps: backpropagation is exact, and
    search noise estimates the same gradient. Raises `UsageError` for sizes that do not fit.

    >>> problem = lqr(states=3, inputs=1)
    >>> problem.parameters["gain"].shape, problem.loss(problem.parameters).shape
    ((1, 3), ())
    """
    arguments = dict(locals())
    for name in ("states", "inputs", "horizon", "batch"):
        check_size("lqr", name, arguments[name])
    # P_t of all steps is held for the closed form.
    check_fits("lqr", states * (states * (horizon + 3) + 3 * inputs + batch))
    random = generator(seed, "weights")
    a = random.standard_normal((states, states))
    a *= _RADIUS / np.max(np.abs(np.linalg.eigvals(a)))
    b = random.standard_normal((states, inputs)) / states**0.5
    system = Regulator(_rounded(a), _rounded(b), horizon, Arrays(backend, device, dtype))
    gain = _GAIN * random.standard_normal((inputs, states)) / states**0.5
    return system_problem(system, {"gain": gain}, Call("lqr", arguments), batch=batch)


def _rounded(matrix: Any) -> Any:
    return np.round(_STEPS * matrix) / _STEPS


@dataclass(frozen=True, eq=False)
class Regulator:
    """x, and the cost so far; `a` and `b` are NumPy's."""

    a: Any
    b: Any
    horizon: int
    arrays: Arrays

    def __post_init__(self) -> None:
        self.matrices  # noqa: B018  # made now: in a trace of JAX they would be part of it

    @cached_property
    def matrices(self) -> tuple[Array, Array]:
        """A and B among the problem's arrays."""
        return self.arrays.array(self.a), self.arrays.array(self.b)

    def sample(self, random: Any, rows: int) -> dict[str, Any]:
        """x_0."""
        return {"initial": random.standard_normal((rows, self.a.shape[0]))}

    def initial(self, parameters: Parameters, draw: Draw) -> State:
        """x_0, and no cost."""
        x = beside(draw.arrays["initial"], parameters["gain"][..., 0, 0])
        return x, 0 * x[..., :1]

    def step(self, parameters: Parameters, state: State, draw: Draw, t: int) -> State:
        """A x + B u, after the cost of x and u."""
        xp, (x, total) = self.arrays.xp, state
        a, b = self.matrices
        u = -xp.matmul(x, xp.matrix_transpose(parameters["gain"]))
        cost = xp.sum(x * x, axis=-1, keepdims=True) + xp.sum(u * u, axis=-1, keepdims=True)
        return self._times(a, x) + self._times(b, u), total + 0.5 * cost

    def _times(self, matrix: Array, x: Array) -> Array:
        """x M' as a sum of products: x may be complex, and no backend has a product of two dtypes."""
        return self.arrays.xp.sum(matrix * x[..., None, :], axis=-1)

    def costs(self, parameters: Parameters, state: State, draw: Draw) -> Array:
        """The cost so far."""
        return state[1]

    def gradient(self, parameters: Parameters, draw: Draw) -> dict[str, Array]:
        """The formula above, by P_t from the end and S_t from the beginning."""
        xp, gain, (a, b) = self.arrays.xp, parameters["gain"], self.matrices
        closed, x = a - b @ gain, draw.arrays["initial"]
        own = xp.matrix_transpose(gain) @ gain + xp.eye(a.shape[0], dtype=a.dtype, device=device_of(gain))
        ahead = [0 * own]
        for _ in range(self.horizon - 1):
            ahead.append(own + xp.matrix_transpose(closed) @ ahead[-1] @ closed)
        second, found = xp.matrix_transpose(x) @ x / draw.count, 0 * gain
        for value in reversed(ahead):
            found = found + (gain + xp.matrix_transpose(b) @ value @ (b @ gain - a)) @ second
            second = closed @ second @ xp.matrix_transpose(closed)
        return {"gain": found}
