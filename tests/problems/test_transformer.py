"""The transformer against torch's own, its text, and integers on their way through an engine for reals."""

from itertools import pairwise
from math import log
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

import gradmark
from gradmark.arrays import Arrays, dtype_name, to_numpy
from gradmark.errors import UsageError
from gradmark.population import evaluator
from problems.text import ALPHABET, text, windows
from tests.problems.test_population import assert_population_is_the_loop, members

TINY = {"blocks": 1, "width": 4, "heads": 2, "positions": 3, "hidden": 2, "batch": 2}
# Roundings on the way of one number through a tiny one: sums of 4 to 17 terms, and four functions.
ROUNDINGS = 256


def transformer(**sizes: Any) -> Any:
    return gradmark.get_problem("transformer", **{**TINY, **sizes})


def gradient(problem: Any, method: str = "backprop", draw: Any = None) -> dict[str, Any]:
    found = gradmark.get_method(method).prepare(problem)(problem.parameters, draw=draw).gradient
    return {name: to_numpy(array) for name, array in found.items()}


class Torch(nn.Module):
    """The same model as a user of torch would write it, with the same names."""

    class Embedding(nn.Module):
        def __init__(self, width: int, positions: int) -> None:
            super().__init__()
            self.token = nn.Parameter(torch.empty(len(ALPHABET), width))
            self.position = nn.Parameter(torch.empty(positions, width))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return functional.embedding(x, self.token) + self.position

    def __init__(self, blocks: int, width: int, heads: int, positions: int, hidden: int, batch: int) -> None:
        super().__init__()
        self.mask = nn.Transformer.generate_square_subsequent_mask(positions, dtype=torch.float64)
        block = {"dropout": 0.0, "activation": "gelu", "batch_first": True, "norm_first": True}
        self.layers = nn.ModuleList(
            [
                self.Embedding(width, positions),
                *(nn.TransformerEncoderLayer(width, heads, hidden * width, **block) for _ in range(blocks)),
                nn.LayerNorm(width),
                nn.Linear(width, len(ALPHABET)),
            ]
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        first, *blocks, norm, head = self.layers
        y = first(x)
        for block in blocks:
            y = block(y, self.mask)
        return head(norm(y))


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_loss_and_gradient_are_those_of_the_model_written_in_torch(backend: str) -> None:
    sizes = {**TINY, "blocks": 2, "width": 6, "positions": 5, "batch": 3}
    problem, module = transformer(**sizes, backend=backend), Torch(**sizes).double()
    module.load_state_dict({name: torch.tensor(to_numpy(a)) for name, a in problem.parameters.items()})
    draw = {name: torch.tensor(to_numpy(array)) for name, array in problem.default_draw.arrays.items()}
    loss = functional.cross_entropy(module(draw["inputs"]).flatten(0, 1), draw["targets"].flatten(0, 1))
    loss.backward()
    slack = ROUNDINGS * problem.arrays.epsilon
    assert float(problem.loss(problem.parameters)) == pytest.approx(loss.item(), rel=slack)
    found = gradient(problem)
    assert set(found) == {name for name, _ in module.named_parameters()}
    whole = max(float(p.grad.abs().max()) for p in module.parameters())
    for name, parameter in module.named_parameters():
        np.testing.assert_allclose(found[name], parameter.grad, rtol=slack, atol=slack * whole, err_msg=name)


def test_no_output_depends_on_a_later_character() -> None:
    problem = transformer(positions=5)
    draw = problem.default_draw
    outputs = to_numpy(problem.outputs(problem.parameters)).reshape(2, 5, -1)
    changed = draw.map(lambda array: array.copy())
    changed.arrays["inputs"][:, 3] = (changed.arrays["inputs"][:, 3] + 1) % len(ALPHABET)
    others = to_numpy(problem.outputs(problem.parameters, changed)).reshape(2, 5, -1)
    np.testing.assert_array_equal(others[:, :3], outputs[:, :3])
    assert np.all(np.any(others[:, 3:] != outputs[:, 3:], axis=-1))


def test_every_sentence_of_the_text_is_true() -> None:
    sentences = text(20_000, seed=1).split(";")[:-1]
    assert len(sentences) > 1000 and len(set(sentences)) > 500
    for sentence in sentences:
        written, digit = sentence.split("=")
        assert eval(written) % 10 == int(digit)  # digits, signs and brackets alone, as `text` draws them
    assert text(100, seed=1) == text(20_000, seed=1)[:100] != text(100, seed=2)
    assert set(text(20_000, seed=3)) == set(ALPHABET)


@pytest.mark.parametrize(("rows", "positions"), [(1, 1), (1, 200_000), (7, 5), (3000, 100)])
def test_targets_are_the_characters_after_the_inputs(rows: int, positions: int) -> None:
    found = windows(rows, positions, seed=1)
    inputs, targets = found["inputs"], np.argmax(found["targets"], axis=-1)
    assert inputs.shape == targets.shape == (rows, positions)
    np.testing.assert_array_equal(found["targets"].sum(axis=-1), 1)
    np.testing.assert_array_equal(targets[:, :-1], inputs[:, 1:])
    if rows == 7:  # rows that fit into the text follow each other
        for here, after in pairwise(range(rows)):
            assert targets[here, -1] == inputs[after, 0]


def test_a_few_steps_learn_more_than_how_often_each_character_comes() -> None:
    problem = transformer(width=16, positions=16, hidden=4, batch=32)
    backprop, point = gradmark.get_method("backprop").prepare(problem), dict(problem.parameters)
    squares = dict.fromkeys(point, 0.0)
    for step in range(150):
        for name, g in backprop(point, draw=problem.draw(step)).gradient.items():
            squares[name] = squares[name] + g * g
            point[name] = point[name] - 0.1 * g / np.sqrt(squares[name] + 1e-12)  # AdaGrad
    share = np.mean(problem.data.arrays["targets"], axis=(0, 1))
    assert float(problem.loss(point)) < -sum(p * log(p) for p in share) - 0.5


@pytest.mark.parametrize("backend", ["numpy", "torch", "array_api_strict"])
def test_any_part_of_the_parameters_may_carry_the_population_axis(backend: str) -> None:
    problem = transformer(backend=backend, activation="tanh")
    names = tuple(problem.parameters)
    for moving in [*((name,) for name in names), names[:2], names[4:8], names]:
        assert_population_is_the_loop(problem, moving, ROUNDINGS)
    nodes = problem.opened("nodes")
    assert_population_is_the_loop(nodes, tuple(nodes.parameters), ROUNDINGS)


def test_the_compiled_population_is_that_of_numpy() -> None:
    pytest.importorskip("jax")
    here, there = transformer(), transformer(backend="jax")
    found, wanted = (
        to_numpy(evaluator(each)(members(each, tuple(each.parameters)), each.parameters, each.default_draw))
        for each in (there, here)
    )
    np.testing.assert_allclose(found, wanted, rtol=ROUNDINGS * Arrays().epsilon)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_characters_stay_integers_and_cannot_be_opened(backend: str) -> None:
    pytest.importorskip(backend)
    problem = transformer().to(backend=backend, dtype="float32")
    for draw in (problem.default_draw, problem.draw(3), problem.draw(3).rows(0, 1)):
        kinds = {name: dtype_name(array) for name, array in draw.arrays.items()}
        assert kinds == {"inputs": "int64", "targets": "float32"}
    assert dtype_name(problem.arrays.cast(problem.default_draw.arrays)["inputs"]) == "int64"
    with pytest.raises(UsageError, match="transformer has integer inputs, which have no gradient to open"):
        problem.opened("inputs")


def test_offsets_at_the_nodes_have_the_error_signals_as_their_gradient() -> None:
    """Of the head's nodes it is (softmax - t) / B; a bias is added at its nodes: its gradient is the sum."""
    problem = transformer(activation="tanh").opened("nodes")
    found = gradient(problem)
    offsets = {name for name in found if name.endswith("offset")}
    # The embedding, four of the block, of which q, k and v share one, and the head.
    assert len(offsets) == 6
    y = to_numpy(problem.outputs(problem.parameters))
    e = np.exp(y - y.max(axis=-1, keepdims=True))
    targets = problem.default_draw.arrays["targets"].reshape(y.shape)
    error = (e / e.sum(axis=-1, keepdims=True) - targets) / len(y)
    np.testing.assert_allclose(found["nodes.3.offset"], error, rtol=0, atol=16 * problem.arrays.epsilon)
    assert found["nodes.0.offset"].shape == (len(y), problem.parameters["layers.0.token"].shape[1])
    for name in offsets - {"nodes.0.offset"}:
        inside = name.startswith("layers.")  # layers.1.nodes.linear1 stands behind layers.1.linear1
        bias = name.replace("nodes.", "" if inside else "layers.").replace("offset", "bias")
        bias = bias.replace("in_proj.", "in_proj_")  # as torch names it
        np.testing.assert_allclose(found[name].sum(axis=0), found[bias], rtol=0, atol=1e-14)


def test_the_operations_are_those_that_torch_counts() -> None:
    problem = transformer(backend="torch")
    with FlopCounterMode(display=False) as ahead:
        problem.loss(problem.parameters)
    with FlopCounterMode(display=False) as both:
        gradient(problem)
    assert ahead.get_total_flops() == problem.flops
    back = [
        named.layer.pullback_flops(rows)
        for named, (rows, _) in zip(problem.layers, problem.input_shapes, strict=True)
    ]
    assert both.get_total_flops() == problem.flops + sum(back)


def test_the_gradient_of_a_batch_is_the_mean_of_its_rows() -> None:
    problem = transformer(batch=3)
    each = [gradient(problem, draw=problem.default_draw.rows(row, row + 1)) for row in range(3)]
    for name, whole in gradient(problem).items():
        mean = sum(one[name] for one in each) / 3
        np.testing.assert_allclose(whole, mean, rtol=0, atol=ROUNDINGS * problem.arrays.epsilon, err_msg=name)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_narrow_numbers_keep_the_direction(dtype: str) -> None:
    narrow = transformer(backend="torch", dtype=dtype)
    a, b = (
        np.concatenate([g.ravel() for g in gradient(p).values()])
        for p in (narrow, narrow.to(dtype="float64"))
    )
    assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 1 - narrow.arrays.epsilon


@pytest.mark.parametrize(
    ("method", "place"),
    [
        ("backprop", {}),
        ("backprop", {"dtype": "longdouble", "activation": "tanh"}),
        ("tangent", {"backend": "torch", "dtype": "float32"}),
        ("complex_step", {"activation": "tanh"}),
    ],
)
def test_the_judge_finds_methods_correct_on_it(method: str, place: dict[str, Any]) -> None:
    report = gradmark.validate(method, problems=[transformer(**place)])
    assert report.verdict == "correct", report.reason
