"""The convolutional network: against torch's own layers, the judge, and what its docstring promises."""

from typing import Any

import numpy as np
import pytest
import torch

import gradmark
from gradmark.arrays import Arrays, to_numpy
from gradmark.parameters import size
from tests.problems.test_population import assert_population_is_the_loop

# Roundings on the way of one number: sums over 2 x 9 weights, 27 inputs of a dense layer, functions, a loss.
ROUNDINGS = 9 + 18 + 27 + 4 * 16


def convnet(arrays: Arrays | None = None, **sizes: Any) -> Any:
    arrays = arrays or Arrays()
    place = {"backend": arrays.backend, "device": arrays.device, "dtype": arrays.dtype}
    tiny = {
        "channels": (2, 3),
        "data": "synthetic",
        "size": 5,
        "outputs": 3,
        "batch": 4,
        "activation": "tanh",
    }
    return gradmark.get_problem("convnet", **{**tiny, **place, **sizes})


def gradient(problem: Any, method: str = "backprop", **keywords: Any) -> dict[str, Any]:
    found = gradmark.get_method(method).prepare(problem)(problem.parameters, **keywords).gradient
    return {name: to_numpy(array) for name, array in found.items()}


def assert_close(found: Any, wanted: Any, epsilon: float = Arrays().epsilon) -> None:
    assert list(found) == list(wanted)
    largest = max(np.max(np.abs(array)) for array in wanted.values())
    for name, array in wanted.items():
        np.testing.assert_allclose(
            found[name], array, rtol=0, atol=ROUNDINGS * epsilon * largest, err_msg=name
        )


def sequential(problem: Any, pool: Any) -> Any:
    """The same network out of torch's modules, with the same weights and data."""
    images = [torch.nn.Unflatten(1, (1, 8, 8))]
    convolutions = [torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.ReLU(), pool(2)]
    convolutions += [torch.nn.Conv2d(8, 16, 3, padding=1), torch.nn.ReLU(), pool(2)]
    dense = [torch.nn.Flatten(), torch.nn.Linear(64, 12), torch.nn.ReLU(), torch.nn.Linear(12, 10)]
    layers = torch.nn.Sequential(*convolutions, *dense).double()
    module = torch.nn.ModuleDict({"layers": layers})
    module.load_state_dict({name: torch.tensor(array) for name, array in problem.parameters.items()})
    inputs, targets = (torch.tensor(problem.default_draw.arrays[name]) for name in ("inputs", "targets"))
    whole = torch.nn.Sequential(*images, layers)
    return gradmark.from_torch(
        whole, torch.nn.functional.cross_entropy, inputs, targets, smoothness=problem.smoothness
    )


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "array_api_strict"])
@pytest.mark.parametrize(("pool", "module"), [("max", torch.nn.MaxPool2d), ("average", torch.nn.AvgPool2d)])
def test_it_is_the_sequential_of_torchs_own_layers(pool: str, module: Any, backend: str) -> None:
    pytest.importorskip(backend, reason=f"{backend} is not installed here")
    numpy = gradmark.get_problem("convnet", pool=pool, hidden=(12,), batch=8)
    problem, other = numpy.to(backend=backend), sequential(numpy, module)
    wanted = gradient(other, "autograd")
    found = gradient(problem)
    assert [name.removeprefix("layers.") for name in found] == [name.removeprefix("1.") for name in wanted]
    slack = 2 * ROUNDINGS * problem.arrays.epsilon
    assert float(problem.loss(problem.parameters)) == pytest.approx(
        float(other.loss(other.parameters)), rel=slack
    )
    assert_close(found, dict(zip(found, wanted.values(), strict=True)), 2 * problem.arrays.epsilon)


MOVING = [
    ("layers.0.weight",),
    ("layers.3.weight",),
    ("layers.3.bias",),
    ("layers.0.bias", "layers.7.bias"),
    (),
]


@pytest.mark.parametrize("pool", ["max", "average"])
def test_any_subset_of_the_parameters_may_carry_the_axis(pool: str, everywhere: Arrays) -> None:
    problem = convnet(everywhere, pool=pool)
    for moving in MOVING:
        assert_population_is_the_loop(problem, moving or tuple(problem.parameters), ROUNDINGS)


def test_opened_inputs_take_the_axis_and_have_the_gradient_of_a_complex_step(everywhere: Arrays) -> None:
    problem = convnet(everywhere).opened("inputs")
    assert_population_is_the_loop(problem, ("inputs",), ROUNDINGS)
    assert_population_is_the_loop(problem, ("inputs", "layers.0.weight"), ROUNDINGS)
    wanted = gradient(convnet().opened("inputs"), "complex_step")
    assert_close(gradient(problem), wanted)


