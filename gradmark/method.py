"""What a gradient method is: a frozen dataclass of hyper-parameters that prepares a function of a problem."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from gradmark.arrays import Array
from gradmark.claims import Claims
from gradmark.claims import Want as Want
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.quantities import too_large
from gradmark.work import Work


@dataclass(frozen=True)
class Estimate:
    """What one call of a prepared function returns.

    `result` has the names, shapes, dtype and device of the parameters (for ``want="gradient"``; for others
    see `gradmark.quantities`) and is valid until the function's next call. `value` is the loss at the point
    (for jvp, vjp and jacobian the outputs, if it has them at hand), None when the method made no query
    there. `work` counts passes. `error` is the method's own estimate of its error, in the norm of the result,
    where it has one. `state` is what the next call needs to be given.
    """

    result: Any
    value: Array | None
    work: Work
    error: float | None = None
    state: Any = None

    @property
    def gradient(self) -> dict[str, Array]:
        """The result of ``want="gradient"``: named arrays."""
        gradient: dict[str, Array] = self.result
        return gradient


class Prepared(Protocol):
    """A method bound to a problem. Functions that hold workers also have ``close()``."""

    def __call__(
        self,
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Mapping[str, Array] | Array | None = None,
        state: Any = None,
    ) -> Estimate:
        """Estimate at `parameters`; same arguments, same answer. `draw` None: the problem's default draw.

        `direction` is what a jvp, vjp or hvp is taken along; see `gradmark.quantities`.
        """


@runtime_checkable
class Method(Protocol):
    """A way of computing a gradient. Its dataclass fields are its hyper-parameters."""

    @property
    def claims(self) -> Claims:
        """What the method says of itself."""

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """None, or the reason in words why this problem or quantity cannot be done."""

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind to a problem's shapes, dtypes, device and structure, never to its numbers.

        Raises `UsageError` with the reason of `supports` where there is one.
        """


@runtime_checkable
class Saves(Protocol):
    """A method that can say what it keeps between the way forward and the way back. Optional."""

    def saved(self, problem: Problem) -> dict[str, int]:
        """Bytes kept at the most, parameters left out, by layer, operation or buffer."""


@runtime_checkable
class Phased(Protocol):
    """A prepared function that knows where the time of its last call went. Optional."""

    @property
    def seconds(self) -> Mapping[str, float]:
        """Seconds of the last call by phase, and those of all of it as "call"; empty before the first."""


def unsupported(method: Method, problem: Problem, want: Want) -> str | None:
    """The reasons every method shares: the wanted quantity, the backend and the device.

    A method's `supports` begins with this and adds what is particular to it.
    """
    claims = method.claims
    if want not in claims.wants:
        return f"it computes {', '.join(sorted(claims.wants))}, not {want}"
    backend = problem.arrays.backend
    # array_api_strict stands for any array library: what runs on NumPy by the array API alone runs there too.
    if backend not in claims.backends and not (backend == "array_api_strict" and "numpy" in claims.backends):
        return f"it runs on {', '.join(sorted(claims.backends))}, not on the {backend} backend"
    kind = "cuda" if problem.arrays.device.startswith("cuda") else "cpu"
    if problem.arrays.backend == "torch" and kind not in claims.devices:
        return f"it runs on {', '.join(sorted(claims.devices))}, not on {problem.arrays.device}"
    return too_large(problem, want)


def check_supported(method: Method, problem: Problem, want: Want) -> None:
    """Raise `UsageError` with the method's own reason where it does not support the problem."""
    if reason := method.supports(problem, want):
        raise UsageError(f"{type(method).__name__} cannot do {problem.call.name}: {reason}.")
