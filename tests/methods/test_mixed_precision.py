"""16-bit layers with a wide master copy: what is narrow, what is wide, and how the loss scale moves."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import gradmark
from gradmark.arrays import to_numpy
from gradmark.errors import UsageError
from gradmark.measuring.underflow import underflow_of_normal, underflowed
from gradmark.work import Work
from methods.reverse.mixed_precision.loss_scale import FLOOR, LossScale

BOTH = ("mixed_precision_backprop", "torch_autocast")
PRECISIONS = ("float16", "bfloat16")
EPSILON = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
SIZES: dict[str, Any] = {"data": "synthetic", "widths": (6, 8, 7, 3), "batch": 16, "backend": "torch"}


def network(dtype: str = "float32", **sizes: Any) -> Any:
    return gradmark.get_problem("mlp", **{**SIZES, **sizes}, dtype=dtype)


def called(name: str, problem: Any, state: Any = None, parameters: Any = None, **hyper: Any) -> Any:
    prepared = gradmark.get_method(name, **hyper).prepare(problem)
    return prepared(problem.parameters if parameters is None else parameters, state=state)


def flat(gradient: Any) -> Any:
    return np.concatenate([np.ravel(to_numpy(array)).astype(np.float64) for array in gradient.values()])


def error(gradient: Any, problem: Any) -> float:
    exact = flat(called("backprop", problem.to(dtype="float64")).gradient)
    return float(np.linalg.norm(flat(gradient) - exact) / np.linalg.norm(exact))


def scaled_inputs(problem: Any, factor: float) -> Any:
    draw = problem.default_draw
    arrays = {name: factor * array if name == "inputs" else array for name, array in draw.arrays.items()}
    return replace(problem, default_draw=replace(draw, arrays=arrays))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_gradient_is_wide_unscaled_and_as_exact_as_16_bits(name: str, precision: str, dtype: str) -> None:
    problem = network(dtype)
    estimate = called(name, problem, precision=precision)
    assert {array.dtype for array in estimate.gradient.values()} == {getattr(torch, dtype)}
    assert list(estimate.gradient) == list(problem.parameters)
    # Three layers forth and back: some ten roundings of half an epsilon, and not one of a wider dtype.
    assert EPSILON[precision] / 16 < error(estimate.gradient, problem) < 5 * EPSILON[precision]
    loss = float(problem.loss(problem.parameters))
    assert float(estimate.value) == pytest.approx(loss, rel=5 * EPSILON[precision], abs=0)
    assert estimate.value.dtype == getattr(torch, dtype)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_sums_of_16_bit_products_are_accumulated_in_float32(precision: str) -> None:
    """2048 + 1 is 2048 in float16, and 256 + 1 is 256 in bfloat16: such a sum would stand still there."""
    dtype, big = getattr(torch, precision), {"float16": 2048.0, "bfloat16": 256.0}[precision]
    row = torch.cat([torch.tensor([big]), torch.ones(int(big))]).to(dtype)
    x, ones = torch.stack([row] * 3), torch.ones(5, row.numel(), dtype=dtype)
    for found in (
        x @ ones.T,
        torch.nn.functional.linear(x, ones, torch.zeros(5, dtype=dtype)),
        torch.sum(x.T, dim=-2),
        torch.matmul(ones, x.T),
    ):
        assert bool((found == 2 * big).all())


def test_what_it_computes_is_the_recursion_in_16_bits_from_a_wide_delta() -> None:
    """By autograd through half-precision layers, the criterion alone in float32."""
    problem, scale = network(activation="tanh", loss="mse"), 8.0
    estimate = called("mixed_precision_backprop", problem, loss_scale="static", scale=scale)
    leaves = {name: array.half().requires_grad_() for name, array in problem.parameters.items()}
    h = problem.default_draw.arrays["inputs"].half()
    for index in (0, 2, 4):
        h = torch.nn.functional.linear(h, leaves[f"layers.{index}.weight"], leaves[f"layers.{index}.bias"])
        h = torch.tanh(h) if index < 4 else h
    residual = h.float() - problem.default_draw.arrays["targets"]
    loss = 0.5 * (residual**2).sum(-1).mean()
    wanted = torch.autograd.grad(scale * loss, list(leaves.values()))
    for (name, found), other in zip(estimate.gradient.items(), wanted, strict=True):
        # tanh' and the sums round in another order: a few epsilons of an array's size.
        apart = torch.linalg.norm(found - other.float() / scale) / torch.linalg.norm(found)
        assert float(apart) < 2 * EPSILON["float16"], name
    assert float(estimate.value) == pytest.approx(float(loss), rel=2**-20)


@pytest.mark.parametrize("name", BOTH)
def test_an_overflow_is_tried_again_at_half_the_scale_and_the_work_says_so(name: str) -> None:
    problem = network("float32", loss="mse")
    estimate = called(name, problem, scale=2.0**24)
    halvings = estimate.work.pullback - 1
    assert halvings >= 1 and estimate.state == LossScale(2.0 ** (24 - halvings), good_steps=1)
    assert estimate.work.forward == 1
    # The next call begins where this one ended, and gives the same gradient at once.
    following = called(name, problem, estimate.state, scale=2.0**24)
    assert following.work.pullback == 1 and following.state.good_steps == 2
    assert all(torch.equal(following.gradient[key], array) for key, array in estimate.gradient.items())


@pytest.mark.parametrize("name", BOTH)
def test_without_retries_a_call_is_skipped_as_gradscaler_skips_a_step(name: str) -> None:
    problem = network("float32", loss="mse")
    skipped = called(name, problem, scale=2.0**24, retries=0)
    assert all(bool(array.isnan().all()) for array in skipped.gradient.values())
    assert skipped.state.scale == 2.0**23 and skipped.state.skipped == 1 and skipped.state.good_steps == 0
    assert "is not finite in float16 at the scale 1.67772e+07" in skipped.state.reason
    good = called(name, problem, LossScale(2.0**3, 0, skipped=1, reason="before"), retries=0)
    assert (
        good.state == LossScale(2.0**3, 1, skipped=1) and torch.isfinite(good.gradient["layers.0.bias"]).all()
    )
    assert gradmark.get_method(name, retries=0).claims.work(problem) == Work(forward=1, pullback=1)
    static = called(name, problem, loss_scale="static", scale=2.0**24)
    assert static.state.scale == 2.0**24 and static.state.skipped == 1


def test_the_rule_is_that_of_torchs_grad_scaler() -> None:
    """Good and bad steps in a random order, beside torch's own scaler on an optimizer of one parameter."""
    random = np.random.default_rng(0)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=3)
    parameter = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([parameter], lr=0.0)
    state = LossScale(2.0**10)
    for good in random.random(60) < 0.8:
        parameter.grad = scaler.scale(torch.tensor([1.0 if good else float("inf")]))
        scaler.step(optimizer)
        scaler.update()
        state = state.after_good(3) if good else state.halved().after_skip("inf")
        assert state.scale == scaler.get_scale()


