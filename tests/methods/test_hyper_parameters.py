"""Hyper-parameters that make no sense are answered when the method is made, in a sentence that names them."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import to_numpy
from gradmark.errors import UsageError
from gradmark.run.resolving import PLACE, key_of

SIZES: dict[str, Any] = {"data": "synthetic", "widths": (4, 5, 3), "batch": 6}
SWITCHES = [
    (name, field.name)
    for name in gradmark.list_methods()
    for field in fields(type(gradmark.get_method(name)))
    if isinstance(field.default, bool)
]


@pytest.mark.parametrize(("name", "switch"), SWITCHES)
def test_a_switch_is_on_or_off(name: str, switch: str) -> None:
    """A word would count as on, even the word no."""
    for value in ("no", "x", 0, 1.0, None):
        with pytest.raises(UsageError, match=f"^{name}: `{switch}={value}` must be true or false"):
            gradmark.get_method(name, **{switch: value})
    assert getattr(gradmark.get_method(name, **{switch: False}), switch) is False


@pytest.mark.parametrize("name", ["data_parallel_backprop", "pipeline_backprop", "distributed_es"])
@pytest.mark.parametrize("seconds", [10**30, 1e308, 1e-320])
def test_no_clock_goes_that_far(name: str, seconds: float) -> None:
    with pytest.raises(UsageError, match=r"`timeout=.* must be a number from 0\.001 to 86400"):
        gradmark.get_method(name, timeout=seconds)


def test_workers_that_do_not_fit_in_memory_are_refused_before_they_are_started() -> None:
    problem = gradmark.get_problem("mlp", **SIZES)
    reason = gradmark.get_method("data_parallel_backprop", workers=10**30).supports(problem)
    assert reason is not None and "more than the memory" in reason


@pytest.mark.parametrize("name", ["mixed_precision_backprop", "torch_autocast"])
@pytest.mark.parametrize("scale", [10**30, 1e308, 1e-320])
def test_a_loss_scale_is_one_that_the_dynamic_rule_could_reach(name: str, scale: float) -> None:
    """1e-320 is zero in float32, and the gradient divided by it NaN, without any overflow."""
    with pytest.raises(UsageError, match=f"^{name}: `scale=.* must be a number from 6.10352e-05 to 4.29"):
        gradmark.get_method(name, scale=scale)


@pytest.mark.parametrize("name", ["clipped_by_norm", "clipped_by_value"])
def test_the_method_to_be_clipped_is_named_in_words(name: str) -> None:
    nothing: tuple[Any, ...] = (0, None, True, [], 1e308)
    for method in nothing:
        with pytest.raises(UsageError, match=rf"^{name}: `method=.*must be the name of a method"):
            gradmark.get_method(name, method=method)
    for words, message in (
        ("", "no name"),
        ("nosuch", "unknown method `nosuch`"),
        ("backprop:fast", "write it like"),
        ("backprop:slow=1", "slow"),
    ):
        with pytest.raises(UsageError, match=message):
            gradmark.get_method(name, method=words)


@pytest.mark.parametrize("name", ["clipped_by_norm", "clipped_by_value"])
def test_a_method_from_a_file_can_be_clipped(name: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from methods.reverse.backprop import Backprop as mine\n")
    problem = gradmark.get_problem("mlp", **SIZES)
    words = f"{name}:method={tmp_path / 'mine.py'}:mine:fast=false,limit=1e9"
    table = gradmark.compare(problem, words, quantities=["error"])
    assert list(table["status"])[-1] == "done", list(table["reason"])


def test_what_a_file_inside_says_belongs_to_the_key(tmp_path: Path) -> None:
    """So that a run that is gone on with measures anew what has changed."""
    file, keys = tmp_path / "mine.py", []
    for line in ("mine = 1", "mine = 1", "mine = 2"):
        file.write_text(line, encoding="utf-8")
        hyper = {"method": f"{file}:mine:step=1;fast=no", "limit": 1.0}
        keys.append(key_of("mlp", {}, "clipped_by_norm", hyper, **dict.fromkeys([*PLACE, "threads"], 0)))
    assert keys[0] == keys[1] and keys[0]["version"] != keys[2]["version"]


@pytest.mark.parametrize("name", ["clipped_by_norm", "clipped_by_value"])
@pytest.mark.parametrize(
    ("backend", "dtype"), [("numpy", "float32"), ("torch", "float16"), ("jax", "float32")]
)
def test_a_limit_beyond_all_numbers_of_the_dtype_changes_nothing(name: str, backend: str, dtype: str) -> None:
    problem = gradmark.get_problem("mlp", **SIZES, backend=backend, dtype=dtype)
    whole = gradmark.get_method("backprop").prepare(problem)(problem.parameters).gradient
    for limit in (1e308, 10**30):
        method = gradmark.get_method(name, limit=limit)
        found = method.prepare(problem)(problem.parameters).gradient
        for key, array in whole.items():
            np.testing.assert_array_equal(to_numpy(found[key]), to_numpy(array))
