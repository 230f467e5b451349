"""Correct methods for the judge to be tried on: the registered ones in all variants, and one of its own."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np

from gradmark.claims import Target
from gradmark.method import Method
from gradmark.noise import WeightedSum
from gradmark.parameters import ravel
from gradmark.problem import Problem
from gradmark.random import generator
from gradmark.registry import get_method, list_methods
from gradmark.short_form import gradient_method

_SIGMA = 0.01


@gradient_method(
    family="evolution",
    samples="pairs",
    variance_factor=lambda size: size - 1,
    target=Target("smoothed gradient", "rademacher", _SIGMA),
    evaluations=lambda size, pairs: 2 * pairs,
)
def random_signs(problem: Problem, parameters: Any, seed: int, pairs: int = 32) -> Any:
    """Antithetic evolution strategy with moves of +-sigma (Spall 1992), in the short form.

    On a linear loss E|g_hat - g|^2 = (P - 1) |g|^2 / M: no exact law is declared, unlike normal moves.
    """
    x, unravel = ravel(parameters)
    signs = generator(seed, "noise").integers(0, 2, (pairs, x.size))
    e = np.asarray(2.0 * signs - 1.0, dtype=x.dtype)
    total = WeightedSum(problem.arrays, x.size)
    total.add(problem.loss(unravel(x + _SIGMA * e)) - problem.loss(unravel(x - _SIGMA * e)), e)
    return unravel(total.divided(2 * pairs * _SIGMA))


def correct_methods() -> Iterator[tuple[str, Method]]:
    """Names and methods: each registered one, each with every switch thrown, and `random_signs`."""
    for name in list_methods():
        method: Any = get_method(name)
        yield name, method
        for field in fields(method):
            value = getattr(method, field.name)
            if isinstance(value, bool):
                yield f"{name}:{field.name}={not value}", replace(method, **{field.name: not value})
    yield "random_signs", random_signs()
