"""Problems unrolled in time: data, gradients beside those of torch's modules, axes, costs, the judge."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import gradmark
from gradmark import passes
from gradmark.arrays import Arrays, to_numpy
from gradmark.errors import UsageError
from gradmark.measuring.flops import pullback_flops
from gradmark.parameters import size
from problems.layers.recurrent import Recurrent
from problems.sequences import adding
from tests.problems.numeric import complex_step
from tests.problems.test_population import assert_population_is_the_loop

LENGTH, HIDDEN, BATCH = 4, 3, 5
SIZES = {"length": LENGTH, "hidden": HIDDEN, "batch": BATCH}
KINDS = {
    "rnn": ("rnn", SIZES),
    "rnn relu": ("rnn", {**SIZES, "activation": "relu", "recurrent": "identity"}),
    "lstm": ("lstm", SIZES),
    "lstm of two layers": ("lstm", {**SIZES, "layers": 2}),
}
# Where a Hessian is judged as well, whose reference takes two passes for each parameter, step and rounding.
SMALL = {"length": 2, "hidden": 2}
every_kind = pytest.mark.parametrize("kind", KINDS)
# Roundings of one number on its way: at most 4 HIDDEN + 3 terms and 16 operations a step of each of two
# layers, and the mean over the rows.
ROUNDINGS = 2 * LENGTH * (4 * HIDDEN + 3 + 16) + BATCH


def problem_of(kind: str, arrays: Arrays | None = None, **more: Any) -> Any:
    name, sizes = KINDS[kind]
    place = {} if arrays is None else {"backend": arrays.backend, "device": arrays.device}
    return gradmark.get_problem(name, **{**sizes, **place, **more})


def gradient(problem: Any, draw: Any = None) -> dict[str, Any]:
    draw = draw or problem.default_draw
    trace = passes.forward(problem, problem.parameters, draw)
    found = passes.pullback(problem, problem.parameters, draw, trace)
    return {name: to_numpy(array) for name, array in found.items()}


class Modules(torch.nn.Module):
    """The same network made of torch's modules, whose second biases are zero and stay so."""

    def __init__(self, problem: Any, kind: Any, **more: Any) -> None:
        super().__init__()
        count = sum(name.endswith("weight_hh") for name in problem.parameters)
        self.body = kind(2, HIDDEN, num_layers=count, batch_first=True, **more).double()
        self.head = torch.nn.Linear(HIDDEN, 1).double()
        own = dict(self.named_parameters())
        self.pairs = {
            f"layers.{layer}.{name}": f"body.{name.replace('bias', 'bias_ih')}_l{layer}"
            for layer in range(count)
            for name in ("weight_ih", "weight_hh", "bias")
        }
        self.pairs |= {f"layers.{count}.{name}": f"head.{name}" for name in ("weight", "bias")}
        with torch.no_grad():
            for name, theirs in self.pairs.items():
                own[theirs].copy_(problem.parameters[name])
            for name, array in own.items():
                if "bias_hh" in name:
                    array.zero_().requires_grad_(False)

    def forward(self, x: Any) -> Any:
        return self.head(self.body(x.reshape(len(x), LENGTH, 2))[0][:, -1])


def test_the_adding_problem_marks_one_number_in_each_half_and_adds_them() -> None:
    rows = adding(500, 7, seed=3)
    numbers, marks = np.moveaxis(rows["inputs"].reshape(500, 7, 2), 2, 0)
    assert np.all((numbers >= 0) & (numbers < 1))
    np.testing.assert_array_equal(np.sum(marks[:, :3], axis=1), 1)
    np.testing.assert_array_equal(np.sum(marks[:, 3:], axis=1), 1)
    assert set(np.unique(marks)) == {0, 1} and np.all(np.any(marks, axis=0))
    sums = [row[mark == 1].sum() for row, mark in zip(numbers, marks, strict=True)]
    np.testing.assert_allclose(rows["targets"][:, 0], sums, rtol=2 * np.finfo(float).eps)


