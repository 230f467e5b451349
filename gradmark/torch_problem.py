"""Any `torch.nn.Module` as a problem."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from gradmark.arrays import Array, Arrays, dtype_name
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.parameters import Parameters
from gradmark.problem import Call, Problem, Smoothness, converted, retarget
from gradmark.work import count


@dataclass(frozen=True)
class TorchProblem:
    """A module, a loss of its outputs and targets, and data. See `gradmark.problem.Problem` for the members."""

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
        return functional_call(self.module, dict(parameters), (draw.arrays["inputs"],))

    def loss(self, parameters: Parameters, draw: Draw | None = None) -> Array:
        """The scalar loss of the module's outputs."""
        draw = draw or self.default_draw
        count(forward=draw.count / self.default_draw.count)
        return self.criterion_function(self.outputs(parameters, draw), draw.arrays["targets"])

    def draw(self, seed: int) -> Draw:
        """The rows the problem was given, in an order drawn from `seed`."""
        from gradmark.random import generator

        order = self.arrays.integers(generator(seed, "draw").permutation(self.default_draw.count))
        return Draw({name: array[order] for name, array in self.default_draw.arrays.items()}, seed)

    def plain_forward(self) -> Callable[[Parameters, Draw], Any]:
        """The loss without recording a graph."""
        import torch

        def forward(parameters: Parameters, draw: Draw) -> Array:
            with torch.no_grad():
                return self.loss(parameters, draw)

        return forward

    def opened(self, what: Literal["inputs", "nodes"]) -> Problem:
        """Not offered for a module: raises `UsageError`."""
        raise UsageError(f"a torch module cannot be opened at its {what}: use a problem that has layers.")

    def to(
        self, *, backend: str | None = None, device: str | None = None, dtype: str | None = None
    ) -> "TorchProblem":
        """The same numbers on another device or dtype; another backend is refused with a `UsageError`."""
        import copy

        if backend not in (None, "torch"):
            raise UsageError(f"a torch module has no {backend} backend: it stays on torch.")
        arrays = retarget(self.arrays, None, device, dtype)
        module = copy.deepcopy(self.module).to(device=arrays.device, dtype=arrays.dtype_object)
        draw = Draw(converted(self.default_draw.arrays, arrays), self.default_draw.seed)
        return replace(
            self,
            module=module,
            arrays=arrays,
            parameters=converted(self.parameters, arrays),
            default_draw=draw,
        )


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
    buffers stay fixed. Raises `UsageError` for a module without trainable parameters or a loss that is not
    one number.
    """
    parameters = {
        name: array.detach().clone() for name, array in module.named_parameters() if array.requires_grad
    }
    if not parameters:
        raise UsageError("`module` has no parameters with requires_grad=True: there is no gradient to take.")
    first = next(iter(parameters.values()))
    problem = TorchProblem(
        module=module,
        criterion_function=loss,
        arrays=Arrays("torch", str(first.device), dtype_name(first)),
        parameters=parameters,
        default_draw=Draw({"inputs": inputs, "targets": targets}),
        call=Call(type(module).__name__),
        smoothness=smoothness,
    )
    value = problem.plain_forward()(parameters, problem.default_draw)
    if tuple(value.shape) != ():
        raise UsageError(f"`loss` must return one number; it returned shape {tuple(value.shape)}.")
    return problem
