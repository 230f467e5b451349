"""Any `torch.nn.Module` as a problem."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from gradmark.arrays import Array, Arrays, dtype_name
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.function_problem import check_value
from gradmark.parameters import Parameters
from gradmark.problem import Call, Problem, Smoothness, converted, retarget
from gradmark.random import generator
from gradmark.work import count


@dataclass(frozen=True)
class TorchProblem:
    """A module, a loss of its outputs and targets, and data. See `gradmark.problem.Problem` for the rest."""

    module: Any
    criterion_function: Callable[[Array, Array], Array]
    arrays: Arrays
    parameters: dict[str, Array]
    default_draw: Draw
    call: Call
    smoothness: Smoothness = "smooth"
    population: bool = False
    bounds: None = None
    flops: None = None
    closed_form: None = None
    layers: None = None
    criterion: None = None
    unroll: None = None
    sparsity: None = None

    def outputs(self, parameters: Parameters, draw: Draw | None = None) -> Array:
        """The module's outputs for the draw's inputs, with `parameters` in place of its own."""
        from torch.func import functional_call

        draw = draw or self.default_draw
        # A layer that updates its buffers (batch normalisation) does so in copies: nothing is hidden.
        buffers = {name: array.clone() for name, array in self.module.named_buffers()}
        return functional_call(self.module, {**buffers, **parameters}, (draw.arrays["inputs"],))

    def loss(self, parameters: Parameters, draw: Draw | None = None) -> Array:
        """The scalar loss of the module's outputs."""
        draw = draw or self.default_draw
        count(forward=draw.count / self.default_draw.count)
        return self.criterion_function(self.outputs(parameters, draw), draw.arrays["targets"])

    def draw(self, seed: int) -> Draw:
        """The rows the problem was given, in an order drawn from `seed`."""
        order = self.arrays.integers(generator(seed, "draw").permutation(self.default_draw.count))
        return Draw({name: array[order] for name, array in self.default_draw.arrays.items()}, seed)

    def plain_forward(self) -> Callable[[Parameters, Draw], Any]:
        """The loss without recording a graph."""
        no_grad = self.arrays.xp.no_grad

        def forward(parameters: Parameters, draw: Draw) -> Array:
            with no_grad():
                return self.loss(parameters, draw)

        return forward

    def opened(self, what: Literal["inputs", "nodes"]) -> Problem:
        """Not offered for a module: raises `UsageError`."""
        raise UsageError(f"a torch module cannot be opened at its {what}: use a problem that has layers.")

    def to(
        self, *, backend: str | None = None, device: str | None = None, dtype: str | None = None
    ) -> "TorchProblem":
        """The same numbers on another device or dtype; another backend is refused with a `UsageError`."""
        if backend not in (None, "torch"):
            raise UsageError(f"a torch module has no {backend} backend: it stays on torch.")
        arrays = retarget(self.arrays, None, device, dtype)
        module = copy.deepcopy(self.module).to(device=arrays.device, dtype=arrays.dtype_object)
        draw = Draw(converted(self.default_draw.arrays, arrays), self.default_draw.seed)
        parameters = converted(self.parameters, arrays)
        return replace(self, module=module, arrays=arrays, parameters=parameters, default_draw=draw)


def from_torch(
    module: Any,
    loss: Callable[[Array, Array], Array],
    inputs: Array,
    targets: Array,
    *,
    smoothness: Smoothness = "smooth",
) -> TorchProblem:
    """Make a `torch.nn.Module` a problem: gradients are taken with respect to its parameters.

    `loss(outputs, targets)` returns a scalar tensor; `inputs` and `targets` have the rows as their leading
    axis. Parameters keep the names of the module's state dict; those with ``requires_grad=False`` and all
    buffers stay fixed. The module and its data are copied, so training it afterwards changes nothing here.

    Raises `UsageError` for a module without trainable parameters or with parameters of several dtypes or
    devices, and for a loss that fails, is not one finite number, or differs from call to call.

    >>> import torch
    >>> data = torch.ones(4, 3), torch.zeros(4, 1)
    >>> problem = from_torch(torch.nn.Linear(3, 1), torch.nn.functional.mse_loss, *data)
    >>> {name: tuple(array.shape) for name, array in problem.parameters.items()}
    {'weight': (1, 3), 'bias': (1,)}
    """
    module = copy.deepcopy(module)
    parameters = {
        name: array.detach().clone() for name, array in module.named_parameters() if array.requires_grad
    }
    problem = TorchProblem(
        module=module,
        criterion_function=loss,
        arrays=_arrays_of(parameters),
        parameters=parameters,
        default_draw=Draw({"inputs": inputs.detach().clone(), "targets": targets.detach().clone()}),
        call=Call(type(module).__name__),
        smoothness=smoothness,
    )
    _check_loss(problem)
    return problem


def _arrays_of(parameters: Parameters) -> Arrays:
    if not parameters:
        raise UsageError("`module` has no parameters with requires_grad=True: there is no gradient to take.")
    kinds = sorted({(str(array.device), dtype_name(array)) for array in parameters.values()})
    if len(kinds) > 1:
        listed = ", ".join(f"{dtype} on {device}" for device, dtype in kinds)
        raise UsageError(f"`module` has parameters of several kinds ({listed}): convert it with module.to().")
    return Arrays("torch", *kinds[0])


def _check_loss(problem: TorchProblem) -> None:
    """It can be evaluated, is one number, and is the same again: dropout draws masks that no draw holds."""
    forward = problem.plain_forward()
    try:
        first = forward(problem.parameters, problem.default_draw)
        again = forward(problem.parameters, problem.default_draw)
    except Exception as error:
        raise UsageError(
            f"`loss` of `module` could not be evaluated: {type(error).__name__}: {error}; do `inputs` and "
            f"`targets` fit the module, its device {problem.arrays.device} and its {problem.arrays.dtype}?"
        ) from error
    check_value("loss", first, problem.arrays)
    if problem.arrays.device == "meta":
        return
    # A sum may be taken in another order on a GPU: as many roundings as there are rows, at most.
    slack = problem.default_draw.count * problem.arrays.epsilon * abs(float(first))
    if abs(float(first) - float(again)) > slack:
        raise UsageError(
            f"`loss` of `module` differs from call to call ({float(first)}, then {float(again)}): call "
            "module.eval(), or remove what is random in it."
        )
