"""How many evaluations check_gradient takes, counted by the function itself."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from gradmark import check_gradient
from tests.judging.check_cases import coupled, gradient_of_coupled

LARGE = 100_000
X = np.random.default_rng(0).normal(size=LARGE)
EXTENDED, PLAIN = 40, 200  # the promises


def absolute(x: Any) -> Any:
    return np.sum(np.abs(x) ** 3)


def slope_of_absolute(x: Any) -> Any:
    return 3 * x * np.abs(x)


def plain(x: Any) -> Any:
    return float(np.sum(np.sin(x)))


def softplus(x: Any) -> Any:
    return torch.sum(torch.nn.functional.softplus(x) * x)


def slope_of_softplus(x: Any) -> Any:
    return torch.nn.functional.softplus(x) + x * torch.sigmoid(x)


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any], Any, int]] = {
    "complex longdouble": (coupled(np), gradient_of_coupled, X, EXTENDED),
    "longdouble alone": (absolute, slope_of_absolute, X, EXTENDED),
    "complex float64": (lambda x: torch.sum(torch.sin(x)), torch.cos, torch.tensor(X), EXTENDED),
    "float64 alone": (plain, np.cos, X, PLAIN),
    "float64 alone, torch": (softplus, slope_of_softplus, torch.tensor(X), PLAIN),
}


def _one_entry(g: Any) -> Any:
    g = g + 0
    g[LARGE // 3] = 0
    return g


def _a_block(g: Any) -> Any:
    g = g + 0
    g[: LARGE // 4] *= 1.001
    return g


FAULTS: dict[str, Callable[[Any], Any]] = {
    "none": lambda g: g,
    "one entry": _one_entry,
    "a block": _a_block,
    "sign": lambda g: -g,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_hundred_thousand_parameters_cost_a_few_dozen_evaluations(name: str, fault: str) -> None:
    function, gradient, at, promised = FUNCTIONS[name]
    calls = 0

    def counting(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return function(x)

    check = check_gradient(counting, lambda x: FAULTS[fault](gradient(x)), at)
    assert check.verdict == ("correct" if fault == "none" else "wrong"), check.reason
    # Real differences in extended precision are promised for a right gradient; a fault costs its proof.
    allowed = PLAIN if name == "longdouble alone" and fault != "none" else promised
    assert calls == check.evaluations <= allowed


def test_the_gradient_calls_are_counted() -> None:
    calls = 0

    def gradient(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return 2 * x

    check = check_gradient(lambda x: np.sum(x**2), gradient, np.ones(3))
    assert check.gradient_calls == calls


def test_a_small_function_takes_a_small_part_of_a_second() -> None:
    at = np.random.default_rng(0).normal(size=10)
    spent = []
    for _ in range(5):
        start = time.perf_counter()
        check_gradient(coupled(np), gradient_of_coupled, at)
        spent.append(time.perf_counter() - start)
    assert min(spent) < 0.1