@pytest.mark.parametrize("name", BOTH)
def test_the_scale_grows_after_good_calls(name: str) -> None:
    problem, state, scales = network(), None, []
    for _ in range(5):
        state = called(name, problem, state, scale=4.0, growth_interval=2).state
        scales.append(state.scale)
    assert scales == [4.0, 8.0, 8.0, 16.0, 16.0]
    assert called(name, problem, state, loss_scale="static", growth_interval=1).state.scale == 16.0


@pytest.mark.parametrize("name", BOTH)
def test_a_gradient_that_float16_cannot_hold_ends_at_the_floor_with_a_sentence(name: str) -> None:
    """Residuals of 1e12 times inputs of size 1: beyond 65504 / FLOOR = 1.1e9."""
    problem = network(activation="identity", loss="mse", widths=(6, 3), batch=4)
    draw = problem.default_draw
    far = {key: array if key == "inputs" else 1e12 * array for key, array in draw.arrays.items()}
    message = r"layers\.0\.\w+`, the first on the way back, is not finite.*the floor is 6\.10352e-05"
    with pytest.raises(UsageError, match=message):
        called(name, replace(problem, default_draw=replace(draw, arrays=far)))
    assert LossScale(FLOOR).halved() == LossScale(FLOOR)


def test_an_overflow_on_the_way_forward_names_the_first_layer() -> None:
    problem = network(activation="relu", loss="mse")
    parameters = {
        name: array * (2e4 if name == "layers.2.weight" else 8) for name, array in problem.parameters.items()
    }
    with pytest.raises(
        UsageError, match=r"mlp: the output of `layers\.2` is not finite in float16.*bfloat16"
    ):
        called("mixed_precision_backprop", problem, parameters=parameters)
    finite = called("mixed_precision_backprop", problem, parameters=parameters, precision="bfloat16")
    assert np.isfinite(flat(finite.gradient)).all()
    with pytest.raises(UsageError, match="mlp: the inputs are not finite in float16"):
        called("mixed_precision_backprop", scaled_inputs(problem, 1e6))
    with pytest.raises(UsageError, match=r"under torch\.autocast in float16"):
        called("torch_autocast", problem, parameters=parameters)