@every_kind
def test_loss_and_gradient_are_those_of_torchs_modules_with_the_same_weights(kind: str) -> None:
    problem = problem_of(kind, Arrays("torch"))
    made, more = (torch.nn.LSTM, {}) if "lstm" in kind else (torch.nn.RNN, {"nonlinearity": "tanh"})
    if "relu" in kind:
        more = {"nonlinearity": "relu"}
    module = Modules(problem, made, **more)
    data = problem.default_draw.arrays
    theirs = gradmark.from_torch(
        module, lambda y, t: ((y - t) ** 2).mean() / 2, data["inputs"], data["targets"]
    )
    wanted = gradmark.get_method("autograd").prepare(theirs)(theirs.parameters)
    slack = ROUNDINGS * problem.arrays.epsilon
    assert float(problem.loss(problem.parameters)) == pytest.approx(float(wanted.value), rel=slack)
    for name, array in gradient(problem).items():
        np.testing.assert_allclose(
            array, wanted.gradient[module.pairs[name]], rtol=slack, atol=slack, err_msg=name
        )


@every_kind
def test_every_subset_of_one_and_all_parameters_take_a_population(kind: str, everywhere: Arrays) -> None:
    problem = problem_of(kind, everywhere)
    names = tuple(problem.parameters)
    subsets = (
        [names, names[:1], names[1:2], names[2:3]] if everywhere.backend != "jax" else [names, names[1:2]]
    )
    for moving in subsets:
        assert_population_is_the_loop(problem, moving, ROUNDINGS)


@every_kind
@pytest.mark.parametrize("what", ["inputs", "nodes"])
def test_opened_problems_have_a_right_gradient(kind: str, what: Any) -> None:
    closed = problem_of(kind, dtype="longdouble")
    problem = closed.opened(what)
    assert problem.loss(problem.parameters) == closed.loss(closed.parameters)
    added = "inputs" if what == "inputs" else next(name for name in problem.parameters if "offset" in name)
    direction = {name: np.zeros_like(array) for name, array in problem.parameters.items()}
    numbers = np.random.default_rng(0).standard_normal(direction[added].shape)
    direction[added] = numbers.astype(np.longdouble)
    wanted = complex_step(problem.loss, problem.parameters, direction)
    terms = gradient(problem)[added] * direction[added]
    assert abs(np.sum(terms) - wanted) <= ROUNDINGS * problem.arrays.epsilon * np.sum(np.abs(terms))
    assert_population_is_the_loop(problem_of(kind).opened(what), (added, *closed.parameters), ROUNDINGS)


@every_kind
def test_a_draw_may_be_cut_into_rows_and_its_gradient_is_the_mean_of_theirs(kind: str) -> None:
    problem = problem_of(kind)
    draw = problem.draw(7)
    assert draw.count == BATCH and problem.draw(7).arrays["inputs"].tolist() == draw.arrays["inputs"].tolist()
    whole = gradient(problem, draw)
    parts = [
        (stop - start, gradient(problem, draw.rows(start, stop))) for start, stop in ((0, 2), (2, BATCH))
    ]
    slack = ROUNDINGS * problem.arrays.epsilon
    for name, array in whole.items():
        mean = sum(rows * part[name] for rows, part in parts) / BATCH
        np.testing.assert_allclose(mean, array, rtol=slack, atol=slack, err_msg=name)


@every_kind
def test_it_moves_to_every_backend_where_plain_forward_and_gradient_are_the_same(
    kind: str, everywhere: Arrays
) -> None:
    start = problem_of(kind)
    there = start.to(backend=everywhere.backend, device=everywhere.device)
    slack = ROUNDINGS * start.arrays.epsilon
    plain = there.plain_forward()(there.parameters, there.default_draw)
    assert float(to_numpy(plain)) == pytest.approx(float(start.loss(start.parameters)), rel=slack)
    found, wanted = gradmark.get_method("backprop").prepare(there)(there.parameters).gradient, gradient(start)
    for name, array in wanted.items():
        np.testing.assert_allclose(to_numpy(found[name]), array, rtol=slack, atol=slack, err_msg=name)


