"""A contact, or a cliff: reward grows up to an edge, and beyond it is lost. The environment is noisy."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.arguments import check_fits, check_number, check_size
from gradmark.arrays import Array, Arrays, to_numpy
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.noise_laws import NoiseLaw
from gradmark.parameters import Parameters
from gradmark.problem import Call
from problems.layers.branches import real_part
from problems.systems.system import State, SystemProblem, beside, system_problem

_EDGE = 1.0
_LARGEST = 1e3


def contact_cliff(
    *,
    start: float = 0.95,
    spread: float = 0.05,
    batch: int = 256,
    backend: str = "numpy",
    device: str = "cpu",
    dtype: str = "float64",
    seed: int = 0,
) -> SystemProblem:
    """The mean over rows of -x 1[x < 1], with x = theta + s e, and e standard normal in the draw.

    The one parameter is theta, which begins at `start`; s is `spread`, and `batch` the number of rows. Over
    draws the reward has the mean V = theta Phi(u) - s phi(u) with u = (1 - theta)/s, and its gradient is

        V' = Phi(u) - phi(u) / s:   -4.00 at theta = 0.95, -7.48 at 1 (for s = 0.05),

    that of the loss -V'. The gradient of one draw is -1 times the share of rows before the edge, with the
    mean -Phi(u): -0.84 and -0.5, of the wrong sign however many rows there are, because it knows nothing of
    the jump. Search noise sees it: at a spread of 0 the gradient of the loss smoothed with sigma is -V' with
    sigma for s. For Gaussian noise, and for signs, it is the `smoothed_form` of a draw.

    After Suh, Simchowitz, Zhang and Tedrake (2022, "Do differentiable simulators give better policy
    gradients?"). Raises `UsageError` for arguments that do not fit.

    >>> problem = contact_cliff(spread=0.0)
    >>> round(float(problem.loss(problem.parameters)), 9)
    -0.95
    """
    arguments = dict(locals())
    start = check_number("contact_cliff", "start", start, -_LARGEST, _LARGEST)
    spread = check_number("contact_cliff", "spread", spread, 0, _LARGEST)
    check_fits("contact_cliff", check_size("contact_cliff", "batch", batch))
    return system_problem(
        ContactCliff(spread, Arrays(backend, device, dtype)),
        {"theta": np.array([start])},
        Call("contact_cliff", arguments),
        batch=batch,
        smoothness="discontinuous",
    )


@dataclass(frozen=True)
class ContactCliff:
    """x, which the one step moves by s e."""

    spread: float
    arrays: Arrays
    horizon = 1

    def sample(self, random: Any, rows: int) -> dict[str, Any]:
        """e."""
        return {"noise": random.standard_normal((rows, 1))}

    def initial(self, parameters: Parameters, draw: Draw) -> State:
        """x = theta in every row."""
        theta = parameters["theta"]
        return (beside(0 * draw.arrays["noise"], theta[..., 0]) + theta[..., None],)

    def step(self, parameters: Parameters, state: State, draw: Draw, t: int) -> State:
        """x + s e."""
        return (state[0] + self.spread * draw.arrays["noise"],)

    def costs(self, parameters: Parameters, state: State, draw: Draw) -> Array:
        """-x before the edge, else 0."""
        (x,) = state
        return self.arrays.xp.where(real_part(self.arrays.xp, x) < _EDGE, -x, 0 * x)

    def gradient(self, parameters: Parameters, draw: Draw) -> dict[str, Array]:
        """-1 times the share of rows before the edge."""
        xp = self.arrays.xp
        x = parameters["theta"] + self.spread * draw.arrays["noise"]
        return {"theta": -xp.mean(xp.astype(x < _EDGE, x.dtype), axis=0)}

    def smoothed(self, parameters: Parameters, draw: Draw, law: NoiseLaw, sigma: float) -> dict[str, Array]:
        """For Gaussian noise phi(u) / sigma - Phi(u) with u = (1 - x) / sigma, the mean over rows."""
        x = to_numpy(parameters["theta"]) + self.spread * to_numpy(draw.arrays["noise"])
        return {"theta": self.arrays.array([np.mean(_smoothed(x, law, sigma))])}


def _smoothed(x: Any, law: NoiseLaw, sigma: float) -> Any:
    from scipy import special

    if law.name == "gaussian":
        u = ((_EDGE - x) / sigma).astype(np.float64)
        return np.exp(-u * u / 2) / math.sqrt(2 * math.pi) / sigma - special.ndtr(u)
    if law.fourth(1) == 1:  # e^2 = 1: signs, and the sphere of one dimension
        ahead, behind = (np.where(each < _EDGE, -each, 0) for each in (x + sigma, x - sigma))
        return (ahead - behind) / (2 * sigma)
    raise UsageError(f"contact_cliff: no closed form for {law.name} noise: take gaussian noise or signs.")
