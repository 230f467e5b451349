"""What a problem is: a scalar loss of named parameters, and what is known about it."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np

from gradmark.arrays import Array, Arrays, dtype_name, to_numpy
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.layer import Criterion, NamedLayer
from gradmark.parameters import Parameters
from gradmark.unroll import Unroll

Smoothness = Literal["smooth", "kinked", "discontinuous"]
"""smooth: the gradient is continuous everywhere; kinked: the loss is, and its gradient jumps somewhere
(relu); discontinuous: the loss jumps.

A second derivative may jump in a smooth problem, as that of elu does: differences across such a point are of
first order instead of second.
"""


@dataclass(frozen=True)
class Call:
    """The call that rebuilds a problem: the factory's name, its keyword arguments, and what was opened then.

    >>> print(Call("quadratic", {"size": 3}))
    quadratic(size=3)
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    opened: tuple[str, ...] = ()

    def __str__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.arguments.items())
        return f"{self.name}({arguments})" + "".join(f".opened({what!r})" for what in self.opened)


class Problem(Protocol):
    """A scalar loss of named parameters, on one backend, device and dtype.

    Nobody must inherit from this class: `gradmark.from_function`, `gradmark.from_torch` and the factories of
    `problems/` build problems, and any object with these members is one.

    One member more is optional: `smoothed_form(parameters, draw, law, sigma)`, the exact mean of
    f(x + sigma e) e / sigma over search noise e of a `gradmark.noise_laws.NoiseLaw`, as named arrays. For
    Gaussian e it is the gradient of the smoothed loss E f(x + sigma e); for other laws it is what an
    evolution strategy with that noise estimates. It raises `UsageError` for a law or sigma for which it has
    no formula. The judge of random methods asks for it by ``getattr``.
    """

    @property
    def call(self) -> Call:
        """How it was built."""

    @property
    def arrays(self) -> Arrays:
        """Backend, device, dtype and the array namespace `xp`."""

    @property
    def parameters(self) -> dict[str, Array]:
        """The point at which gradients are taken: named arrays, named as in a torch state dict."""

    @property
    def default_draw(self) -> Draw:
        """The draw the problem was built with; used wherever a `draw` is None."""

    @property
    def population(self) -> bool:
        """Whether parameters (all, or any subset) may carry one leading axis of members."""

    @property
    def smoothness(self) -> Smoothness:
        """See `Smoothness`."""

    @property
    def bounds(self) -> tuple[float, float] | None:
        """An interval that every parameter must stay inside, or None."""

    @property
    def layers(self) -> tuple[NamedLayer, ...] | None:
        """The structure of a network, or None: then only black-box and graph-reading methods apply."""

    @property
    def criterion(self) -> Criterion | None:
        """What a network's loss does with its outputs; None where `layers` is None."""

    @property
    def unroll(self) -> Unroll | None:
        """Initial state, step and horizon of a problem unrolled in time, or None."""

    @property
    def sparsity(self) -> Any:
        """The sparsity of its Jacobian or Hessian, or None."""

    @property
    def flops(self) -> float | None:
        """Floating-point operations of one forward pass over the default draw, or None where unknown."""

    @property
    def closed_form(self) -> Callable[[Parameters, Draw], dict[str, Array]] | None:
        """The gradient by a formula that shares no code with the loss, or None."""

    def loss(self, parameters: Parameters, draw: Draw | None = None) -> Array:
        """The scalar loss, shape (); with a population axis one loss for each member, shape (N,)."""

    def outputs(self, parameters: Parameters, draw: Draw | None = None) -> Array:
        """What the loss is made of: predictions, residuals, returns."""

    def draw(self, seed: int) -> Draw:
        """A fresh sample of all that is random; the same seed gives the same draw."""

    def plain_forward(self) -> Callable[[Parameters, Draw], Any]:
        """The fastest way known to compute the loss alone: the unit in which costs are counted."""

    def opened(self, what: Literal["inputs", "nodes"]) -> "Problem":
        """The same problem with its inputs, or zero offsets at its pre-activations, as parameters too.

        Raises `UsageError` where the problem has none.
        """

    def to(
        self, *, backend: str | None = None, device: str | None = None, dtype: str | None = None
    ) -> "Problem":
        """The same numbers on another backend, device or dtype, rounded once if the dtype is narrower."""


def converted(named: Mapping[str, Array], arrays: Arrays) -> dict[str, Array]:
    """Copies of named real arrays in `arrays`; integers and truth values stay what they are."""
    makers = {"i": arrays.integers, "u": arrays.integers, "b": arrays.booleans}
    numbers = {name: to_numpy(array) for name, array in named.items()}
    return {name: makers.get(array.dtype.kind, arrays.array)(array) for name, array in numbers.items()}


def at_draw(problem: Any, draw: Draw, parameters: Parameters | None = None) -> Any:
    """The same problem with `draw` as its default; passes over its rows then count as whole ones.

    And with other `parameters`, where some are given.
    """
    changed: dict[str, Any] = {"default_draw": draw}
    if parameters is not None:
        changed["parameters"] = dict(parameters)
    if is_dataclass(problem) and not isinstance(problem, type):
        return replace(problem, **changed)
    other = copy.copy(problem)
    for name, value in changed.items():
        setattr(other, name, value)
    return other


def retarget(arrays: Arrays, backend: str | None, device: str | None, dtype: str | None) -> Arrays:
    """`arrays` with some of its three coordinates changed; a changed backend starts on its cpu."""
    backend_changes = backend is not None and backend != arrays.backend
    return Arrays(
        backend or arrays.backend,
        device or ("cpu" if backend_changes else arrays.device),
        dtype or arrays.dtype,
    )


def accepts(problem: Problem, dtype: str, draw: Draw | None = None, *, of_outputs: bool = False) -> bool:
    """Whether the whole path of `problem.loss` carries `dtype` (such as "longdouble" or "complex128").

    Or that of its outputs. It is tried, on `draw` (None: the default draw): what comes back must be finite
    and in `dtype`. Some functions are missing somewhere (torch has no complex erf, SciPy's erf no
    longdouble), and NumPy would otherwise round silently.
    """
    try:
        arrays = Arrays(problem.arrays.backend, problem.arrays.device, dtype)
        draw = Draw(arrays.cast((draw or problem.default_draw).arrays))
        with np.errstate(all="ignore"):
            value = (problem.outputs if of_outputs else problem.loss)(arrays.cast(problem.parameters), draw)
        return dtype_name(value) == dtype and bool(np.all(np.isfinite(to_numpy(value))))
    except (UsageError, TypeError, ValueError, RuntimeError, NotImplementedError, AttributeError):
        return False