@every_kind
def test_flops_are_the_products_that_torch_counts(kind: str) -> None:
    problem = problem_of(kind, Arrays("torch"))
    leaves = {name: array.requires_grad_(True) for name, array in problem.parameters.items()}
    with FlopCounterMode(display=False) as forward:
        value = problem.loss(leaves)
    assert forward.get_total_flops() == problem.flops
    with FlopCounterMode(display=False) as backward:
        torch.autograd.grad(value, list(leaves.values()))
    assert backward.get_total_flops() == pullback_flops(problem)
    with torch.no_grad(), FlopCounterMode(display=False) as ours:
        gradient(problem)
    assert ours.get_total_flops() == problem.flops + pullback_flops(problem)


@pytest.mark.parametrize("recurrent", ["orthogonal", "identity"])
@pytest.mark.parametrize("radius", [0.5, 1.0, 2.0])
def test_the_error_signal_of_a_linear_network_changes_by_its_radius_in_every_step(
    recurrent: str, radius: float
) -> None:
    """dL/dx_t = delta_T U^(T - t) W with |delta_T U^k| = radius^k |delta_T|."""
    steps, hidden = 12, 6
    options = {"activation": "identity", "recurrent": recurrent, "radius": radius}
    problem = gradmark.get_problem("rnn", length=steps, hidden=hidden, batch=1, **options).opened("inputs")
    p, found = problem.parameters, gradient(problem)
    by_step = found["inputs"].reshape(steps, 2)
    slack = steps * 2 * hidden * problem.arrays.epsilon
    delta = last = (found["layers.1.bias"] * p["layers.1.weight"])[0]
    for k in range(steps):
        assert np.linalg.norm(delta) == pytest.approx(radius**k * np.linalg.norm(last), rel=slack)
        wanted = delta @ p["layers.0.weight_ih"]
        np.testing.assert_allclose(by_step[-1 - k], wanted, atol=slack * np.linalg.norm(delta), rtol=slack)
        delta = delta @ p["layers.0.weight_hh"]


def test_normal_recurrent_weights_have_about_the_radius_as_spectral_radius() -> None:
    """The circular law: at 300 units the largest eigenvalue is within 10 % of the disc's edge."""
    weights = gradmark.get_problem("rnn", hidden=300, recurrent="normal", radius=1.5).parameters
    largest = np.max(np.abs(np.linalg.eigvals(weights["layers.0.weight_hh"])))
    assert largest == pytest.approx(1.5, rel=0.1)


def test_what_is_kept_is_the_states_alone_or_gates_and_cells() -> None:
    for kind, arrays in (("rnn", 1), ("lstm", 5)):
        problem = problem_of(kind)
        trace = passes.forward(problem, problem.parameters, problem.default_draw)
        x, *kept = trace.saved[0]
        assert x is problem.default_draw.arrays["inputs"]
        assert [array.shape for array in kept] == [(LENGTH, BATCH, HIDDEN)] * arrays


def test_all_states_are_the_last_ones_of_shorter_sequences() -> None:
    draw, random = problem_of("rnn").default_draw, np.random.default_rng(0)
    layer = Recurrent(2, HIDDEN, LENGTH, Arrays(), output="all")
    p = {name: random.standard_normal(shape) for name, shape in layer.shapes().items()}
    x = random.standard_normal((BATCH, 2 * LENGTH))
    states = layer.forward(p, x, draw)[0].reshape(BATCH, LENGTH, HIDDEN)
    for steps in range(1, LENGTH + 1):
        last, _ = Recurrent(2, HIDDEN, steps, Arrays()).forward(p, x[:, : 2 * steps], draw)
        slack = ROUNDINGS * layer.arrays.epsilon
        np.testing.assert_allclose(states[:, steps - 1], last, rtol=slack, atol=slack)


