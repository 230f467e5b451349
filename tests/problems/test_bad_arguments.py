"""Whatever is given as an argument, a factory answers with a problem or with one sentence."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import gradmark
from gradmark import arguments
from gradmark.arrays import to_numpy
from gradmark.errors import UsageError
from problems.mlp import widths_for

ARGUMENTS = {
    "mlp": [
        "widths",
        "activation",
        "loss",
        "initialisation",
        "gain",
        "data",
        "batch",
        "backend",
        "device",
        "dtype",
        "seed",
    ],
    "deep_mlp": ["depth", "width", "normalisation", "frozen", "dropout", "inputs", "outputs"],
    "resnet_mlp": ["blocks", "alpha", "matrices"],
    "reversible_mlp": ["blocks", "width", "dropout", "inputs", "outputs"],
    "rnn": [
        "length",
        "hidden",
        "activation",
        "recurrent",
        "radius",
        "initialisation",
        "batch",
        "backend",
        "device",
        "dtype",
        "seed",
    ],
    "lstm": [
        "length",
        "hidden",
        "layers",
        "forget_bias",
        "initialisation",
        "batch",
        "backend",
        "device",
        "dtype",
        "seed",
    ],
    "convnet": ["channels", "kernel", "pool", "hidden", "size", "outputs", "batch", "data"],
    "transformer": ["blocks", "width", "heads", "positions", "hidden", "activation", "gain", "batch", "seed"],
    "logistic_regression": ["batch", "backend", "device", "dtype", "seed"],
    "quadratic": ["condition", "size", "backend", "device", "dtype", "seed"],
    "rosenbrock": ["size", "backend", "device", "dtype", "seed"],
    "log_sum_exp": ["size", "backend", "device", "dtype", "seed"],
    "polynomial": ["size", "degree", "backend", "device", "dtype", "seed"],
}
EVERY = [(name, argument) for name, allowed in ARGUMENTS.items() for argument in allowed]

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**6), 10**6)
    | st.sampled_from([10**12, 10**30, 10**400, -(10**30)])
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text(max_size=8)
    | st.sampled_from(
        ["tanh", "cuda", "cuda:7", "gpu", "meta", "mps", "float16", "complex128", "int64", "jax", ""]
    )
)
garbage = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(autouse=True)
def small_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 64 MiB: what is allowed is then small enough to be built here."""
    monkeypatch.setattr(arguments, "memory_bytes", lambda: 2**26)


def built(name: str, **sizes: Any) -> Any:
    """The problem, or None where a UsageError of one sentence says what is wrong."""
    try:
        return gradmark.get_problem(name, **sizes)
    except UsageError as error:
        message = str(error)
        assert message.endswith(".") and "\n" not in message and len(message) < 400, message
        return None


@pytest.mark.parametrize(("name", "argument"), EVERY, ids=lambda each: each)
@given(value=garbage)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(value=-1)
@example(value=0)
@example(value=True)
@example(value=math.nan)
@example(value=math.inf)
@example(value=10**30)
@example(value=10**400)
@example(value=[64, 10])
@example(value=[64, 10**9, 10])
@example(value={"a": 1})
@example(value="\n")
@example(value=np.array(3))
@example(value=np.array([2, 2]))
@example(value=np.float32(2))
def test_any_value_gives_a_problem_or_a_usage_error(name: str, argument: str, value: Any) -> None:
    problem = built(name, **{argument: value})
    if problem is not None and problem.arrays.device != "meta":
        point = [to_numpy(array) for array in problem.parameters.values()]
        assert all(np.all(np.isfinite(array)) for array in point)


@pytest.mark.parametrize(("name", "argument"), EVERY, ids=lambda each: each)
def test_an_integer_too_long_to_be_printed_is_no_exception(name: str, argument: str) -> None:
    built(name, **{argument: 10**5000})
    built(name, **{argument: [10**5000]})


