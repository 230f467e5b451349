"""Any torch module as a problem: names, fixed parts, purity, errors."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

import gradmark
from gradmark import from_torch
from gradmark.arrays import Arrays
from gradmark.errors import UsageError
from gradmark.method import Estimate
from gradmark.work import Work, counting


def data(rows: int = 8, dtype: torch.dtype = torch.float64) -> tuple[Any, Any]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(rows, 3, generator=generator, dtype=dtype), torch.ones(rows, 2, dtype=dtype)


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2)).double()


def gradient(problem: Any) -> dict[str, Any]:
    estimate: Estimate = gradmark.get_method("autograd").prepare(problem)(problem.parameters)
    return estimate.gradient


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_gradient_is_that_of_the_module_itself(dtype: torch.dtype) -> None:
    module = network().to(dtype)
    problem = from_torch(module, mse_loss, *data(dtype=dtype))
    assert list(problem.parameters) == [name for name, _ in module.named_parameters()]
    assert set(problem.parameters) < set(module.state_dict())
    assert problem.arrays == Arrays("torch", dtype=str(dtype).removeprefix("torch."))
    leaves = dict(module.named_parameters())
    inputs, targets = data(dtype=dtype)
    wanted = torch.autograd.grad(mse_loss(module(inputs), targets), list(leaves.values()))
    for (name, array), other in zip(gradient(problem).items(), wanted, strict=True):
        assert array.dtype == dtype and torch.equal(array, other), name


def test_buffers_and_frozen_parameters_stay_fixed() -> None:
    module = network()
    module[0].weight.requires_grad_(False)
    problem = from_torch(module, mse_loss, *data())
    assert "0.weight" not in problem.parameters and "1.running_mean" not in problem.parameters
    before = {name: array.clone() for name, array in problem.module.state_dict().items()}
    first = problem.loss(problem.parameters)
    gradient(problem)
    assert torch.equal(problem.loss(problem.parameters), first)
    for name, array in problem.module.state_dict().items():
        assert torch.equal(array, before[name]), name


def test_training_the_module_or_changing_the_data_afterwards_changes_nothing() -> None:
    module, (inputs, targets) = network().eval(), data()  # batch normalisation now reads its buffers
    module[0].weight.requires_grad_(False)
    problem = from_torch(module, mse_loss, inputs, targets)
    first = problem.loss(problem.parameters)
    with torch.no_grad():
        for array in [*module.parameters(), *module.buffers(), inputs, targets]:
            array.zero_()
    assert torch.equal(problem.loss(problem.parameters), first)


def test_tied_parameters_have_one_name_and_their_gradients_add() -> None:
    first, second = nn.Linear(3, 3, bias=False).double(), nn.Linear(3, 3, bias=False).double()
    second.weight = first.weight
    x = data()[0]
    problem = from_torch(nn.Sequential(first, second), lambda y, t: (y * t).sum(), x, x)
    assert list(problem.parameters) == ["0.weight"]
    w = problem.parameters["0.weight"]
    # The loss is sum(x W^T W^T * x); by the product rule, each W moved while the other stands:
    wanted = (x @ w).T @ x + x.T @ (x @ w.T)
    slack = 4 * (8 + 3) * 2.0**-52  # sums over 8 rows and 3 units
    np.testing.assert_allclose(gradient(problem)["0.weight"], wanted, rtol=slack, atol=slack)


@pytest.mark.parametrize("name", ["autograd", "jvp"])
def test_a_parameter_that_the_module_does_not_use_has_a_gradient_of_zeros(name: str) -> None:
    module = network()
    module.register_parameter("spare", nn.Parameter(torch.ones(2, dtype=torch.float64)))
    problem = from_torch(module, mse_loss, *data())
    found = gradmark.get_method(name).prepare(problem)(problem.parameters).gradient
    assert torch.equal(found["spare"], torch.zeros(2, dtype=torch.float64))
    assert all(bool(array.any()) for key, array in found.items() if key in ("0.weight", "3.bias"))


def test_work_is_counted_and_rows_can_be_drawn() -> None:
    problem = from_torch(nn.Linear(3, 2).double(), mse_loss, *data())
    draw = problem.draw(3)
    assert draw.count == 8 and not torch.equal(draw.arrays["inputs"], problem.default_draw.arrays["inputs"])
    assert torch.equal(problem.draw(3).arrays["inputs"], draw.arrays["inputs"])
    # The mean over the same rows in another order: a rounding for each of the 16 squares.
    whole = float(problem.loss(problem.parameters).detach())
    assert float(problem.loss(problem.parameters, draw).detach()) == pytest.approx(
        whole, rel=16 * 2.0**-52, abs=0
    )
    with counting() as work:
        problem.plain_forward()(problem.parameters, draw.rows(0, 2))
    assert work.total() == Work(forward=1 / 4)


def test_the_plain_forward_pass_records_no_graph() -> None:
    problem = from_torch(nn.Linear(3, 2).double(), mse_loss, *data())
    leaves = {name: array.requires_grad_(True) for name, array in problem.parameters.items()}
    assert not problem.plain_forward()(leaves, problem.default_draw).requires_grad


def test_a_module_moves_to_another_dtype_with_its_data_but_not_its_labels() -> None:
    inputs, _ = data()
    labels = torch.tensor([0, 1] * 4)
    problem = from_torch(nn.Linear(3, 2).double(), nn.functional.cross_entropy, inputs, labels)
    narrow = problem.to(dtype="float32")
    assert narrow.loss(narrow.parameters).dtype == torch.float32
    assert narrow.default_draw.arrays["targets"].dtype == torch.int64
    assert problem.loss(problem.parameters).dtype == torch.float64
    masked = from_torch(nn.Linear(3, 2).double(), lambda y, t: y[t].sum(), inputs, labels == 0)
    assert masked.to(dtype="float32").default_draw.arrays["targets"].dtype == torch.bool
    with pytest.raises(UsageError, match="a torch module has no numpy backend"):
        problem.to(backend="numpy")


class Wrong(nn.Linear):
    """A module whose loss draws masks that no draw holds."""

    def forward(self, x: Any) -> Any:
        return nn.functional.dropout(super().forward(x), training=self.training)


class Shifted(nn.Linear):
    """It writes into what it is given, and into what it has computed."""

    def forward(self, x: Any) -> Any:
        x += 1
        h = super().forward(x.relu_())
        h *= 2
        return h.relu_()


class Decayed(nn.Linear):
    """It changes its own parameters."""

    def forward(self, x: Any) -> Any:
        with torch.no_grad():
            self.weight.mul_(0.9)
        return super().forward(x)


class Spoiled(nn.Linear):
    """It writes into what the derivative of its sigmoid is made of."""

    def forward(self, x: Any) -> Any:
        return super().forward(x).sigmoid().mul_(2)


def sparse() -> nn.Module:
    return nn.Sequential(nn.Embedding(7, 2, sparse=True), nn.Flatten(), nn.Linear(6, 2))


class Remembering(nn.Linear):
    """It goes on from what it kept of the call before; with `decay` 0 it only keeps it."""

    decay = 0.5
    kept: Any = 0.0

    def forward(self, x: Any) -> Any:
        self.kept = super().forward(x) + (self.decay * self.kept if self.decay else 0)
        return self.kept


class Keeping(Remembering):
    decay = 0.0


class Paired(nn.Linear):
    """It returns a tuple."""

    def forward(self, x: Any) -> Any:
        return super().forward(x), x


class Last(nn.Module):
    """A recurrent module, and a linear one on its last step."""

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.steps, self.last = kind(3, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        return self.last(self.steps(x)[0][:, -1])


def tied() -> nn.Module:
    words, back = nn.Embedding(7, 4), nn.Linear(4, 7, bias=False)
    back.weight = words.weight
    return nn.Sequential(words, back)


def random(*shape: int) -> Any:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


WORDS = torch.tensor([0, 6, 2, 2, 5, 1])
SPECIAL: dict[str, tuple[Any, Any, Any, Any]] = {
    "in place": (lambda: Shifted(3, 2), mse_loss, random(6, 3), random(6, 2)),
    "loss in place": (
        lambda: nn.Linear(3, 2), lambda y, t: mse_loss(y, t.mul_(2)), random(6, 3), random(6, 2),
    ),
    "input relu": (
        lambda: nn.Sequential(nn.ReLU(inplace=True), nn.Linear(3, 2)), mse_loss, random(6, 3), random(6, 2),
    ),
    "rnn": (lambda: Last(nn.RNN), mse_loss, random(6, 5, 3), random(6, 2)),
    "lstm": (lambda: Last(nn.LSTM), mse_loss, random(6, 5, 3), random(6, 2)),
    "gru": (lambda: Last(nn.GRU), mse_loss, random(6, 5, 3), random(6, 2)),
    "transformer": (
        lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0, batch_first=True), mse_loss,
        random(6, 5, 4), random(6, 5, 4),
    ),
    "convolution": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(),
            nn.Linear(2, 2),
        ),
        mse_loss, random(6, 1, 4, 4), random(6, 2),
    ),
    "tied embedding": (tied, nn.functional.cross_entropy, WORDS, WORDS),
    "two words": (
        lambda: nn.Sequential(nn.Embedding(7, 3), nn.Flatten(), nn.Linear(9, 2)), mse_loss,
        WORDS.repeat(3, 1).T, random(6, 2),
    ),
    "tuple": (lambda: Paired(3, 2), lambda y, t: mse_loss(y[0], t), random(6, 3), random(6, 2)),
    "keeping": (lambda: Keeping(3, 2), mse_loss, random(6, 3), random(6, 2)),
}  # fmt: skip


@pytest.mark.parametrize("name", SPECIAL)
def test_special_modules_have_their_own_gradient_again_and_again(name: str) -> None:
    """Data, parameters and buffers are as they were afterwards, and rows and other dtypes can be had."""
    torch.manual_seed(0)
    build, loss, inputs, targets = SPECIAL[name]
    module, given = build().double().train(), (inputs.clone(), targets.clone())
    problem = from_torch(module, loss, inputs, targets)
    assert torch.equal(inputs, given[0]) and torch.equal(targets, given[1])
    buffers = {key: array.clone() for key, array in problem.module.named_buffers()}
    found = [gradient(problem) for _ in range(2)]
    leaves = dict(module.named_parameters())
    wanted = torch.autograd.grad(loss(module(inputs.clone()), targets.clone()), list(leaves.values()))
    assert list(found[0]) == list(leaves)
    for (key, array), again, other in zip(found[0].items(), found[1].values(), wanted, strict=True):
        assert torch.equal(array, other) and torch.equal(array, again), key
    assert torch.equal(problem.default_draw.arrays["inputs"], given[0])
    assert torch.equal(problem.default_draw.arrays["targets"], given[1])
    assert all(torch.equal(buffers[key], array) for key, array in problem.module.named_buffers())
    some = problem.loss(problem.parameters, problem.default_draw.rows(1, 4))
    alone = from_torch(build_like(module), loss, given[0][1:4], given[1][1:4])
    assert torch.equal(some, alone.loss(alone.parameters))
    narrow, whole = problem.to(dtype="float32"), float(problem.loss(problem.parameters))
    # Some hundred roundings on the way to the loss, all in one direction.
    assert float(narrow.loss(narrow.parameters)) == pytest.approx(whole, rel=1000 * 2.0**-24, abs=0)


def build_like(module: Any) -> Any:
    """The module without what it kept of its last call, which has a graph."""
    if isinstance(module, Remembering):
        module.kept = 0.0
    return module


def half_and_half() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4).double(), nn.Linear(4, 2).float())


@pytest.mark.parametrize(
    ("module", "loss", "message"),
    [
        (lambda: nn.Tanh(), mse_loss, "no parameters with requires_grad=True"),
        (half_and_half, mse_loss, "parameters of several kinds (float32 on cpu, float64 on cpu)"),
        (network, lambda y, t: y, "`loss` must return one number; it returned shape (8, 2)"),
        (network, lambda y, t: y.sum() / 0, "`loss` returned"),
        (lambda: nn.Linear(5, 2).double(), mse_loss, "could not be evaluated: RuntimeError"),
        (lambda: nn.Linear(3, 2), mse_loss, "its device cpu and its float32?"),
        (lambda: Wrong(3, 2).double(), mse_loss, "differs from call to call"),
        (lambda: Remembering(3, 2).double(), mse_loss, "or what it keeps from one call to the next"),
        (lambda: Decayed(3, 2).double(), mse_loss, "writes into its parameters when it runs (weight)"),
        (lambda: network().requires_grad_(False), mse_loss, "no parameters with requires_grad=True"),
        (lambda: nn.Linear(3, 2).to(torch.complex128), mse_loss, "`weight` of `module` is complex"),
        (lambda: nn.LazyLinear(2), mse_loss, "`weight` of `module` has no shape yet"),
        (
            lambda: Paired(3, 2).double(),
            mse_loss,
            "does `loss` take what the module returns (from some a tuple)",
        ),
        (lambda: "net", mse_loss, "`module` is a str: give a torch.nn.Module"),
        (network, lambda y, t: mse_loss(y, t).item(), "one number as a tensor; it returned a float"),
        (network, lambda y, t: (mse_loss(y, t), y), "one number as a tensor; it returned a tuple"),
        (network, lambda y, t: mse_loss(y.detach(), t), "does not hang on the module's parameters"),
        (network, lambda y, t: (y > t).sum(), "a real floating number, not int64"),
        (lambda: Spoiled(3, 2).double(), mse_loss, "works in place on what its gradient needs"),
    ],
)
def test_what_is_no_problem_is_said(module: Any, loss: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_torch(module(), loss, *data())
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        ((random(2, 3),), random(2, 2), "`inputs` must be one tensor, not a tuple"),
        (random(6, 3), random(3, 2), "`inputs` has 6 rows and `targets` 3"),
        (random(6, 3), random(1)[0], "`targets` is a single number"),
        (random(6, 3)[:0], random(6, 2)[:0], "`inputs` has no rows"),
    ],
)
def test_data_without_common_rows_is_refused(inputs: Any, targets: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        from_torch(nn.Linear(3, 2).double(), mse_loss, inputs, targets)


def test_a_sparse_gradient_is_refused_by_name() -> None:
    words = torch.tensor([[0, 6, 2], [2, 5, 1]])
    with pytest.raises(UsageError, match=r"the gradient of `0\.weight` of `module` is sparse"):
        from_torch(sparse().double(), mse_loss, words, random(2, 2))


@pytest.mark.parametrize("smoothness", ["rough", None])
def test_an_unknown_smoothness_is_refused(smoothness: Any) -> None:
    with pytest.raises(UsageError, match="unknown smoothness"):
        from_torch(network(), mse_loss, *data(), smoothness=smoothness)
    with pytest.raises(UsageError, match="unknown smoothness"):
        gradmark.from_function(lambda x: x.sum(), np.ones(2), smoothness=smoothness)


def test_a_module_whose_last_call_left_a_graph_is_refused_with_a_reason() -> None:
    module = Keeping(3, 2).double()
    module(random(6, 3))
    with pytest.raises(UsageError, match=r"cannot be copied.*keeps tensors from call to call"):
        from_torch(module, mse_loss, *data())


def test_dropout_is_no_obstacle_once_it_is_switched_off() -> None:
    assert from_torch(Wrong(3, 2).double().eval(), mse_loss, *data()).parameters


def test_a_module_on_meta_has_shapes() -> None:
    module = nn.Linear(3, 2, device="meta")
    problem = from_torch(module, mse_loss, *(each.to("meta") for each in data(dtype=torch.float32)))
    assert problem.arrays.device == "meta" and gradient(problem)["weight"].shape == (2, 3)


@pytest.mark.parametrize("what", ["inputs", "nodes"])
def test_a_module_cannot_be_opened(what: Any) -> None:
    with pytest.raises(UsageError, match=f"cannot be opened at its {what}"):
        from_torch(nn.Linear(3, 2).double(), mse_loss, *data()).opened(what)
