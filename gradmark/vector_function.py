"""Problems that are one function of one vector of any size."""

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradmark.arguments import check_fits, check_number, check_size
from gradmark.arrays import Array, Arrays
from gradmark.function_problem import FunctionProblem
from gradmark.problem import Call, Smoothness
from gradmark.random import generator

_ANY_NUMBER = (-np.finfo(float).max, np.finfo(float).max)


def vector_problem(
    *,
    start: Callable[[np.random.Generator, int], Any],
    gradient: Callable[..., Array] | None = None,
    smoothing: Callable[..., Array] | None = None,
    size: int = 10,
    least_size: int = 1,
    limits: Mapping[str, tuple[float, float]] | None = None,
    smoothness: Smoothness = "smooth",
    bounds: tuple[float, float] | None = None,
) -> Callable[[Callable[..., Array]], Callable[..., FunctionProblem]]:
    """Make a problem factory of ``function(xp, x, **constants)``, x having its coordinates on the last axis.

    Summing over the last axis only makes a population axis work by itself. `start(random, size)` gives the
    point, `gradient(xp, x, **constants)` the closed-form gradient, and
    `smoothing(xp, x, law, sigma, **constants)` the mean under search noise (`gradmark.problem.Problem`,
    smoothed_form). The factory takes `size` (at least `least_size`), the function's own keyword constants (a
    number stays within its `limits`, where it has some), and `backend`, `device`, `dtype`, `seed`; it raises
    `UsageError` for any other value.

    >>> import numpy as np
    >>> @vector_problem(start=lambda random, size: random.normal(size=size), gradient=lambda xp, x: 2 * x)
    ... def sphere(xp, x):
    ...     return xp.sum(x**2, axis=-1)
    >>> problem = sphere(size=3)
    >>> bool(np.isclose(problem.loss(problem.parameters), np.sum(problem.parameters["x"] ** 2)))
    True
    """

    def decorate(function: Callable[..., Array]) -> Callable[..., FunctionProblem]:
        signature, constants = _signature(function, size)
        name = function.__name__

        @functools.wraps(function)
        def factory(**arguments: Any) -> FunctionProblem:
            bound = signature.bind(**arguments)
            bound.apply_defaults()
            chosen = bound.arguments
            own = {key: _checked(name, constants[key], chosen[key], limits or {}) for key in constants}
            rows = check_size(name, "size", chosen["size"], least_size)
            check_fits(name, rows)
            arrays = Arrays(chosen["backend"], chosen["device"], chosen["dtype"])
            return FunctionProblem(
                function=lambda xp, p: function(xp, p["x"], **own),
                arrays=arrays,
                parameters={"x": arrays.array(start(generator(chosen["seed"], "weights"), rows))},
                call=Call(name, dict(chosen)),
                population=True,
                smoothness=smoothness,
                bounds=bounds,
                gradient=None if gradient is None else lambda xp, p: {"x": gradient(xp, p["x"], **own)},
                smoothing=None
                if smoothing is None
                else lambda xp, p, law, sigma: {"x": smoothing(xp, p["x"], law, sigma, **own)},
            )

        # The factory's signature is its own, not the function's: `get_problem` and `help` read it.
        named: Any = factory
        named.__signature__ = signature
        del named.__wrapped__
        return factory

    return decorate


def _signature(
    function: Callable[..., Array], size: int
) -> tuple[inspect.Signature, dict[str, inspect.Parameter]]:
    """The factory's signature, and the function's own constants, which are part of it."""
    keyword_only = inspect.Parameter.KEYWORD_ONLY
    constants = [
        parameter.replace(kind=keyword_only)
        for parameter in list(inspect.signature(function).parameters.values())[2:]
    ]
    common = {"size": size, "backend": "numpy", "device": "cpu", "dtype": "float64", "seed": 0}
    shared = [inspect.Parameter(key, keyword_only, default=value) for key, value in common.items()]
    return inspect.Signature(constants + shared), {constant.name: constant for constant in constants}


def _checked(
    problem: str, constant: inspect.Parameter, value: Any, limits: Mapping[str, tuple[float, float]]
) -> Any:
    """A constant whose default is a float must be a finite number."""
    if not isinstance(constant.default, float):
        return value
    return check_number(problem, constant.name, value, *limits.get(constant.name, _ANY_NUMBER))
