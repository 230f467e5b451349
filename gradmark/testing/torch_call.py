"""A call of a torch function or module as a function of the tensors that it is differentiated by."""

import importlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from gradmark.errors import UsageError, in_one_line
from gradmark.testing.modes import Differentiated, no_forward_mode, refuse_empty
from gradmark.testing.torch_module import Copies
from gradmark.testing.torch_shaken import shaken
from gradmark.testing.torch_structure import put, tensors
from gradmark.torch_forward import torch_forward_mode

Tensors = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """``function(*inputs)`` of the tensors named in `at`: differentiable inputs, and a module's parameters.

    `kept` are the names of the outputs that are examined (None: all with real numbers).
    """

    function: Callable[..., Any]
    inputs: tuple[Any, ...]
    at: Tensors
    seed: int
    copies: Copies | None = None
    kept: tuple[str, ...] | None = None

    def run(self, at: Tensors) -> dict[str, Any]:
        """The outputs by name, with their graph. Constants and the module follow the dtype of `at`."""
        dtype = next(iter(at.values())).dtype
        arguments = put(self._constants(dtype), at)
        with _same_random_numbers(self.seed, at):
            if self.copies is None:
                result = self.function(*arguments)
            else:
                result = self.copies.call(dtype, at, arguments)
        outputs = tensors(result, "output")
        real = {name: out for name, out in outputs.items() if out.is_floating_point() or out.is_complex()}
        return real if self.kept is None else {name: real[name] for name in self.kept}

    def outputs(self, at: Tensors) -> dict[str, Any]:
        """The outputs without a graph."""
        return {name: out.detach() for name, out in self.run(at).items()}

    def vjp(self, at: Tensors, cotangent: Tensors) -> dict[str, Any]:
        """What torch's backward gives for `cotangent`, one tensor for each of `at`."""
        import torch

        leaves = {name: tensor.detach().requires_grad_() for name, tensor in at.items()}
        with torch.enable_grad():
            outputs = {name: out for name, out in self.run(leaves).items() if out.requires_grad}
        if not outputs:
            return {name: torch.zeros_like(tensor) for name, tensor in at.items()}
        weights = [cotangent[name].to(out.dtype) for name, out in outputs.items()]
        found = torch.autograd.grad(list(outputs.values()), list(leaves.values()), weights, allow_unused=True)
        pairs = zip(leaves.items(), found, strict=True)
        return {name: torch.zeros_like(leaf) if g is None else g.detach() for (name, leaf), g in pairs}

    def jvp(self, at: Tensors, tangent: Tensors) -> dict[str, Any]:
        """What torch's forward mode gives along `tangent`, one tensor for each output."""
        import torch

        # Its functions have no types, which a strict check refuses to call.
        forward_ad: Any = importlib.import_module("torch.autograd.forward_ad")
        with torch_forward_mode(), forward_ad.dual_level():
            dual = {name: forward_ad.make_dual(at[name].detach(), tangent[name]) for name in at}
            pairs = {name: forward_ad.unpack_dual(out) for name, out in self.run(dual).items()}
            return {
                name: torch.zeros_like(pair.primal) if pair.tangent is None else pair.tangent.clone()
                for name, pair in pairs.items()
            }

    def _constants(self, dtype: Any) -> tuple[Any, ...]:
        """The inputs as copies, which the function may change; constants of the point's dtype converted."""
        own = next(iter(self.at.values())).dtype
        values = tensors(self.inputs, "inputs")
        constants = {
            name: value.detach().to(dtype) if value.dtype == own else value.detach().clone()
            for name, value in values.items()
            if name not in self.at
        }
        return tuple(put(self.inputs, constants))


def differentiated(
    function: Callable[..., Any], inputs: tuple[Any, ...], seed: int, *, forward: bool
) -> Differentiated:
    """The call with its derivatives; `UsageError` for one that has none to be examined."""
    import torch

    if not callable(function):
        raise UsageError(f"`function={function!r}` must be a function of tensors or a module.")
    given = {name: value for name, value in tensors(inputs, "inputs").items() if value.requires_grad}
    module = function if isinstance(function, torch.nn.Module) else None
    copies = None if module is None else Copies(module)
    parameters = {} if copies is None else copies.parameters
    at = {name: value.detach().clone() for name, value in {**given, **parameters}.items()}
    refuse_empty(at, "give a tensor with requires_grad=True, or a module with parameters that have it.")
    call = Call(function, inputs, at, seed, copies)
    call = replace(call, kept=_kept(call))
    reason = no_forward_mode(call.jvp, at, torch.ones_like, _declined) if forward else None
    name = getattr(function, "__qualname__", type(function).__name__)
    jvp = None if reason else call.jvp
    return Differentiated(name, at, call.outputs, call.vjp, jvp, shaken, "assert_autograd", reason or "")


def _kept(call: Call) -> tuple[str, ...]:
    """The outputs that require a gradient: torch takes the others for constants, and so do we."""
    import torch

    leaves = {name: tensor.clone().requires_grad_() for name, tensor in call.at.items()}
    with torch.enable_grad():
        try:
            outputs = call.run(leaves)
        except Exception as error:
            raise UsageError(
                f"`function` cannot be evaluated at these inputs: {in_one_line(error)}"
            ) from error
    kept = tuple(name for name, out in outputs.items() if out.requires_grad)
    if not kept:
        raise UsageError(
            "none of the outputs requires a gradient: the function detaches them, runs under no_grad, or "
            "returns no tensor of real numbers."
        )
    return kept


def _declined(error: Exception) -> str:
    """What torch says of an operation without forward mode: it raises this error for it, and nothing else."""
    return str(error).strip().partition("\n")[0] if isinstance(error, NotImplementedError) else ""


@contextmanager
def _same_random_numbers(seed: int, at: Tensors) -> Iterator[None]:
    """Inside the block torch's random numbers begin anew; outside they go on as if nothing had been drawn."""
    import torch

    devices = [tensor.device for tensor in at.values() if tensor.device.type == "cuda"][:1]
    with torch.random.fork_rng(devices=devices), warnings.catch_warnings():
        # A module whose parameters are complex is new to torch; it is asked only whether it carries them.
        warnings.filterwarnings("ignore", message="Complex modules are a new feature")
        # `torch.manual_seed` writes down the stack for each kind of device that is not there, in most of a
        # call's time; without any, there is one generator.
        if torch.accelerator.is_available():
            torch.manual_seed(seed)
        else:
            torch.default_generator.manual_seed(seed)
        yield