def test_stepping_through_time_ends_at_the_loss(everywhere: Arrays) -> None:
    problem = problem_of("rnn", everywhere)
    random, names = np.random.default_rng(0), ("layers.0.weight_hh", "layers.0.bias", "layers.1.weight")
    shapes = {name: (3, *problem.parameters[name].shape) for name in names}
    moved = {name: everywhere.array(random.standard_normal(shape)) for name, shape in shapes.items()}
    unroll, draw = problem.unroll, problem.draw(1)
    assert unroll is not None and unroll.horizon == LENGTH
    for parameters in (problem.parameters, {**problem.parameters, **moved}):
        state = unroll.initial(parameters, draw)
        for t in range(unroll.horizon):
            state = unroll.step(parameters, state, draw, t)
        value, wanted = unroll.loss(parameters, state, draw), problem.loss(parameters, draw)
        slack = ROUNDINGS * problem.arrays.epsilon
        np.testing.assert_allclose(to_numpy(value), to_numpy(wanted), rtol=slack, atol=slack)
    assert problem.opened("inputs").unroll is None
    assert problem_of("lstm").unroll is None


@pytest.mark.parametrize("kind", ["rnn", "lstm"])
def test_a_thousand_steps_have_a_gradient_that_a_complex_step_sees(kind: str) -> None:
    problem = problem_of(kind, length=1000)
    random = np.random.default_rng(0)
    along = {name: random.standard_normal(array.shape) for name, array in problem.parameters.items()}
    moved = {name: array + 1e-30j * along[name] for name, array in problem.parameters.items()}
    slope = float(np.imag(problem.loss(moved))) / 1e-30
    terms = [np.sum(array * along[name]) for name, array in gradient(problem).items()]
    # A thousand steps, each with its roundings, forth and back.
    slack = 2 * 1000 * (4 * HIDDEN + 16) * problem.arrays.epsilon
    assert abs(sum(terms) - slope) <= slack * np.sum(np.abs(terms))
    assert all(np.linalg.norm(array) > 1e-6 for array in gradient(problem).values())


def test_forget_gates_start_open_and_all_other_biases_at_zero() -> None:
    bias = gradmark.get_problem("lstm", hidden=2, forget_bias=2.5).parameters["layers.0.bias"]
    np.testing.assert_array_equal(bias, [0, 0, 2.5, 2.5, 0, 0, 0, 0])


def test_ten_million_parameters_can_be_had() -> None:
    problem = gradmark.get_problem("lstm", length=2, hidden=1580, dtype="float32", initialisation="normal")
    assert 9.9e6 < size(problem.parameters) < 1.01e7


@pytest.mark.parametrize(
    ("name", "sizes", "message"),
    [
        ("rnn", {"length": 1}, "rnn: `length=1` must be an integer of at least 2"),
        ("rnn", {"activation": "gelu"}, "Known activations: identity, leaky_relu, relu, tanh"),
        ("rnn", {"recurrent": "orthogonl"}, "did you mean `orthogonal`?"),
        ("rnn", {"radius": -1}, "`radius=-1` must be a number from 0 to 10000"),
        ("rnn", {"hidden": 10**6}, "choose smaller sizes"),
        ("lstm", {"layers": 0}, "`layers=0` must be an integer of at least 1"),
        ("lstm", {"forget_bias": float("nan")}, "`forget_bias=nan` must be a number from -10000 to 10000"),
        ("lstm", {"length": 10**9}, "choose smaller sizes"),
        ("lstm", {"dtype": "float16"}, "allowed are float32, float64, longdouble"),
    ],
)
def test_a_bad_argument_is_answered_in_one_sentence(name: str, sizes: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        gradmark.get_problem(name, **sizes)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("method", "kind", "place"),
    [
        ("backprop", "rnn", {}),
        ("backprop", "lstm", {}),
        ("backprop", "rnn relu", {"dtype": "longdouble"}),
        ("backprop", "lstm", {"backend": "torch", "dtype": "bfloat16"}),
        ("backprop", "rnn", {"backend": "torch", "dtype": "float16"}),
        ("autograd", "lstm of two layers", {"backend": "torch", "dtype": "float32", **SMALL}),
        ("complex_step", "rnn relu", {}),
        ("central_difference", "rnn", {}),
        ("tangent", "lstm", {"dtype": "float32"}),
    ],
)
def test_the_judge_finds_nothing_wrong(method: str, kind: str, place: dict[str, Any]) -> None:
    report = gradmark.validate(method, problems=[problem_of(kind, **place)])
    assert report.verdict == "correct", str(report)
