"""What a module, its data and its loss must be to make a problem: asked once, and answered in a sentence."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from gradmark.arrays import Array, Arrays, dtype_name
from gradmark.draw import Draw
from gradmark.errors import UsageError, in_one_line
from gradmark.function_problem import check_value
from gradmark.parameters import Parameters

Loss = Callable[[Parameters, Draw], Array]


def copied(module: Any) -> Any:
    """A copy of the module, which nobody else trains; `UsageError` where it is none, or cannot be copied."""
    import torch

    if not isinstance(module, torch.nn.Module):
        raise UsageError(f"`module` is a {type(module).__name__}: give a torch.nn.Module.")
    try:
        return copy.deepcopy(module)
    except RuntimeError as error:
        raise UsageError(
            f"`module` cannot be copied ({in_one_line(error)}): if it keeps tensors from call to call, "
            "remove or detach them first."
        ) from error


def checked_rows(inputs: Any, targets: Any) -> Draw:
    """Copies of inputs and targets; `UsageError` unless both are tensors with the same number of rows."""
    import torch

    for name, array in (("inputs", inputs), ("targets", targets)):
        if not isinstance(array, torch.Tensor):
            raise UsageError(f"`{name}` must be one tensor, not a {type(array).__name__}.")
        if array.ndim == 0:
            raise UsageError(f"`{name}` is a single number: give a tensor whose leading axis are the rows.")
    if inputs.shape[0] != targets.shape[0]:
        raise UsageError(
            f"`inputs` has {inputs.shape[0]} rows and `targets` {targets.shape[0]}: the leading axis of both "
            "must be the same rows (batch_first=True for recurrent modules)."
        )
    if inputs.shape[0] == 0:
        raise UsageError("`inputs` has no rows: give one row or more.")
    return Draw({"inputs": inputs.detach().clone(), "targets": targets.detach().clone()})


def trainable(module: Any) -> tuple[Arrays, dict[str, Array]]:
    """The parameters with requires_grad=True, a shared one under its first name, and what arrays they are."""
    import torch

    found = {name: array for name, array in module.named_parameters() if array.requires_grad}
    if not found:
        raise UsageError("`module` has no parameters with requires_grad=True: there is no gradient to take.")
    for name, array in found.items():
        if torch.nn.parameter.is_lazy(array):
            raise UsageError(f"`{name}` of `module` has no shape yet: call the module once before.")
        if array.is_complex():
            raise UsageError(
                f"`{name}` of `module` is complex, and a gradient here is one of real numbers: hold its real "
                "and its imaginary part as parameters."
            )
    kinds = sorted({(str(array.device), dtype_name(array)) for array in found.values()})
    if len(kinds) > 1:
        listed = ", ".join(f"{dtype} on {device}" for device, dtype in kinds)
        raise UsageError(f"`module` has parameters of several kinds ({listed}): convert it with module.to().")
    return Arrays("torch", *kinds[0]), {name: array.detach().clone() for name, array in found.items()}


def writes_into_data(loss: Loss, parameters: Parameters, draw: Draw, arrays: Arrays) -> bool:
    """Whether module or loss write into inputs or targets, so that each call must be given copies.

    Raises `UsageError` where the loss cannot be evaluated, is not one finite number that hangs on the
    parameters by torch's graph, where torch cannot go back through it, or where the module writes into its
    parameters.
    """
    given, rows = _clones(parameters), Draw(_clones(draw.arrays))
    leaves = {name: array.requires_grad_(True) for name, array in given.items()}
    try:
        value = loss(leaves, rows)
    except Exception as error:
        raise UsageError(
            f"`loss` of `module` could not be evaluated: {in_one_line(error)}; does `loss` take what the "
            "module returns (from some a tuple), and do `inputs` and `targets` fit the module, its device "
            f"{arrays.device} and its {arrays.dtype}?"
        ) from error
    if not hasattr(value, "shape"):
        raise UsageError(f"`loss` must return one number as a tensor; it returned a {type(value).__name__}.")
    check_value("loss", value.detach(), arrays)
    if not value.requires_grad:
        raise UsageError(
            "`loss` does not hang on the module's parameters by torch's graph: detach(), no_grad() or NumPy "
            "on the way to it cuts the graph."
        )
    _check_differentiable(value, leaves)
    if arrays.device == "meta":
        return False
    if changed := _changed(parameters, leaves):
        raise UsageError(
            f"`module` writes into its parameters when it runs ({', '.join(changed)}): gradients are taken "
            "at the parameters that are given, so move that out of forward."
        )
    return bool(_changed(draw.arrays, rows.arrays))


def _check_differentiable(value: Array, leaves: Parameters) -> None:
    """Go back through the graph once: what is in its way is no fault of the methods that do so later."""
    import torch

    try:
        found = torch.autograd.grad(value, list(leaves.values()), allow_unused=True)
    except RuntimeError as error:
        said = in_one_line(error).partition(" Hint:")[0].rstrip(".")
        raise UsageError(
            f"torch cannot differentiate `loss` of `module` ({said}): if it works in place on what its "
            "gradient needs, let it work on a copy."
        ) from error
    for name, array in zip(leaves, found, strict=True):
        if array is not None and array.layout != torch.strided:
            raise UsageError(
                f"the gradient of `{name}` of `module` is sparse: build the module with sparse=False."
            )


def check_repeats(loss: Loss, parameters: Parameters, draw: Draw, arrays: Arrays) -> None:
    """It is the same again: dropout draws masks that no draw holds, and a state goes on from call to call."""
    if arrays.device == "meta":
        return
    first, again = (float(loss(parameters, draw)) for _ in range(2))
    # A sum may be taken in another order on a GPU: as many roundings as there are rows, at most.
    if abs(first - again) > draw.count * arrays.epsilon * abs(first):
        raise UsageError(
            f"`loss` of `module` differs from call to call ({first}, then {again}): call module.eval(), or "
            "remove what is random in it, or what it keeps from one call to the next."
        )


def _clones(named: Mapping[str, Array]) -> dict[str, Array]:
    return {name: array.detach().clone() for name, array in named.items()}


def _changed(before: Mapping[str, Array], after: Mapping[str, Array]) -> list[str]:
    """The names of arrays that are no longer the same; a NaN counts as changed, which costs a copy a call."""
    return [name for name, array in before.items() if not bool((array == after[name].detach()).all())]