@pytest.mark.parametrize(
    ("name", "sizes", "message"),
    [
        ("mlp", {"seed": -1}, "`seed=-1` must be an integer of at least 0"),
        ("quadratic", {"seed": 1.0}, "`seed=1.0` must be an integer of at least 0"),
        ("mlp", {"gain": math.nan}, "`gain=nan` must be a number from 0 to 10000"),
        ("mlp", {"gain": -1}, "`gain=-1` must be a number from 0 to 10000"),
        ("quadratic", {"condition": 0.5}, "`condition=0.5` must be a number from 1 to"),
        ("rosenbrock", {"size": 1}, "`size=1` must be an integer of at least 2"),
        ("quadratic", {"size": True}, "`size=True` must be an integer of at least 1"),
        ("quadratic", {"size": 10**8}, "100,000,000 numbers of 16 bytes are more than the 0.1 GiB"),
        ("mlp", {"widths": (64, 10**6, 10)}, "choose smaller sizes"),
        ("mlp", {"widths": (64, 10), "data": "synthetic", "batch": 10**6}, "74,000,650 numbers of 16 bytes"),
        ("mlp", {"widths": (64, 5)}, "do not fit the digits, which have 64 inputs and 10 outputs"),
        ("mlp", {"widths": 64}, "must list at least inputs and outputs"),
        ("mlp", {"widths": (64, 0, 10)}, "`widths=0` must be an integer of at least 1"),
        ("mlp", {"batch": 1798}, "`batch=1798` is more than the 1797 rows of `digits`"),
        ("logistic_regression", {"batch": 570}, "`batch=570` is more than the 569 rows"),
        ("transformer", {"width": 30}, "`width=30` cannot be divided among `heads=4`: choose a multiple"),
        ("transformer", {"width": 1, "heads": 1}, "`width=1` must be an integer of at least 2"),
        ("transformer", {"positions": 10**6}, "numbers of 16 bytes are more than the 0.1 GiB"),
        ("transformer", {"dtype": "longdouble"}, "`gelu` needs a function that numpy lacks in longdouble"),
        ("mlp", {"activation": "tahn"}, "unknown activation `tahn`: did you mean `tanh`?"),
        ("mlp", {"loss": "nll"}, "known losses: cross_entropy, mse"),
        ("mlp", {"data": "mnist"}, "unknown data set `mnist`"),
        ("mlp", {"backend": "numpyy"}, "did you mean `numpy`?"),
        ("mlp", {"backend": "numpy", "dtype": "float16"}, "allowed are float32, float64, longdouble"),
        ("mlp", {"device": "cuda"}, "NumPy arrays live on the cpu"),
        ("mlp", {"backend": "torch", "device": "mps"}, "allowed are cpu, cuda"),
        ("mlp", {"backend": "array_api_strict", "device": "gpu"}, "allowed are its pretended devices"),
        ("deep_mlp", {"depth": 0}, "`depth=0` must be an integer of at least 1"),
        ("deep_mlp", {"depth": 10**5, "width": 1}, "numbers of 16 bytes are more than the 0.1 GiB"),
        ("deep_mlp", {"normalisation": "group"}, "known normalisations: batch, layer, none"),
        ("deep_mlp", {"frozen": True}, "there is none: choose normalisation=batch or layer"),
        ("deep_mlp", {"frozen": 1, "normalisation": "batch"}, "`frozen=1` must be true or false"),
        ("deep_mlp", {"dropout": 1.0}, "`dropout=1.0` must be a number from 0 to 0.99"),
        ("deep_mlp", {"inputs": 5}, "`inputs=5` and `outputs=10` do not fit the digits"),
        ("deep_mlp", {"normalisation": "batch", "batch": 1}, "deep_mlp: batch normalisation cannot take a"),
        ("deep_mlp", {"normalisation": "layer", "width": 1}, "cannot take a single unit"),
        ("resnet_mlp", {"matrices": 3}, "`matrices=3` must be 1 or 2"),
        ("resnet_mlp", {"alpha": -0.5}, "`alpha=-0.5` must be a number from 0 to 10000"),
        ("mlp", {"activaton": "tanh"}, "unknown argument `activaton`: did you mean `activation`?"),
    ],
)
def test_the_sentence_says_what_was_wrong_and_what_is_allowed(name: str, sizes: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        gradmark.get_problem(name, **sizes)
    assert message in str(caught.value)


@given(garbage, garbage)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_widths_for_takes_sizes_only(parameters: Any, hidden_layers: Any) -> None:
    try:
        widths = widths_for(parameters, hidden_layers=hidden_layers)
    except UsageError:
        return
    assert all(width >= 1 for width in widths)


@given(garbage)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_seed_of_a_draw_gives_rows_or_a_usage_error(seed: Any) -> None:
    problem = gradmark.get_problem("mlp", widths=(64, 10), batch=3)
    try:
        assert problem.draw(seed).count == 3
    except UsageError as error:
        assert "must be an integer of at least 0" in str(error)