def test_nodes_are_those_of_convolutions_and_dense_layers() -> None:
    problem = convnet(hidden=(4,)).opened("nodes")
    offsets = [f"nodes.{index}.offset" for index in (0, 3, 7, 9)]
    assert [name for name in problem.parameters if "nodes" in name] == offsets
    assert_close(gradient(problem), gradient(problem, "complex_step"))


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_draws_their_rows_and_the_plain_forward_pass_are_those_of_the_loss(backend: str) -> None:
    problem = convnet(batch=6).to(backend=backend)
    draw = problem.draw(3)
    halves = [draw.rows(0, 3), draw.rows(3, 6)]
    mean = sum(float(problem.loss(problem.parameters, half)) for half in halves) / 2
    slack = ROUNDINGS * problem.arrays.epsilon
    assert float(problem.plain_forward()(problem.parameters, draw)) == pytest.approx(mean, rel=slack)
    assert float(problem.loss(problem.parameters)) != pytest.approx(mean, rel=slack)
    parts = [gradient(problem, draw=half) for half in halves]
    assert_close(
        gradient(problem, draw=draw), {name: (parts[0][name] + parts[1][name]) / 2 for name in parts[0]}
    )


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_narrow_gradient_differs_by_its_epsilon_only(dtype: str, activation: str) -> None:
    narrow = convnet(Arrays("torch", dtype=dtype), activation=activation)
    # The same rounded numbers, so that only the way through the layers is rounded.
    wanted = gradient(narrow.to(dtype="float64"))
    whole = np.concatenate([array.ravel() for array in wanted.values()])
    found = np.concatenate([array.ravel() for array in gradient(narrow).values()])
    assert np.linalg.norm(found - whole) <= ROUNDINGS * narrow.arrays.epsilon * np.linalg.norm(whole)


EXACT = [("numpy", "float64"), ("numpy", "float32"), ("numpy", "longdouble"), ("torch", "float32")]
JUDGED = [
    *(("backprop", *place) for place in EXACT),
    ("backprop", "torch", "bfloat16"),
    ("autograd", "torch", "float64"),
    ("complex_step", "numpy", "float64"),
    ("complex_step", "torch", "float64"),
    ("complex_step", "numpy", "longdouble"),
    ("tangent", "numpy", "longdouble"),
    ("tangent", "torch", "float32"),
    ("central_difference", "numpy", "float64"),
    ("central_difference", "torch", "float64"),
]


@pytest.mark.parametrize("pool", ["max", "average"])
@pytest.mark.parametrize(("method", "backend", "dtype"), JUDGED)
def test_the_judge_agrees(method: str, backend: str, dtype: str, pool: str) -> None:
    report = gradmark.validate(method, problems=[convnet(Arrays(backend, dtype=dtype), pool=pool)])
    against = [found for found in report.findings if found.status in ("failed", "undecided")]
    # The order of differences is one of smooth losses, and the largest of a window is none.
    if pool == "max" and method == "central_difference":
        against = [found for found in against if found.check != "order" or "kinked" not in found.reason]
    assert not against


def test_smoothness_is_that_of_pool_and_activation() -> None:
    assert convnet(pool="average").smoothness == "smooth"
    assert convnet(pool="average", activation="relu").smoothness == "kinked"
    assert convnet(pool="max").smoothness == "kinked"


@pytest.mark.parametrize(("channels", "wanted"), [((96, 192, 480), 1e6), ((256, 640, 1464), 1e7)])
def test_the_documented_channels_have_the_documented_number_of_parameters(
    channels: tuple[int, ...], wanted: float
) -> None:
    problem = gradmark.get_problem("convnet", channels=channels, dtype="float32", batch=1)
    assert size(problem.parameters) == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"channels": (2, 2, 2)}, "the pool behind convolution 3 does not fit the image of 1 x 1 pixels"),
        (
            {"kernel": 11},
            "`kernel=11` does not fit the image of 5 x 5 pixels that convolution 1 is given",
        ),
        ({"channels": ()}, "`channels=()` must list sizes, such as 8,16."),
        ({"channels": 8}, "`channels=8` must list sizes, such as 8,16."),
        ({"hidden": (4, 0)}, "`hidden=0` must be an integer of at least 1."),
        ({"pool": "mean"}, "unknown pool `mean`"),
        (
            {"data": "digits"},
            "`size=5` and `outputs=3` do not fit the digits, which have 8 x 8 pixels",
        ),
        ({"channels": (2, 10**12)}, "numbers of 16 bytes are more than"),
        ({"size": 10**8}, "numbers of 16 bytes are more than"),
    ],
)
def test_what_does_not_fit_is_answered_in_one_sentence(sizes: Any, message: str) -> None:
    with pytest.raises(gradmark.UsageError) as caught:
        convnet(**sizes)
    assert message in str(caught.value) and str(caught.value).endswith(".")
