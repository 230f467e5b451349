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
    ],
)
def test_what_is_no_problem_is_said(module: Any, loss: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_torch(module(), loss, *data())
    assert message in str(caught.value)


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
