"""Problems that are one function of one vector, and any function of arrays as a problem."""

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from gradmark.arrays import Array, Arrays, dtype_name
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.parameters import Parameters
from gradmark.problem import Call, Problem, Smoothness, converted, retarget
from gradmark.random import generator
from gradmark.work import count


@dataclass(frozen=True)
class FunctionProblem:
    """A loss given as a function of the named parameters. See `gradmark.problem.Problem` for the members."""

    function: Callable[[Any, Parameters], Array]
    arrays: Arrays
    parameters: dict[str, Array]
    call: Call
    population: bool = False
    smoothness: Smoothness = "smooth"
    bounds: tuple[float, float] | None = None
    flops: float | None = None
    gradient: Callable[[Any, Parameters], dict[str, Array]] | None = None
    default_draw: Draw = field(default_factory=Draw)
    layers: None = None
    criterion: None = None
    unroll: None = None
    sparsity: None = None

    def loss(self, parameters: Parameters, draw: Draw | None = None) -> Array:
        """The function's value, one for each member where the parameters carry a population axis."""
        value = self.function(self.arrays.xp, parameters)
        count(forward=value.shape[0] if value.ndim else 1)
        return value

    def outputs(self, parameters: Parameters, draw: Draw | None = None) -> Array:
        """The function's value: a plain function has no other outputs."""
        return self.loss(parameters, draw)

    def draw(self, seed: int) -> Draw:
        """An empty draw: nothing is random."""
        return Draw(seed=seed)

    def plain_forward(self) -> Callable[[Parameters, Draw], Any]:
        """The loss itself."""
        return self.loss

    @property
    def closed_form(self) -> Callable[[Parameters, Draw], dict[str, Array]] | None:
        """The gradient by the formula the problem was given, or None."""
        formula = self.gradient
        if formula is None:
            return None
        return lambda parameters, draw: formula(self.arrays.xp, parameters)

    def opened(self, what: Literal["inputs", "nodes"]) -> Problem:
        """A plain function has neither inputs nor nodes apart from its parameters: raises `UsageError`."""
        raise UsageError(f"{self.call.name} has no {what} to open: it is a plain function of its parameters.")

    def to(
        self, *, backend: str | None = None, device: str | None = None, dtype: str | None = None
    ) -> "FunctionProblem":
        """The same numbers on another backend, device or dtype."""
        arrays = retarget(self.arrays, backend, device, dtype)
        return replace(self, arrays=arrays, parameters=converted(self.parameters, arrays))


def vector_problem(
    *,
    start: Callable[[np.random.Generator, int], Any],
    gradient: Callable[..., Array] | None = None,
    size: int = 10,
    smoothness: Smoothness = "smooth",
    bounds: tuple[float, float] | None = None,
    flops_per_parameter: float | None = None,
) -> Callable[[Callable[..., Array]], Callable[..., FunctionProblem]]:
    """Make a problem factory of ``function(xp, x, **constants)``, x having its coordinates on the last axis.

    Summing over the last axis only makes a population axis work by itself. `start(random, size)` gives the
    point, `gradient(xp, x, **constants)` the closed-form gradient. The factory takes `size`, the function's own
    keyword constants, and `backend`, `device`, `dtype`, `seed`.

    >>> import numpy as np
    >>> @vector_problem(start=lambda random, size: random.normal(size=size), gradient=lambda xp, x: 2 * x)
    ... def sphere(xp, x):
    ...     return xp.sum(x**2, axis=-1)
    >>> problem = sphere(size=3)
    >>> bool(np.isclose(problem.loss(problem.parameters), np.sum(problem.parameters["x"] ** 2)))
    True
    """

    def decorate(function: Callable[..., Array]) -> Callable[..., FunctionProblem]:
        return _factory(function, start, gradient, size, smoothness, bounds, flops_per_parameter)

    return decorate


