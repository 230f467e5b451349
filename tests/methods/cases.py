"""The scenario table of the method tests: small problems of every kind, and their gradients otherwise."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import torch

import gradmark
from gradmark.arrays import Array, Arrays, dtype_name, epsilon, to_numpy
from gradmark.draw import Draw
from gradmark.problem import Problem, accepts
from problems.layers.nonlinearities import NONLINEARITIES

Numbers = Mapping[str, Any]
Build = Callable[[Arrays], Problem]

WIDTHS, ROWS = (3, 5, 4, 2), 7
# So small that its square is beyond the last digit; a complex step loses nothing by it.
COMPLEX_STEP = 1e-40


def _mlp(activation: str, loss: str) -> Build:
    return lambda arrays: gradmark.get_problem(
        "mlp",
        widths=WIDTHS,
        activation=activation,
        loss=loss,
        data="synthetic",
        batch=ROWS,
        seed=3,
        **_where(arrays),
    )


def _named(name: str, **sizes: Any) -> Build:
    return lambda arrays: gradmark.get_problem(name, **sizes, **_where(arrays))


def _where(arrays: Arrays) -> dict[str, str]:
    return {"backend": arrays.backend, "device": arrays.device, "dtype": arrays.dtype}


def _polynomial(arrays: Arrays) -> Problem:
    """A user's function of two arrays, one of them a single number; it takes no population axis."""
    return gradmark.from_function(
        lambda p: (p["a"] ** 3).sum() + p["b"] * (p["a"] * p["a"]).sum(),
        {"a": arrays.array([0.5, -1.0, 2.0]), "b": arrays.array(1.5)},
        gradient=lambda p: {"a": 3 * p["a"] ** 2 + 2 * p["b"] * p["a"], "b": (p["a"] * p["a"]).sum()},
    )


def _module(arrays: Arrays) -> Problem:
    """A user's torch module."""
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    inputs, targets = torch.randn(ROWS, 3), torch.randn(ROWS, 2)
    problem = gradmark.from_torch(module, lambda y, t: ((y - t) ** 2).mean(), inputs, targets)
    return problem.to(device=arrays.device, dtype=arrays.dtype)


NETWORKS: dict[str, Build] = {
    f"mlp {activation} {loss}": _mlp(activation, loss)
    for activation in NONLINEARITIES
    for loss in ("mse", "cross_entropy")
} | {"logistic regression": _named("logistic_regression", batch=20)}
FUNCTIONS: dict[str, Build] = {
    "quadratic": _named("quadratic", size=6),
    "rosenbrock": _named("rosenbrock", size=6),
    "log_sum_exp": _named("log_sum_exp", size=6),
}
FOREIGN: dict[str, Build] = {"polynomial": _polynomial, "module": _module}
CASES = NETWORKS | FUNCTIONS | FOREIGN
# JAX compiles anew for every shape, so its cases are few, one of each kind.
FEW = ("mlp tanh cross_entropy", "mlp relu mse", "logistic regression", "rosenbrock", "polynomial")
# torch.compile takes seconds for every shape, dtype and problem.
COMPILED = {"float64": ("mlp tanh cross_entropy", "rosenbrock"), "float32": ("mlp relu mse",)}

# Peers that are not a part of gradmark[peers], and the packages that they need.
APART = {"evotorch_pgpe": "evotorch"}


def cases_of(arrays: Arrays) -> dict[str, Problem]:
    """The cases that exist on a backend, built there."""
    names = tuple(CASES)
    if arrays.backend == "jax":
        names = FEW if arrays.dtype == "float64" else FEW[:1]
    return {name: CASES[name](arrays) for name in names if exists(name, arrays)}


def cases_for(method: str, arrays: Arrays) -> dict[str, Problem]:
    """Those that `method` is tested on there: all of them, unless it compiles for seconds."""
    if method != "compiled" or arrays.backend != "torch":
        return cases_of(arrays)
    return {name: CASES[name](arrays) for name in COMPILED.get(arrays.dtype, ())}


