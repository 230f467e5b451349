"""Influence balancing: a parameter that helps in the short run and harms in the long run."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gradmark.arguments import check_fits, check_name, check_number, check_size
from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.errors import UsageError, shown
from gradmark.parameters import Parameters
from gradmark.problem import Call
from problems.systems.system import State, SystemProblem, beside, system_problem

_COUNTED = ("last", "every")
_LARGEST = 1e3


def influence_balancing(
    *,
    horizon: int = 200,
    units: int = 23,
    positive: int = 10,
    start: float = 0.5,
    counted: str = "last",
    backend: str = "numpy",
    device: str = "cpu",
    dtype: str = "float64",
    seed: int = 0,
) -> SystemProblem:
    """s <- A s + theta b from s_0 = 1, A = 1/2 on the diagonal and above it, b = 1 `positive` times, then -1.

    The one parameter is theta, which begins at `start`. The loss is (s_1 - 1)^2 / 2 of the first of `units`
    numbers, `counted` after the last of `horizon` steps (last), or as the mean over every step (every). Each
    unit passes half of itself on to the one before, so theta reaches s_1 through `positive` units with a
    plus first: s_1 becomes c_t theta with c_t = t at the beginning and 2 (2 positive - units) = -6 in the
    end. The gradient c (c theta - 1) is then 36 theta + 6 = 24, and the optimum theta = -1/6; but with the
    steps before the last K cut off it is -4, -20, -40, -65.9 for K = 1, 5, 10, 20 at rest: of the wrong sign.
    The exact gradient for any horizon is known in closed form; as a mean over every step it comes near to 24
    slowly (29.9 at 200 steps). Nothing is random.

    From Tallec and Ollivier (2017, "Unbiased online recurrent optimization"), with the units, the start and
    s_0 of Vicol, Metz and Sohl-Dickstein (2021, "Persistent evolution strategies"), who look at the loss
    after 500 steps. Raises `UsageError` for arguments that do not fit.

    >>> problem = influence_balancing()
    >>> round(float(problem.closed_form(problem.parameters, problem.default_draw)["theta"][0]), 9)
    24.0
    """
    arguments = dict(locals())
    check_name("`counted`", counted, _COUNTED)
    horizon, units, positive = (
        check_size("influence_balancing", name, arguments[name]) for name in ("horizon", "units", "positive")
    )
    if positive > units:
        raise UsageError(
            f"influence_balancing: `positive={shown(positive)}` is more than the {units} units there are."
        )
    start = check_number("influence_balancing", "start", start, -_LARGEST, _LARGEST)
    check_fits("influence_balancing", units)
    system = InfluenceBalancing(horizon, units, positive, counted, Arrays(backend, device, dtype))
    return system_problem(system, {"theta": np.array([start])}, Call("influence_balancing", arguments))


@dataclass(frozen=True)
class InfluenceBalancing:
    """s, and the sum of the losses so far where every step counts."""

    horizon: int
    units: int
    positive: int
    counted: str
    arrays: Arrays

    def __post_init__(self) -> None:
        self.influences  # noqa: B018  # made now: in a trace of JAX it would be part of it

    @cached_property
    def influences(self) -> Array:
        """b, a row."""
        return self.arrays.array(np.where(np.arange(self.units) < self.positive, 1.0, -1.0)[None, :])

    def sample(self, random: Any, rows: int) -> dict[str, Any]:
        """Nothing is random."""
        return {}

    def initial(self, parameters: Parameters, draw: Draw) -> State:
        """s_0 = 1, and no cost."""
        s = 1 + beside(self.arrays.zeros((1, self.units)), parameters["theta"][..., 0])
        return s, 0 * s[..., :1]

    def step(self, parameters: Parameters, state: State, draw: Draw, t: int) -> State:
        """A s + theta b."""
        s, total = state
        above = self.arrays.xp.concat([s[..., 1:], 0 * s[..., :1]], axis=-1)
        s = 0.5 * (s + above) + parameters["theta"][..., None] * self.influences
        return s, total + _loss(s)

    def costs(self, parameters: Parameters, state: State, draw: Draw) -> Array:
        """The loss of this state, or the sum so far over T."""
        s, total = state
        return _loss(s) if self.counted == "last" else total / self.horizon

    def gradient(self, parameters: Parameters, draw: Draw) -> dict[str, Array]:
        """s_1 = a_t + c_t theta, so that it is c_t (a_t + c_t theta - 1), or the mean of that."""
        counted = slice(-1, None) if self.counted == "last" else slice(None)
        a, c = (self.arrays.array(each[counted]) for each in self.influence())
        s = a + c * parameters["theta"]  # which is rounded as in the loss, before 1 is taken from it
        return {"theta": self.arrays.xp.mean(c * (s - 1), axis=0, keepdims=True)}

    def influence(self) -> tuple[Any, Any]:
        """Of t = 1..T: a_t = (A^t 1)_1, what is left of the start, and c_t = sum over k < t of (A^k b)_1.

        The first row of A^k holds the probabilities of 0, 1, 2... heads in k tosses. In longdouble.
        """
        b = np.where(np.arange(self.units) < self.positive, 1, -1)
        row, c, found = np.eye(1, self.units, dtype=np.longdouble)[0], np.longdouble(0), []
        for _ in range(self.horizon):
            c = c + row @ b
            row = (row + np.concatenate([[0], row[:-1]])) / 2
            found.append((row.sum(), c))
        left, along = zip(*found, strict=True)
        return np.array(left), np.array(along)


def _loss(s: Array) -> Array:
    residual = s[..., :1] - 1
    return 0.5 * residual * residual