def _factory(
    function: Callable[..., Array],
    start: Callable[[np.random.Generator, int], Any],
    gradient: Callable[..., Array] | None,
    default_size: int,
    smoothness: Smoothness,
    bounds: tuple[float, float] | None,
    flops_per_parameter: float | None,
) -> Callable[..., FunctionProblem]:
    constants = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in list(inspect.signature(function).parameters.values())[2:]
    ]
    name = function.__name__

    @functools.wraps(function)
    def factory(**arguments: Any) -> FunctionProblem:
        bound = signature.bind(**arguments)
        bound.apply_defaults()
        chosen = bound.arguments
        size, seed = check_size(name, "size", chosen["size"]), chosen["seed"]
        arrays = Arrays(chosen["backend"], chosen["device"], chosen["dtype"])
        own = {constant.name: chosen[constant.name] for constant in constants}
        formula = None
        if gradient is not None:
            formula = lambda xp, p: {"x": gradient(xp, p["x"], **own)}  # noqa: E731
        return FunctionProblem(
            function=lambda xp, p: function(xp, p["x"], **own),
            arrays=arrays,
            parameters={"x": arrays.array(start(generator(seed, "weights"), size))},
            call=Call(name, dict(chosen)),
            population=True,
            smoothness=smoothness,
            bounds=bounds,
            flops=None if flops_per_parameter is None else flops_per_parameter * size,
            gradient=formula,
        )

    common = {"size": default_size, "backend": "numpy", "device": "cpu", "dtype": "float64", "seed": 0}
    signature = inspect.Signature(
        constants
        + [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=value)
            for key, value in common.items()
        ]
    )
    factory.__signature__ = signature  # type: ignore[attr-defined]
    del factory.__wrapped__  # type: ignore[attr-defined]
    return factory


def check_size(problem: str, argument: str, value: Any, least: int = 1) -> int:
    """`value` as an integer of at least `least`; `UsageError` with the argument's name otherwise."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise UsageError(f"{problem}: `{argument}={value!r}` must be an integer of at least {least}.")
    return int(value)


def from_function(
    function: Callable[..., Array],
    at: Any,
    *,
    gradient: Callable[..., Any] | None = None,
    smoothness: Smoothness = "smooth",
    bounds: tuple[float, float] | None = None,
) -> FunctionProblem:
    """Any scalar function of an array, or of a dict of arrays, as a problem at the point `at`.

    Backend, device and dtype are those of the arrays in `at` (NumPy, torch or JAX; plain numbers and lists
    become float64 NumPy arrays). `function` and the optional closed-form `gradient` take what `at` is, and
    `gradient` returns the same structure. Raises `UsageError` for an `at` without floating numbers.

    >>> import numpy as np
    >>> problem = from_function(lambda x: np.sum(x**3), np.array([1.0, 2.0]), gradient=lambda x: 3 * x**2)
    >>> float(problem.loss(problem.parameters))
    9.0
    """
    single = not isinstance(at, Mapping)
    named = {"x": at} if single else dict(at)
    arrays, point = _arrays_of(named)
    value = function(point["x"] if single else point)
    if getattr(value, "shape", ()) != ():
        raise UsageError(
            f"`function` must return one number; at `at` it returned shape {tuple(value.shape)}."
        )

    def call_function(xp: Any, parameters: Parameters) -> Array:
        return arrays.xp.asarray(function(parameters["x"] if single else parameters))

    def call_gradient(xp: Any, parameters: Parameters) -> dict[str, Array]:
        assert gradient is not None
        return {"x": gradient(parameters["x"])} if single else dict(gradient(parameters))

    return FunctionProblem(
        function=call_function,
        arrays=arrays,
        parameters=point,
        call=Call(getattr(function, "__name__", "function")),
        smoothness=smoothness,
        bounds=bounds,
        gradient=None if gradient is None else call_gradient,
    )


def _arrays_of(named: dict[str, Any]) -> tuple[Arrays, dict[str, Array]]:
    point = {
        key: value if hasattr(value, "dtype") else np.asarray(value, float) for key, value in named.items()
    }
    if not point:
        raise UsageError("`at` holds no arrays: give an array or a dict of arrays.")
    first = next(iter(point.values()))
    module = type(first).__module__.split(".")[0].replace("jaxlib", "jax")
    backend = module if module in ("torch", "jax", "array_api_strict") else "numpy"
    device = str(first.device) if backend == "torch" else "cpu"
    if "float" not in dtype_name(first) and dtype_name(first) != "longdouble":
        raise UsageError(f"`at` must hold floating numbers, not {dtype_name(first)}: convert it first.")
    return Arrays(backend, device, dtype_name(first)), point
