"""Any function of arrays as a problem."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np

from gradmark.arguments import check_name
from gradmark.arguments import check_size as check_size
from gradmark.arrays import Array, Arrays, dtype_name, real_dtype
from gradmark.draw import Draw
from gradmark.dtypes import DTYPES
from gradmark.errors import UsageError, shown
from gradmark.function_checks import check_within, value_at
from gradmark.leaves import leaves, leaves_like, rebuilt
from gradmark.noise_laws import NoiseLaw
from gradmark.parameters import Parameters
from gradmark.problem import Call, Problem, Smoothness, converted, retarget
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
    gradient: Callable[[Any, Parameters], dict[str, Array]] | None = None
    smoothing: Callable[[Any, Parameters, NoiseLaw, float], dict[str, Array]] | None = None
    default_draw: Draw = field(default_factory=Draw)
    flops: None = None
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

    @property
    def smoothed_form(self) -> Callable[[Parameters, Draw, NoiseLaw, float], dict[str, Array]] | None:
        """The mean of f(x + sigma e) e / sigma over noise e, by a formula, or None; see `Problem`."""
        formula = self.smoothing
        if formula is None:
            return None
        return lambda parameters, draw, law, sigma: formula(self.arrays.xp, parameters, law, sigma)

    def opened(self, what: Literal["inputs", "nodes"]) -> Problem:
        """A plain function has neither inputs nor nodes apart from its parameters: raises `UsageError`."""
        raise UsageError(f"{self.call.name} has no {what} to open: it is a plain function of its parameters.")

    def to(
        self, *, backend: str | None = None, device: str | None = None, dtype: str | None = None
    ) -> "FunctionProblem":
        """The same numbers on another backend, device or dtype."""
        arrays = retarget(self.arrays, backend, device, dtype)
        return replace(self, arrays=arrays, parameters=converted(self.parameters, arrays))


def from_function(
    function: Callable[..., Array],
    at: Any,
    *,
    gradient: Callable[..., Any] | None = None,
    smoothness: Smoothness = "smooth",
    bounds: tuple[float, float] | None = None,
) -> FunctionProblem:
    """Any scalar function of an array, or of a dict, list or tuple of arrays, as a problem at the point `at`.

    Backend, device and dtype are those of the arrays in `at`, all of one kind (NumPy, torch or JAX; plain
    numbers and lists become float64 NumPy arrays). `function` and the optional closed-form `gradient` take
    what `at` is, and `gradient` returns the same structure; the parameters' names are the keys and positions
    on the way to each array ("x" for a single one). Raises `UsageError` for an `at` without floating
    numbers, of several kinds or outside of `bounds`, and for a function that does not return one finite real
    number there, or that writes into its argument.

    >>> import numpy as np
    >>> problem = from_function(lambda x: np.sum(x**3), np.array([1.0, 2.0]), gradient=lambda x: 3 * x**2)
    >>> float(problem.loss(problem.parameters))
    9.0
    """
    check_name("smoothness", smoothness, get_args(Smoothness))
    arrays, point = arrays_of(leaves(at))

    def call_function(xp: Any, parameters: Parameters) -> Array:
        value = function(rebuilt(at, parameters))
        return value if hasattr(value, "dtype") else xp.asarray(value, dtype=arrays.dtype_object)

    def call_gradient(xp: Any, parameters: Parameters) -> dict[str, Array]:
        assert gradient is not None
        return leaves_like(at, gradient(rebuilt(at, parameters)))

    check_within(bounds, arrays, point)
    check_value("function", value_at(call_function, arrays, point), arrays)
    return FunctionProblem(
        function=call_function,
        arrays=arrays,
        parameters=point,
        call=Call(getattr(function, "__name__", "function")),
        smoothness=smoothness,
        bounds=bounds,
        gradient=None if gradient is None else call_gradient,
    )


def check_value(argument: str, value: Array, arrays: Arrays) -> None:
    """Raise `UsageError` unless what `argument` returned at the point is one finite real number."""
    if tuple(value.shape) != ():
        raise UsageError(f"`{argument}` must return one number; it returned shape {tuple(value.shape)}.")
    if not arrays.xp.isdtype(value.dtype, "real floating"):
        raise UsageError(f"`{argument}` must return a real floating number, not {dtype_name(value)}.")
    if arrays.device != "meta" and not bool(arrays.xp.isfinite(value)):
        raise UsageError(f"`{argument}` returned {float(value)} at the point: choose one where it is finite.")


def arrays_of(named: Mapping[str, Any]) -> tuple[Arrays, dict[str, Array]]:
    """What the arrays of a point are, and the arrays; `UsageError` where they are of several kinds."""
    if not named:
        raise UsageError("`at` holds no arrays: give an array, or a dict or list of arrays.")
    point = {str(name): _array(value) for name, value in named.items()}
    kinds = {name: kind_of(array) for name, array in point.items()}
    if len(set(kinds.values())) > 1:
        listed = ", ".join(f"{name} is {' '.join(kind)}" for name, kind in kinds.items())
        raise UsageError(
            f"`at` mixes backends, devices or dtypes ({listed}): convert the arrays to one kind."
        )
    backend, device, dtype = next(iter(kinds.values()))
    _check_carried(backend, dtype)
    return Arrays(backend, device, dtype), point


def _check_carried(backend: str, dtype: str) -> None:
    allowed = [name for name in DTYPES[backend] if name == real_dtype(name)]
    convert = f"convert it to {', '.join(allowed[:-1])} or {allowed[-1]}."
    if dtype != "longdouble" and "float" not in dtype:
        raise UsageError(f"`at` must hold real floating numbers, not {dtype}: {convert}")
    if dtype not in allowed:
        raise UsageError(
            f"`at` is {dtype}, and gradmark's {backend} backend does not carry {dtype}: {convert}"
        )


def _array(value: Any) -> Array:
    """Arrays of the other backends as they are, without a graph; anything else as NumPy."""
    if _module(value) != "numpy":
        return value.detach() if _module(value) == "torch" else value
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise UsageError(f"`at` must hold arrays of numbers: {error}.") from error
    if array.dtype.kind not in "biufc":
        raise UsageError(f"`at` must hold arrays of numbers, not {shown(value)}.")
    return array if hasattr(value, "dtype") or array.dtype.kind == "c" else array.astype(np.float64)


def _module(array: Any) -> str:
    module = type(array).__module__.split(".")[0].replace("jaxlib", "jax")
    return module if module in ("torch", "jax", "array_api_strict") and hasattr(array, "dtype") else "numpy"


def kind_of(array: Array) -> tuple[str, str, str]:
    """Backend, device and dtype of an array, by name."""
    backend = _module(array)
    if backend == "jax":
        return backend, array.device.platform, dtype_name(array)
    device = "cpu" if backend == "numpy" else str(array.device)
    if backend == "array_api_strict":
        device = device.split("'")[1].replace("CPU_DEVICE", "cpu")
    return backend, device, dtype_name(array)
