"""Every problem tells degenerate gradients from the true one, in every dtype.

The resolution of a case is the epsilon of its dtype, or the uncertainty of the reference where that is larger
(gelu in float64 only, whose erfc no library has in longdouble). A single wrong coordinate is wrong by ten
resolutions, in units of the gradient's norm; the line between right and wrong is drawn at five. The true
gradient is what torch.autograd makes of the loss in the case's own dtype: it knows neither the closed forms
nor the pullbacks that references may be made of, and it rounds as any method does.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from gradmark import get_problem
from gradmark.arrays import epsilon
from gradmark.measuring.error import ErrorProfile, profile
from gradmark.reference import Reference, best_reference
from problems.layers.nonlinearities import NONLINEARITIES
from problems.losses import LOSSES

WRONG_BY = 10.0
LINE = 5.0
DTYPES = ("float64", "float32", "bfloat16", "float16")
SMALL: dict[str, Any] = {"widths": (6, 5, 3), "data": "synthetic", "batch": 8}
DEEP: dict[str, Any] = {"width": 5, "data": "synthetic", "inputs": 6, "outputs": 3, "batch": 8, "gain": 1.5}
PROBLEMS: dict[str, tuple[str, dict[str, Any]]] = {
    **{
        f"mlp, {activation}, {loss}": ("mlp", {**SMALL, "activation": activation, "loss": loss})
        for activation in NONLINEARITIES
        for loss in LOSSES
    },
    **{
        f"{name}, {normalisation}": (name, {**DEEP, many: 2, "normalisation": normalisation, "dropout": 0.2})
        for name, many in (("deep_mlp", "depth"), ("resnet_mlp", "blocks"))
        for normalisation in ("batch", "layer")
    },
    "mlp on digits": ("mlp", {"widths": (64, 8, 10), "batch": 16}),
    "logistic_regression": ("logistic_regression", {}),
    "quadratic": ("quadratic", {"size": 10}),
    "rosenbrock": ("rosenbrock", {"size": 10}),
    "log_sum_exp": ("log_sum_exp", {"size": 20}),
    "polynomial": ("polynomial", {"size": 20, "degree": 4}),
    "lqr": ("lqr", {"horizon": 4}),
}
Gradient = dict[str, torch.Tensor]


@cache
def case(name: str, dtype: str) -> tuple[Gradient, Reference]:
    """The true gradient, computed in `dtype`, and the reference."""
    factory, sizes = PROBLEMS[name]
    problem = get_problem(factory, backend="torch", dtype=dtype, **sizes)
    leaves = {key: array.clone().requires_grad_(True) for key, array in problem.parameters.items()}
    problem.loss(leaves).backward()
    return {key: leaf.grad for key, leaf in leaves.items() if leaf.grad is not None}, best_reference(problem)


def resolution(reference: Reference, dtype: str) -> float:
    return max(epsilon(dtype), reference.relative_uncertainty)


def norm(gradient: Gradient) -> float:
    return float(torch.cat([array.double().flatten() for array in gradient.values()]).norm())


def zero(gradient: Gradient, by: float) -> Gradient:
    return {key: torch.zeros_like(array) for key, array in gradient.items()}


def negated(gradient: Gradient, by: float) -> Gradient:
    return {key: -array for key, array in gradient.items()}


def random(gradient: Gradient, by: float) -> Gradient:
    """Every array has the right norm and a random direction."""
    generator = torch.Generator().manual_seed(0)
    drawn = {
        key: torch.randn(a.shape, generator=generator, dtype=torch.float64) for key, a in gradient.items()
    }
    return {
        key: (drawn[key] / drawn[key].norm() * a.double().norm()).to(a.dtype) for key, a in gradient.items()
    }


def one_wrong(
    which: Callable[[torch.Tensor], torch.Tensor], sign: float
) -> Callable[[Gradient, float], Gradient]:
    """A coordinate of the last array that is wrong by `by` norms of the gradient."""

    def impostor(gradient: Gradient, by: float) -> Gradient:
        key = list(gradient)[-1]
        wrong = gradient[key].double().flatten().clone()
        wrong[which(wrong.abs())] += sign * by * norm(gradient)
        return {**gradient, key: wrong.reshape(gradient[key].shape).to(gradient[key].dtype)}

    return impostor


IMPOSTORS = {
    "zero": zero,
    "negated": negated,
    "random of the right norm": random,
    "largest coordinate too large": one_wrong(torch.argmax, 1),
    "largest coordinate too small": one_wrong(torch.argmax, -1),
    "smallest coordinate wrong": one_wrong(torch.argmin, 1),
}


def is_right(found: ErrorProfile, limit: float) -> bool:
    return found.relative <= LINE * limit


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_true_gradient_is_recognised(name: str, dtype: str) -> None:
    gradient, reference = case(name, dtype)
    found = profile(gradient, reference, dtype)
    assert is_right(found, resolution(reference, dtype))
    assert found.float_class == dtype or epsilon(found.float_class) < epsilon(dtype) or "gelu" in name


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("impostor", IMPOSTORS)
@pytest.mark.parametrize("name", PROBLEMS)
def test_an_impostor_is_told_from_it(name: str, impostor: str, dtype: str) -> None:
    gradient, reference = case(name, dtype)
    limit = resolution(reference, dtype)
    faked = IMPOSTORS[impostor](gradient, WRONG_BY * limit)
    assert not is_right(profile(faked, reference, dtype), limit)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_gradient_is_not_degenerate_itself(name: str) -> None:
    """A problem whose gradient vanished in some array would let a zero pass there."""
    _, reference = case(name, "float64")
    for key, array in reference.gradient.items():
        assert np.linalg.norm(array.astype(float)) > 1e6 * reference.uncertainty[key]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", [name for name in PROBLEMS if "gelu" not in name])
def test_the_reference_is_finer_than_the_dtype_so_it_alone_decides(name: str, dtype: str) -> None:
    _, reference = case(name, dtype)
    assert reference.relative_uncertainty < epsilon(dtype) / 10
