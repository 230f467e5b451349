"""Any `torch.nn.Module` as a problem."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from gradmark.arguments import check_name
from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.parameters import Parameters
from gradmark.problem import Call, Problem, Smoothness, converted, retarget
from gradmark.random import generator
from gradmark.torch_checks import check_repeats, checked_rows, copied, trainable, writes_into_data
from gradmark.work import count, uncounted


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
    copies_data: bool = False
    """Whether the module or the loss writes into the data, so that each call is given copies."""
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
        return functional_call(self.module, {**buffers, **parameters}, (self._given(draw, "inputs"),))

    def loss(self, parameters: Parameters, draw: Draw | None = None) -> Array:
        """The scalar loss of the module's outputs."""
        draw = draw or self.default_draw
        count(forward=draw.count / self.default_draw.count)
        return self.criterion_function(self.outputs(parameters, draw), self._given(draw, "targets"))

    def _given(self, draw: Draw, name: str) -> Array:
        return draw.arrays[name].clone() if self.copies_data else draw.arrays[name]

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
        module = self._copied_module().to(device=arrays.device, dtype=arrays.dtype_object)
        draw = Draw(converted(self.default_draw.arrays, arrays), self.default_draw.seed)
        parameters = converted(self.parameters, arrays)
        return replace(self, module=module, arrays=arrays, parameters=parameters, default_draw=draw)

    def _copied_module(self) -> Any:
        """One that keeps what it computed last (an attention map) keeps its graph, which has no copy."""
        try:
            return copied(self.module)
        except UsageError:
            with uncounted():
                self.plain_forward()(self.parameters, self.default_draw)
            return copied(self.module)


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
    axis. Parameters keep the names of the module's state dict, a shared one its first; those with
    ``requires_grad=False`` and all buffers stay fixed. The module and its data are copied, so training it
    afterwards changes nothing here. A module that works in place works; where it writes into its inputs, each
    call gives it a copy of them.

    Raises `UsageError` for a module without trainable parameters, with complex ones, or with some of several
    dtypes or devices, or that writes into them; for data without common rows; and for a loss that fails, is
    not one finite number, has no graph or none that torch can differentiate, or differs from call to call.

    >>> import torch
    >>> data = torch.ones(4, 3), torch.zeros(4, 1)
    >>> problem = from_torch(torch.nn.Linear(3, 1), torch.nn.functional.mse_loss, *data)
    >>> {name: tuple(array.shape) for name, array in problem.parameters.items()}
    {'weight': (1, 3), 'bias': (1,)}
    """
    check_name("smoothness", smoothness, get_args(Smoothness))
    module, draw = copied(module), checked_rows(inputs, targets)
    arrays, parameters = trainable(module)
    problem = TorchProblem(
        module=module,
        criterion_function=loss,
        arrays=arrays,
        parameters=parameters,
        default_draw=draw,
        call=Call(type(module).__name__),
        smoothness=smoothness,
    )
    if writes_into_data(problem.loss, parameters, draw, arrays):
        problem = replace(problem, copies_data=True)
    check_repeats(problem.plain_forward(), parameters, draw, arrays)
    return problem
