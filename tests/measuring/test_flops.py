"""FLOPs from the layers' formulas against torch's own counter."""

from typing import Any

import pytest
from torch.utils.flop_counter import FlopCounterMode

from gradmark import from_function, get_problem
from gradmark.measuring.flops import first_layer_share, forward_flops, gradient_flops, pullback_flops

WIDTHS = [(7, 3), (5, 11, 2), (64, 32, 32, 10), (3, 1, 1, 4, 2)]


def counted(problem: Any, *, backward: bool) -> int:
    leaves = {name: array.detach().requires_grad_(True) for name, array in problem.parameters.items()}
    with FlopCounterMode(display=False) as counter:
        loss = problem.loss(leaves)
        if backward:
            loss.backward()
    return int(counter.get_total_flops())


@pytest.mark.parametrize("widths", WIDTHS)
@pytest.mark.parametrize("batch", [1, 13])
def test_a_networks_flops_are_exactly_what_torch_counts(widths: tuple[int, ...], batch: int) -> None:
    problem = get_problem(
        "mlp", widths=widths, data="synthetic", loss="mse", batch=batch, backend="torch", dtype="float32"
    )
    assert forward_flops(problem) == counted(problem, backward=False)
    assert gradient_flops(problem) == counted(problem, backward=True)


def test_the_gradient_costs_three_forwards_less_the_first_layers_input() -> None:
    problem = get_problem("mlp", widths=(64, 32, 32, 10), batch=16)
    forward = 2 * 16 * (64 * 32 + 32 * 32 + 32 * 10)
    assert forward_flops(problem) == forward
    assert gradient_flops(problem) == 3 * forward - 2 * 16 * 64 * 32


STRUCTURED: dict[str, dict[str, Any]] = {
    "mlp": {"widths": (30, 20, 10), "data": "synthetic"},
    "convnet": {"channels": (4, 6)},
    "transformer": {"blocks": 1, "width": 8, "heads": 2},
    "lstm": {"length": 5, "hidden": 3},
}


@pytest.mark.parametrize("name", STRUCTURED)
def test_backward_is_two_forwards_less_the_gradient_of_the_data(name: str) -> None:
    problem: Any = get_problem(name, batch=4, backend="torch", dtype="float32", **STRUCTURED[name])
    forward, both = (counted(problem, backward=backward) for backward in (False, True))
    share, pullback = first_layer_share(problem), pullback_flops(problem)
    assert share is not None and pullback is not None
    assert (both - forward) / forward == pytest.approx(2 - share)
    assert pullback / problem.flops == pytest.approx(2 - share)
    if name == "transformer":
        assert share == 0  # what comes first are embeddings, which are no products
    if name == "mlp":
        assert share == 30 * 20 / (30 * 20 + 20 * 10)


def test_with_open_inputs_the_first_layer_pulls_back_to_them_too() -> None:
    problem = get_problem("mlp", widths=(64, 8, 10), batch=4).opened("inputs")
    assert gradient_flops(problem) == 3 * forward_flops(problem)


def test_what_is_not_known_is_not_invented() -> None:
    problem = from_function(lambda x: x @ x, [1.0, 2.0])
    assert forward_flops(problem) is None
    assert gradient_flops(problem) is None
    assert first_layer_share(problem) is None
