"""A gradient method as one function: the short form of `gradmark.method.Method`."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import field, fields, make_dataclass, replace
from typing import Any, get_args

from gradmark.arguments import check_name
from gradmark.arrays import BACKENDS, Array
from gradmark.claims import Claims, Exactness, Family, Growth, Reads, Target
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, finished, size
from gradmark.passes import share_of_rows
from gradmark.problem import Problem, at_draw
from gradmark.short_form_checks import check_gradient, exactness_of, hyper_parameters, passed_on
from gradmark.work import Work, counting

Function = Callable[..., Mapping[str, Array]]
_LOSS: tuple[Reads, ...] = ("loss",)


def gradient_method(
    *,
    family: Family,
    exact: bool = False,
    order: int | None = None,
    samples: str | None = None,
    variance_factor: Callable[[int], float] | None = None,
    biased: str | None = None,
    target: Target = Target(),  # noqa: B008  # frozen
    evaluations: Callable[..., float] | None = None,
    reads: Collection[Reads] = _LOSS,
    backends: Collection[str] = ("numpy",),
) -> Callable[[Function], type[Any]]:
    """Make ``function(problem, parameters, seed)``, which returns the gradient, a gradient method.

    The gradient is a dict with the names, shapes and dtype of `parameters`. Further parameters of the
    function have defaults and become the method's hyper-parameters. Data are in ``problem.default_draw``,
    which is the draw that the method was called with. The function stays at hand as ``.function``.

    Say one of: ``exact=True``; ``order=p``, for an error of order step^p in the hyper-parameter ``step``;
    ``samples="pairs"`` with ``variance_factor=lambda size: ...``, for an unbiased random estimate (see
    `gradmark.claims.Unbiased`); ``biased="why"``. `target` is what it aims at; its sigma follows the
    hyper-parameter ``sigma`` if it is the default of that. ``evaluations(size)`` is the number of forward and
    tangent passes of one call; it may take hyper-parameters by name besides. `reads` is what the method uses
    of a problem, `backends` those it runs on. Raises `UsageError` for a declaration or a function that does
    not fit this, and when called for a gradient that does not fit the parameters.

    >>> import gradmark
    >>> @gradmark.gradient_method(family="finite-difference", order=1, evaluations=lambda size: size + 1)
    ... def one_sided(problem, parameters, seed, step=1e-6):
    ...     x = parameters["x"]
    ...     moved = [problem.loss({"x": x + step * unit}) for unit in np.eye(len(x))]
    ...     return {"x": (np.stack(moved) - problem.loss(parameters)) / step}
    >>> import numpy as np
    >>> problem = gradmark.from_function(lambda x: np.sum(x**2), np.array([1.0, 2.0]))
    >>> estimate = one_sided(step=1e-7).prepare(problem)(problem.parameters)
    >>> print(estimate.gradient["x"].round(4), estimate.work.evaluations)
    [2. 4.] 3.0
    """
    check_name("family", family, get_args(Family))
    for backend in backends:
        check_name("backend", backend, BACKENDS)
    for each in reads:
        check_name("reading", each, get_args(Reads))

    def decorate(function: Function) -> type[Any]:
        hyper = hyper_parameters(function)
        exactness = exactness_of(function, hyper, exact, order, samples, variance_factor, biased)
        cost = passed_on(function, "evaluations", evaluations, hyper)
        made = make_dataclass(
            function.__name__,
            [(name, kind, field(default=default)) for name, (kind, default) in hyper.items()],
            namespace={
                "__doc__": function.__doc__ or f"The short-form method {function.__name__}.",
                "function": staticmethod(function),
                "claims": property(
                    lambda self: _claims(
                        self, family, exactness, target, cost, frozenset(reads), frozenset(backends)
                    )
                ),
                "supports": _supports,
                "prepare": _prepare,
            },
            frozen=True,
        )
        made.__module__, made.__qualname__ = function.__module__, function.__qualname__
        return made

    return decorate


def _hyper(method: Any) -> dict[str, Any]:
    return {each.name: getattr(method, each.name) for each in fields(method)}


def _claims(
    method: Any,
    family: Family,
    exactness: Exactness,
    target: Target,
    cost: Callable[[int, Mapping[str, Any]], float] | None,
    reads: frozenset[Reads],
    backends: frozenset[str],
) -> Claims:
    hyper = _hyper(method)
    return Claims(
        family=family,
        exactness=exactness,
        reads=reads,
        growth=Growth() if cost is None else _growth(lambda number: cost(number, hyper)),
        work=None if cost is None else lambda problem: Work(forward=cost(size(problem.parameters), hyper)),
        target=_target(method, target),
        backends=backends,
        devices=frozenset({"cpu", "cuda"} if backends & {"torch", "jax"} else {"cpu"}),
    )


def _target(method: Any, declared: Target) -> Target:
    """A declared sigma that is the default of the hyper-parameter `sigma` means it, whatever its value."""
    defaults = {each.name: each.default for each in fields(method)}
    if declared.sigma is None or defaults.get("sigma") != declared.sigma:
        return declared
    return replace(declared, sigma=float(method.sigma))


def _growth(cost: Callable[[int], float]) -> Growth:
    """The exponent of the declared evaluations, from P = 2^20 to 2^21; each costs one pass over P numbers."""
    few, many = cost(2**20), cost(2**21)
    passes = round(math.log2(many / few), 2) if few > 0 and many > 0 else 0.0
    return Growth(passes=passes, time={"parameters": passes + 1})


def _supports(method: Any, problem: Problem, want: Want = "gradient") -> str | None:
    """None, or the reason in words why this problem or quantity cannot be done."""
    if problem.arrays.backend not in method.claims.backends:
        known = ", ".join(sorted(method.claims.backends))
        return f"it runs on {known}, not on the {problem.arrays.backend} backend"
    return unsupported(method, problem, want)


def _prepare(method: Any, problem: Problem, want: Want = "gradient") -> Prepared:
    """Bind the function to a problem."""
    check_supported(method, problem, want)
    name, hyper = type(method).__name__, _hyper(method)

    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        seen = problem if draw is None else at_draw(problem, draw)
        with counting() as work:
            result = method.function(seen, parameters, seed, **hyper)
        check_gradient(name, result, parameters)
        counted = work.total().times(share_of_rows(problem, seen.default_draw))
        return Estimate(finished({key: result[key] for key in parameters}), None, counted)

    return gradient