def exists(name: str, arrays: Arrays) -> bool:
    """Whether a case can be built: a module is torch's, array_api_strict has no `.sum()` and no erfc."""
    if name == "module":
        return arrays.backend == "torch"
    if arrays.backend == "array_api_strict" and (name == "polynomial" or "gelu" in name):
        return False
    # SciPy's erfc stops at float64; and a rounded z near a kink is on another branch than z, in 8 or 11 bits.
    kinked = NONLINEARITIES[name.split()[1]].smoothness == "kinked" if name.startswith("mlp") else False
    return not ("gelu" in name and arrays.dtype == "longdouble") and not (kinked and arrays.itemsize < 4)


def reference(problem: Problem, draw: Draw | None = None) -> dict[str, Any]:
    """The gradient at the problem's rounded numbers: by a closed form, complex steps, or float64 autograd."""
    if hasattr(problem, "module"):
        return _by_torch(problem.to(dtype="float64"))
    wide = accepts(problem.to(backend="numpy", dtype="float64"), "clongdouble")
    exact = problem.to(backend="numpy", dtype="longdouble" if wide else "float64")
    rows = exact.default_draw if draw is None else Draw(converted_draw(draw, exact.arrays))
    if exact.closed_form is not None:
        return {name: np.asarray(array) for name, array in exact.closed_form(exact.parameters, rows).items()}
    return complex_steps(exact, rows)


def converted_draw(draw: Draw, arrays: Arrays) -> dict[str, Array]:
    """The numbers of a draw in other arrays."""
    return {name: arrays.array(to_numpy(array)) for name, array in draw.arrays.items()}


def complex_steps(problem: Problem, draw: Draw) -> dict[str, Any]:
    """Im f(x + i h e_i) / h, coordinate by coordinate."""
    gradient = {name: np.zeros_like(array) for name, array in problem.parameters.items()}
    for name, array in problem.parameters.items():
        for index in np.ndindex(array.shape):
            moved = array + 0j
            moved[index] += 1j * COMPLEX_STEP
            gradient[name][index] = (
                np.imag(problem.loss({**problem.parameters, name: moved}, draw)) / COMPLEX_STEP
            )
    return gradient


def _by_torch(problem: Problem) -> dict[str, Any]:
    leaves = {name: array.clone().requires_grad_() for name, array in problem.parameters.items()}
    found = torch.autograd.grad(problem.loss(leaves), list(leaves.values()))
    return {name: to_numpy(array) for name, array in zip(leaves, found, strict=True)}


def assert_like(gradient: Numbers, parameters: Numbers) -> None:
    """The gradient has the names, shapes, dtypes and devices of the parameters, in their order."""
    described = [
        [
            (name, tuple(array.shape), dtype_name(array), str(getattr(array, "device", "cpu")))
            for name, array in named.items()
        ]
        for named in (gradient, parameters)
    ]
    assert described[0] == described[1]


def flat(gradient: Numbers) -> Any:
    """All numbers of a gradient as one longdouble vector."""
    return np.concatenate([np.ravel(to_numpy(array)).astype(np.longdouble) for array in gradient.values()])


def relative_error(gradient: Numbers, exact: Numbers) -> float:
    """|g - g'| / |g'| over all arrays, which must have the same names and shapes in the same order."""
    assert list(gradient) == list(exact)
    assert [tuple(array.shape) for array in gradient.values()] == [
        np.shape(array) for array in exact.values()
    ]
    return float(np.linalg.norm(flat(gradient) - flat(exact)) / np.linalg.norm(flat(exact)))


def cosine(gradient: Numbers, exact: Numbers) -> float:
    """The cosine between two gradients."""
    a, b = flat(gradient), flat(exact)
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


@cache
def rounding(dtype: str) -> float:
    """The relative error that rounding alone explains, with n roundings on the way to one number.

    Roundings add up like sqrt(n) u, u = epsilon / 2 (Higham and Mary 2019); n: the rows, the products of each
    layer, forth and back, and ten for each function. Four times that is not seen by chance.
    """
    n = ROWS + 2 * (sum(WIDTHS) + 10 * len(WIDTHS))
    return float(4 * np.sqrt(n) * epsilon(dtype) / 2)


def stating_its_work(name: str) -> Any:
    """The method; without a loss scale where that makes it repeat what overflows and state no work.

    Methods that stop where their own error estimate tells them to state none at all.
    """
    method = gradmark.get_method(name)
    if method.claims.work is not None or not hasattr(method, "loss_scale"):
        return method
    return gradmark.get_method(name, loss_scale="none")
