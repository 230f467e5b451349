"""Clipping around any method: what is left of length and direction, and what passes through."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

import gradmark
from gradmark.arrays import Arrays, to_numpy
from gradmark.claims import Biased, Exact
from gradmark.errors import UsageError
from gradmark.method import Estimate
from gradmark.work import Work
from methods.transformations.clipped_by_norm import shortened
from methods.transformations.clipping import Clipped

SIZES: dict[str, Any] = {"data": "synthetic", "widths": (4, 5, 3), "batch": 6}
BACKENDS = ["numpy", "torch", "jax", "array_api_strict"]


def gradient(method: Any, problem: Any, seed: int = 0) -> Any:
    return method.prepare(problem)(problem.parameters, seed).gradient


def flat(named: Any) -> Any:
    return np.concatenate([np.ravel(to_numpy(array)).astype(np.float64) for array in named.values()])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("share", [0.5, 2.0])
def test_by_norm_the_length_is_cut_and_the_direction_kept(backend: str, share: float) -> None:
    problem = gradmark.get_problem("mlp", **SIZES, backend=backend)
    whole = flat(gradient(gradmark.get_method("backprop"), problem))
    limit = share * float(np.linalg.norm(whole))
    found = gradient(gradmark.get_method("clipped_by_norm", limit=limit), problem)
    assert list(found) == list(problem.parameters)
    # A sum of 40 squares, a root, a quotient and a product.
    np.testing.assert_allclose(flat(found), whole * min(1.0, share), rtol=50 * 2.0**-53, atol=0)
    if share > 1:
        np.testing.assert_array_equal(flat(found), whole)


@pytest.mark.parametrize("backend", BACKENDS)
def test_by_value_each_entry_is_cut_and_the_direction_turns(backend: str) -> None:
    problem = gradmark.get_problem("mlp", **SIZES, backend=backend)
    whole = flat(gradient(gradmark.get_method("backprop"), problem))
    limit = float(np.median(np.abs(whole)))
    found = flat(gradient(gradmark.get_method("clipped_by_value", limit=limit), problem))
    np.testing.assert_array_equal(found, np.clip(whole, -limit, limit))
    cosine = found @ whole / (np.linalg.norm(found) * np.linalg.norm(whole))
    assert 0.5 < cosine < 1 - 1e-3


def test_torch_clips_alike() -> None:
    problem = gradmark.get_problem("mlp", **SIZES, backend="torch")
    whole = gradient(gradmark.get_method("autograd"), problem)
    for name, torchs in (
        ("clipped_by_norm", torch.nn.utils.clip_grad_norm_),
        ("clipped_by_value", torch.nn.utils.clip_grad_value_),
    ):
        leaves = [torch.nn.Parameter(array.clone()) for array in problem.parameters.values()]
        for leaf, array in zip(leaves, whole.values(), strict=True):
            leaf.grad = array.clone()
        torchs(leaves, 0.05)
        found = gradient(gradmark.get_method(name, method="autograd", limit=0.05), problem)
        for array, leaf in zip(found.values(), leaves, strict=True):
            # torch divides by |g| + 1e-6.
            torch.testing.assert_close(array, leaf.grad, rtol=1e-5, atol=0)


@pytest.mark.parametrize(("dtype", "size"), [("float32", 1e30), ("float32", 1e-30), ("bfloat16", 1e30)])
def test_no_square_overflows_or_vanishes(dtype: str, size: float) -> None:
    arrays = Arrays("torch", dtype=dtype)
    named = {"a": arrays.array([3 * size, 0.0]), "b": arrays.array([[4 * size]])}
    found = shortened(arrays, size, named)
    assert {str(array.dtype) for array in found.values()} == {f"torch.{dtype}"}
    np.testing.assert_allclose(flat(found), [0.6 * size, 0, 0.8 * size], rtol=2 * arrays.epsilon)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_not_finite_has_no_direction(backend: str, bad: float) -> None:
    arrays = Arrays(backend)
    found = shortened(arrays, 1.0, {"a": arrays.array([1.0, bad]), "b": arrays.array([2.0])})
    assert np.isnan(flat(found)).all()
    zero = shortened(arrays, 1.0, {"a": arrays.array([0.0, 0.0])})
    np.testing.assert_array_equal(flat(zero), [0.0, 0.0])


@dataclass
class Held:
    """A prepared function with a worker to close."""

    seen: list[Any] = field(default_factory=list)

    def __call__(self, parameters: Any, seed: int = 0, **more: Any) -> Estimate:
        self.seen.append((seed, more))
        return Estimate({"a": np.array([3.0, 4.0])}, np.array(7.0), Work(forward=3), error=0.5, state="next")

    def close(self) -> None:
        self.seen.append("closed")


def test_value_work_error_state_and_close_pass_through() -> None:
    held = Held()
    clipped = Clipped(held, lambda named: {"a": named["a"] / 5})
    estimate = clipped({}, 3, draw="draw", state="this")  # type: ignore[arg-type]
    np.testing.assert_array_equal(estimate.gradient["a"], [0.6, 0.8])
    assert (float(estimate.value), estimate.work) == (7.0, Work(forward=3))
    assert (estimate.error, estimate.state) == (0.5, "next")
    clipped.close()
    assert held.seen == [(3, {"draw": "draw", "direction": None, "state": "this"}), "closed"]
    function: Callable[..., Any] = lambda *_, **__: None  # noqa: E731
    Clipped(function, dict).close()


@pytest.mark.parametrize("name", ["clipped_by_norm", "clipped_by_value"])
def test_claims_are_those_of_the_method_inside_as_far_as_clipping_leaves_them(name: str) -> None:
    exact = gradmark.get_method(name, limit=0.5).claims
    assert isinstance(exact.exactness, Exact) and exact.target.kind == "direction"
    assert {exact.target.longest, exact.target.largest} == {0.5, None} and "0.5" in str(exact.target)
    random = gradmark.get_method(name, method="gaussian_es:pairs=4;sigma=0.1").claims
    assert random.stochastic and random.black_box and isinstance(random.exactness, Biased)
    problem = gradmark.get_problem("quadratic", size=3)
    assert random.work is not None and random.work(problem) == Work(forward=8)
    truncated = gradmark.get_method(name, method="central_difference").claims
    assert isinstance(truncated.exactness, Biased) and not truncated.stochastic


@pytest.mark.parametrize("name", ["clipped_by_norm", "clipped_by_value"])
def test_what_the_method_inside_cannot_do_is_said_before(name: str) -> None:
    bounded = gradmark.get_problem("quadratic", size=3)
    assert "no layers" in str(gradmark.get_method(name).supports(bounded))
    assert "not jvp" in str(gradmark.get_method(name).supports(bounded, "jvp"))
    for arguments, message in (
        ({"method": "bakprop"}, "unknown method `bakprop`"),
        ({"method": "gaussian_es:pears=4"}, "pears"),
        ({"limit": 0.0}, "`limit=0.0` must be a finite number above zero"),
    ):
        with pytest.raises(UsageError, match=message):
            gradmark.get_method(name, **arguments)


@pytest.mark.parametrize("name", ["clipped_by_norm", "clipped_by_value"])
@pytest.mark.parametrize("inside", ["backprop", "central_difference", "gaussian_es:pairs=4"])
def test_the_judge_finds_them_correct(name: str, inside: str) -> None:
    problems = ["mlp:data=synthetic,widths=4,3,batch=4", "polynomial:size=20,degree=1"]
    report = gradmark.validate(f"{name}:method={inside},limit=0.01", problems=problems)
    assert report.verdict == "correct", report.reason
