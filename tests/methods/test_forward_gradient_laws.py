"""The laws of forward gradients: their variance is the one that the formula says, on a network's loss.

Equivalence within 5 % (two one-sided tests, false once in a hundred), with standard errors below 2 %.
"""

import math
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays, installed
from gradmark.claims import Unbiased
from gradmark.errors import UsageError
from gradmark.measuring.equivalence import confidence, equivalent
from gradmark.measuring.skew_corrected import corrected_interval, standard_error
from gradmark.noise import noise_rows, orthonormal_rows
from tests.methods.cases import CASES, flat, reference, relative_error

MARGIN, LARGEST_ERROR = 0.05, 0.02
NETWORK: dict[str, Any] = {"widths": (4, 3, 2), "data": "synthetic", "batch": 2, "loss": "mse"}
SIZE = 4 * 3 + 3 + 3 * 2 + 2
# Law, antithetic, directions, and the factor v in v |g|^2 / K.
LAWS = [
    ("gaussian", False, 4, SIZE + 1),
    ("gaussian", False, 16, SIZE + 1),
    ("gaussian", True, 16, 2 * (SIZE + 1)),
    ("rademacher", False, 4, SIZE - 1),
    ("rademacher", True, 16, 2 * (SIZE - 1)),
    ("orthonormal", False, 4, SIZE - 4),
    ("orthonormal", False, 16, SIZE - 16),
    ("orthonormal", True, 16, 2 * SIZE - 16),
]


@pytest.mark.parametrize(("law", "antithetic", "directions", "factor"), LAWS)
def test_the_measured_variance_is_the_formula_of_the_law(
    law: str, antithetic: bool, directions: int, factor: float
) -> None:
    problem = gradmark.get_problem("mlp", **NETWORK)
    method = gradmark.get_method("forward_gradient", law=law, antithetic=antithetic, directions=directions)
    claimed, exact = method.claims.exactness, reference(problem)
    assert isinstance(claimed, Unbiased) and claimed.factor(problem, exact) == factor
    g, function = flat(exact).astype(float), method.prepare(problem)
    number = 24_000 // (directions // 2 if antithetic else directions)
    found = np.stack([flat(function(problem.parameters, seed).gradient) for seed in range(number)])
    ratio = np.sum((found - g) ** 2, axis=1) / (g @ g) / (factor / directions)
    assert standard_error(ratio) < LARGEST_ERROR
    assert equivalent(corrected_interval(ratio, confidence()), 1.0, MARGIN)


@pytest.mark.parametrize("antithetic", [False, True])
def test_as_many_orthonormal_directions_as_parameters_are_the_gradient(antithetic: bool) -> None:
    problem = gradmark.get_problem("mlp", **NETWORK)
    most = SIZE * (2 if antithetic else 1)
    arguments: dict[str, Any] = {"law": "orthonormal", "antithetic": antithetic}
    method = gradmark.get_method("forward_gradient", directions=most, **arguments)
    found = method.prepare(problem)(problem.parameters, 1)
    # Each number is a sum of P products of numbers that are right to a few roundings.
    assert relative_error(found.gradient, reference(problem)) <= 8 * SIZE * Arrays().epsilon
    assert method.claims.exactness.factor(problem, found.gradient) == 0
    more = gradmark.get_method("forward_gradient", directions=most + 2, **arguments)
    assert more.supports(problem) == (
        f"{SIZE + (1 if antithetic else 2)} directions cannot be orthogonal to each other in {SIZE} "
        f"dimensions: set `directions` to at most {most}"
    )


def test_antithetic_directions_repeat_what_half_as_many_say() -> None:
    problem = gradmark.get_problem("mlp", **NETWORK)
    for law in ("gaussian", "rademacher", "orthonormal"):
        pairs = gradmark.get_method("forward_gradient", law=law, directions=8, antithetic=True)
        half = gradmark.get_method("forward_gradient", law=law, directions=4)
        one, other = (method.prepare(problem)(problem.parameters, 5) for method in (pairs, half))
        assert relative_error(one.gradient, other.gradient) <= 16 * Arrays().epsilon
        assert (one.work.tangent, other.work.tangent) == (8, 4)


def test_an_odd_number_of_antithetic_directions_is_refused() -> None:
    with pytest.raises(UsageError, match=r"`directions=5` must be even with antithetic=True"):
        gradmark.get_method("forward_gradient", directions=5, antithetic=True)


@pytest.mark.parametrize("number", [1, 40, 130])
def test_orthonormal_rows_are_the_factor_q_whose_r_has_a_positive_diagonal(number: int) -> None:
    """One factorisation of all rows at once (Mezzadri 2007), where the rows are made 64 at a time."""
    size = 130
    found = orthonormal_rows(np.random.default_rng(3), number, size)
    q, r = np.linalg.qr(np.random.default_rng(3).standard_normal((number, size)).T)
    assert np.max(np.abs(found @ found.T - np.eye(number))) <= 16 * Arrays().epsilon
    # The last rows of a square frame have little left of a normal vector: its size is in the condition of R.
    slack = 64 * Arrays().epsilon * float(np.linalg.cond(r))
    assert np.max(np.abs(found - (q * np.sign(np.diagonal(r))).T)) <= slack


@pytest.mark.parametrize("law", ["gaussian", "rademacher", "orthonormal"])
def test_noise_does_not_depend_on_the_chunk(law: str) -> None:
    together = next(noise_rows(Arrays(), law, 2, 70, 80, 70))
    for chunk in (1, 33):
        assert np.array_equal(np.concatenate(list(noise_rows(Arrays(), law, 2, 70, 80, chunk))), together)


PLACES = [("torch", "cpu"), ("jax", "cpu"), ("array_api_strict", "device1")]


@pytest.mark.parametrize(("backend", "device"), [place for place in PLACES if installed(place[0])])
@pytest.mark.parametrize("law", ["rademacher", "orthonormal"])
def test_every_backend_sees_the_same_directions(law: str, backend: str, device: str) -> None:
    method = gradmark.get_method("forward_gradient", law=law, directions=4, antithetic=True)
    here, there = (CASES["mlp tanh cross_entropy"](Arrays(*place)) for place in ((), (backend, device)))
    a, b = (method.prepare(problem)(problem.parameters, 7).gradient for problem in (here, there))
    assert relative_error(b, a) <= 64 * Arrays().epsilon * math.sqrt(flat(a).size)
