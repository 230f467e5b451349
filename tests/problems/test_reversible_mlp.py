"""`reversible_mlp`: what torch makes of the same parameters, its population axis, and its answers."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

import gradmark
from gradmark.arrays import Arrays, to_numpy
from gradmark.errors import UsageError
from tests.problems.test_population import assert_population_is_the_loop

SIZES: dict[str, Any] = {
    "blocks": 2,
    "width": 6,
    "data": "synthetic",
    "inputs": 5,
    "outputs": 3,
    "batch": 7,
}
# Sums of at most six terms and a function in each of two halves of two blocks, between two layers.
ROUNDINGS = 2 * 2 * (6 + 16) + 2 * (6 + 16)


def by_torch(problem: Any, p: Any) -> Any:
    """The outputs, with the dropout that the draw holds."""
    masks = problem.default_draw.arrays
    h = functional.linear(masks["inputs"], p["layers.0.weight"], p["layers.0.bias"])
    for block in (1, 2):
        x = list(h.chunk(2, dim=-1))
        for here, name in enumerate("fg"):
            prefix = f"layers.{block}.{name}.0"
            moved = torch.tanh(functional.linear(x[1 - here], p[f"{prefix}.weight"], p[f"{prefix}.bias"]))
            x[here] = x[here] + moved * masks[f"masks.{block - 1}.{name}"]
        h = torch.cat(x, dim=-1)
    return functional.linear(h, p["layers.3.weight"], p["layers.3.bias"])


def test_outputs_and_gradient_are_those_of_torchs_own_operations() -> None:
    problem: Any = gradmark.get_problem("reversible_mlp", **SIZES, dropout=0.3, loss="mse", backend="torch")
    leaves = {name: array.clone().requires_grad_() for name, array in problem.parameters.items()}
    outputs = by_torch(problem, leaves)
    slack = ROUNDINGS * problem.arrays.epsilon
    np.testing.assert_allclose(to_numpy(problem.outputs(problem.parameters)), to_numpy(outputs), atol=slack)
    value = ((outputs - problem.default_draw.arrays["targets"]) ** 2).sum() / (2 * SIZES["batch"])
    wanted = torch.autograd.grad(value, list(leaves.values()))
    found = gradmark.get_method("backprop").prepare(problem)(problem.parameters).gradient
    for (name, array), other in zip(found.items(), wanted, strict=True):
        np.testing.assert_allclose(to_numpy(array), to_numpy(other), atol=slack, err_msg=name)


def test_any_parameters_may_carry_the_population_axis(everywhere: Arrays) -> None:
    place = {"backend": everywhere.backend, "device": everywhere.device}
    problem = gradmark.get_problem("reversible_mlp", **SIZES, **place)
    names = tuple(problem.parameters)
    for moving in (
        names,
        ("layers.1.f.0.weight",),
        ("layers.2.g.0.bias",),
        ("layers.0.bias", "layers.2.f.0.weight"),
    ):
        assert_population_is_the_loop(problem, moving, ROUNDINGS)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"width": 7}, "reversible_mlp: `width=7` must be even: its halves are coupled."),
        ({"width": 1}, "`width=1` must be an integer of at least 2"),
        ({"blocks": 0}, "`blocks=0` must be an integer of at least 1"),
        ({"dropout": 1.0}, "`dropout=1.0` must be a number from 0 to 0.99"),
        ({"data": "digits"}, "do not fit the digits"),
        ({"blocks": 10**12}, "choose smaller sizes"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        gradmark.get_problem("reversible_mlp", **{**SIZES, **sizes})
    assert message in str(caught.value)