@pytest.mark.parametrize("name", BOTH)
def test_deltas_of_a_deep_network_underflow_without_a_scale_and_not_with_one(name: str) -> None:
    """Five layers of small gain: the gradients of the first lie below 2^-24, those of the last do not."""
    problem = network(activation="identity", loss="mse", widths=(6, 8, 8, 8, 8, 3), gain=0.03)
    exact = called("backprop", problem.to(dtype="float64")).gradient
    assert float(exact["layers.0.weight"].abs().max()) < 2.0**-18
    lost, kept = (
        underflowed(called(name, problem, loss_scale=each, scale=2.0**14).gradient, exact)
        for each in ("none", "static")
    )
    assert lost["layers.0.weight"] > 0.2 and lost["layers.8.bias"] == 0.0
    assert set(kept.values()) == {0.0}


@pytest.mark.parametrize("scale", [1.0, 8.0, 2.0**10])
@pytest.mark.parametrize("deviation", [1e-8, 1e-7, 1e-5])
def test_normal_numbers_underflow_with_the_frequency_of_the_law(deviation: float, scale: float) -> None:
    count = 100_000
    x = deviation * np.random.default_rng(1).standard_normal(count)
    half = torch.from_numpy(x * scale).to(torch.float16)
    found, law = underflowed({"x": half}, {"x": x})["x"], underflow_of_normal(deviation, scale)
    # Six standard deviations of a binomial count, and one count.
    assert abs(found - law) <= 6 * np.sqrt(law * (1 - law) / count) + 1 / count


def test_a_loss_that_torch_has_no_narrow_kernels_for_is_refused_before_the_run() -> None:
    def loss(x: Any) -> Any:
        y = x @ x
        if y.dtype == torch.float16:
            raise NotImplementedError("no kernel for Half")
        return y.sum()

    problem = gradmark.from_function(loss, torch.ones(2, 2))
    reason = gradmark.get_method("torch_autocast").supports(problem)
    assert reason == (
        "torch cannot differentiate its loss in float16 (NotImplementedError: no kernel for Half)"
    )
    assert gradmark.get_method("torch_autocast", precision="bfloat16").supports(problem) is None


def test_what_is_no_use_is_refused() -> None:
    for arguments, message in (
        ({"precision": "float8"}, "unknown precision `float8`"),
        ({"loss_scale": "auto"}, "unknown loss_scale `auto`"),
        ({"scale": 0.0}, "`scale=0.0` must be a number from 6.10352e-05"),
        ({"growth_interval": 0}, "`growth_interval=0` must be an integer of at least 1"),
        ({"retries": -1}, "`retries=-1` must be an integer of at least 0"),
    ):
        for name in BOTH:
            with pytest.raises(UsageError, match=message):
                gradmark.get_method(name, **arguments)
    for name in BOTH:
        assert "torch" in str(gradmark.get_method(name).supports(network().to(backend="numpy")))
        assert "not in bfloat16" in str(gradmark.get_method(name).supports(network("bfloat16")))
        with pytest.raises(UsageError, match="`state=5` must be the `state` of an estimate"):
            called(name, network(), 5)
    function = gradmark.get_problem("rosenbrock", backend="torch", dtype="float32")
    assert "no layers" in str(gradmark.get_method("mixed_precision_backprop").supports(function))
    with pytest.raises(UsageError, match="same names and shapes"):
        underflowed({"a": np.zeros(2)}, {"a": np.zeros(3)})


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", BOTH)
def test_the_judge_finds_them_correct(name: str, precision: str) -> None:
    report = gradmark.validate(f"{name}:precision={precision}", profile="ci")
    assert report.verdict == "correct", report.reason


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_is_kept_between_the_passes_is_half_of_float32(precision: str) -> None:
    """All but the outputs, which the loss keeps in the master's dtype; autocast keeps matrices too."""
    problem = network()
    wide = gradmark.get_method("backprop").saved(problem)
    own = gradmark.get_method("mixed_precision_backprop", precision=precision).saved(problem)
    assert own == {name: size if name == "loss" else size // 2 for name, size in wide.items()}
    torchs = gradmark.get_method("torch_autocast", precision=precision).saved(problem)
    assert sum(torchs.values()) > sum(own.values()) / 2
