"""check_gradient accuses no correct gradient, and sees what it says that it would have seen."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from gradmark import check_gradient
from gradmark.arrays import to_numpy
from gradmark.judging.checking.detectable import SURE, smallest_detectable
from tests.judging.random_gradients import made

# More of them, by other seeds, are run when the tolerances change: 3000 at a time, without an accusation.
CORRECT, PLANTED = 90, 24


def test_no_correct_gradient_is_accused() -> None:
    verdicts: Counter[str] = Counter()
    for seed in range(CORRECT):
        name, function, gradient, at = made(seed)
        check = check_gradient(function, gradient, at, seed=seed)
        assert check.verdict != "wrong", (seed, name, check.reason)
        verdicts[check.verdict] += 1
    assert verdicts["correct"] >= CORRECT - 1, verdicts


def _off(gradient: Any, relative: float, seed: int) -> Any:
    """The gradient with an error in a direction that is the same at all points."""
    named = gradient if isinstance(gradient, Mapping) else {"x": gradient}
    numbers = {name: to_numpy(array).astype(float) for name, array in named.items()}
    random = np.random.default_rng([seed, 1])
    error = {name: random.normal(size=array.shape) for name, array in numbers.items()}
    size, length = (np.sqrt(sum(np.sum(a**2) for a in parts.values())) for parts in (numbers, error))
    wrong = {}
    for name, array in named.items():
        moved = numbers[name] + relative * size / length * error[name]
        wrong[name] = array.new_tensor(moved) if hasattr(array, "new_tensor") else moved.astype(array.dtype)
    return wrong if isinstance(gradient, Mapping) else wrong["x"]


def test_faults_of_ten_times_the_smallest_detectable_are_caught() -> None:
    for seed in range(PLANTED):
        name, function, gradient, at = made(seed)
        stated = check_gradient(function, gradient, at, seed=seed).smallest_detectable
        assert stated is not None and stated < 1e-2

        def wrong(p: Any, gradient: Any = gradient, stated: float = stated, seed: int = seed) -> Any:
            return _off(gradient(p), 10 * stated, seed)

        check = check_gradient(function, wrong, at, seed=seed + 1000)
        assert check.verdict == "wrong", (seed, name, stated, check.reason)


@pytest.mark.parametrize("step", [1e-4, 1e-6, 1e-8])
def test_differences_of_the_function_are_no_gradient_of_it(step: float) -> None:
    def function(x: Any) -> Any:
        return np.sum(np.sin(x) * x)

    def differences(x: Any) -> Any:
        basis = step * np.eye(x.size, dtype=x.dtype)
        return np.array([(function(x + h) - function(x - h)) / (2 * step) for h in basis], x.dtype)

    at = np.random.default_rng(0).normal(size=6)
    check = check_gradient(function, differences, at)
    assert check.verdict == "wrong"
    assert check_gradient(function, differences, at, digits=4).verdict == "correct"


def test_the_smallest_detectable_fault_is_seen_with_the_stated_probability() -> None:
    """By simulation: normal products with three directions, each lost within twice its tolerance."""
    tolerances = [1e-6, 2e-6, 3e-6]
    stated = smallest_detectable(tolerances, size=1.0)
    trials = 200_000
    products = np.random.default_rng(0).normal(scale=stated * np.sqrt(13 / 12), size=(trials, 3))
    seen = np.mean(np.any(np.abs(products) > 2 * np.array(tolerances), axis=1))
    assert abs(seen - SURE) < 5 * np.sqrt(SURE * (1 - SURE) / trials)


def test_what_is_detectable_grows_with_the_tolerance_and_shrinks_with_directions() -> None:
    one, three = smallest_detectable([1e-6], 1.0), smallest_detectable([1e-6] * 3, 1.0)
    assert one > 10 * three > 0
    assert smallest_detectable([1e-5] * 3, 1.0) == pytest.approx(10 * three)
    assert smallest_detectable([0.0, 0.0], 1.0) == 0
