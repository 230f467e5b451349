"""Faults of finite differences given as gradients, and of gradient methods that claim too much."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import gradmark
from reports.scorecard.battery.case import Case, MethodQuestion, Question, wrong
from reports.scorecard.battery.smooth import coupled, coupled_gradient

_SIZE = 30
_FAR = 100 / 3
"""A move of many times a parameter: taken back it leaves its rounding behind; a small one leaves none."""


def cases() -> Iterator[Case]:
    """Differences that are wrong as such, then methods before `gradmark.validate`."""
    for name, (what, gradient) in _DIFFERENCES.items():
        yield wrong(f"difference:{name}", what, _asked(gradient))
    for name, (what, make, fault) in _METHODS.items():
        yield wrong(f"method:{name}", what, _method(make, fault))


def _asked(gradient: Callable[[Any], Any]) -> Callable[[], Question]:
    x = np.random.default_rng(41).standard_normal(_SIZE)
    return lambda: Question(coupled, gradient, x, truth=coupled_gradient)


def _method(make: Callable[[], Any], fault: float) -> Callable[[], MethodQuestion]:
    return lambda: MethodQuestion(make(), fault)


def central(step: float, over: float = 2.0) -> Callable[[Any], Any]:
    """(f(x + h e) - f(x - h e)) / (`over` h) along each coordinate."""
    return lambda x: np.array(
        [(coupled(x + step * e) - coupled(x - step * e)) / (over * step) for e in np.eye(len(x))]
    )


def _not_undone(x: Any) -> Any:
    """x_i + h stays in the vector when the turn comes to the next coordinate."""
    x, step, g = np.array(x), 1e-3, []
    for i in range(len(x)):
        before = coupled(x)
        x[i] += step
        g.append((coupled(x) - before) / step)
    return np.array(g)


def _complex_step_through_real(x: Any) -> Any:
    """The complex step through a function that takes moduli on its way."""
    return np.array([coupled(np.abs(x + 1e-30j * e)).imag / 1e-30 for e in np.eye(len(x))])


_DIFFERENCES: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "over-h": ("a central difference divided by h", central(1e-5, over=1.0)),
    "not-undone": ("the perturbation not undone", _not_undone),
    "step-1e-12": ("a step of 1e-12: rounding", central(1e-12)),
    "step-1e-2": ("a step of 1e-2: truncation", central(1e-2)),
    "complex-modulus": ("a complex step through moduli", _complex_step_through_real),
}


def _differences(problem: Any, parameters: Any, step: float, weights: dict[float, float]) -> Any:
    """Sum of w f(x + k h e) / h over the offsets k with weights w, for each coordinate of each array."""
    g = {}
    for name, array in parameters.items():
        found = np.zeros(array.size, array.dtype)
        for index in range(array.size):
            move = np.zeros(array.size, array.dtype)
            move[index] = step
            move = move.reshape(array.shape)
            found[index] = sum(
                w * float(problem.loss({**parameters, name: array + k * move})) for k, w in weights.items()
            )
        g[name] = found.reshape(array.shape) / step
    return g


def declared(weights: dict[float, float], order: int, evaluations: int, step: float = 1e-4) -> Any:
    """A difference with the weights given, declared of `order` with `evaluations` for each parameter."""

    def declare(function: Any) -> Any:
        return gradmark.gradient_method(
            family="finite-difference", order=order, evaluations=lambda size: evaluations * size
        )(function)

    def difference(problem: Any, parameters: Any, seed: int, step: float = step) -> Any:
        return _differences(problem, parameters, step, weights)

    return declare(difference)


def _exact() -> Any:
    @gradmark.gradient_method(family="finite-difference", exact=True, evaluations=lambda size: 2 * size)
    def claimed_exact(problem: Any, parameters: Any, seed: int) -> Any:
        return _differences(problem, parameters, 1e-4, {1.0: 0.5, -1.0: -0.5})

    return claimed_exact


def _frozen() -> Any:
    kept: dict[tuple[int, ...], Any] = {}

    @gradmark.gradient_method(family="finite-difference", order=2, evaluations=lambda size: 2 * size)
    def frozen(problem: Any, parameters: Any, seed: int, step: float = 1e-4) -> Any:
        shapes = tuple(number for array in parameters.values() for number in array.shape)
        if shapes not in kept:
            kept[shapes] = _differences(problem, parameters, step, {1.0: 0.5, -1.0: -0.5})
        return kept[shapes]

    return frozen


def _changes_parameters() -> Any:
    @gradmark.gradient_method(family="finite-difference", order=2, evaluations=lambda size: 2 * size)
    def moved_and_back(problem: Any, parameters: Any, seed: int, step: float = 1e-4) -> Any:
        g = _differences(problem, parameters, step, {1.0: 0.5, -1.0: -0.5})
        for array in parameters.values():
            array += _FAR
            array -= _FAR
        return g

    return moved_and_back


_METHODS: dict[str, tuple[str, Callable[[], Any], float]] = {
    "order-overstated": (
        "a forward difference declared of order 2",
        lambda: declared({1.0: 1.0, 0.0: -1.0}, 2, 2),
        1e-4,
    ),
    "over-h": ("a central difference divided by h", lambda: declared({1.0: 1.0, -1.0: -1.0}, 2, 2), 1.0),
    "scaled": ("a central difference times 1.01", lambda: declared({1.0: 0.505, -1.0: -0.505}, 2, 2), 1e-2),
    "evaluations": (
        "three evaluations where two are declared",
        lambda: declared({1.0: 0.5, -1.0: -0.5, 0.0: 0.0}, 2, 2),
        np.nan,
    ),
    "claimed-exact": ("a difference that claims to be exact", _exact, 1e-8),
    "frozen": ("frozen at the first point", _frozen, np.nan),
    "changes-parameters": ("parameters come back with rounding", _changes_parameters, np.nan),
}
