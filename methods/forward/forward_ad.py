"""torch.autograd.forward_ad: dual tensors, which carry one tangent beside their value.

The way torch does forward mode without function transforms: inside of a ``dual_level`` every operation on a
dual tensor computes its derivative too. A level carries one direction, so a gradient runs the loss P times.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from gradmark.arrays import Array
from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, size
from gradmark.problem import Problem
from gradmark.torch_forward import torch_forward_mode
from gradmark.work import Work
from methods.answering import Answer, answering, fixed
from methods.forward.basis import along_basis
from methods.forward.products import jacobian_by, jvp_by
from methods.forward.slopes import Along, Bind


@dataclass(frozen=True)
class ForwardAd:
    """Forward mode by dual tensors, one direction at a time, for any torch problem."""

    @property
    def claims(self) -> Claims:
        """Exact; a gradient takes P forward passes, each with its tangent."""
        return Claims(
            family="forward",
            exactness=Exact(),
            reads=frozenset({"loss", "torch graph"}),
            growth=Growth(passes=1, time={"parameters": 2, "batch": 1, "depth": 2}, memory={"parameters": 1}),
            work=lambda problem: Work(forward=size(problem.parameters), tangent=size(problem.parameters)),
            backends=frozenset({"torch"}),
            wants=frozenset({"gradient", "jvp", "jacobian"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs torch tensors."""
        return unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Nothing to prepare: every call runs the loss anew for each direction."""
        check_supported(self, problem, want)
        answers: dict[str, Callable[[], Answer]] = {
            "gradient": lambda: _gradient_by(problem, _by_duals(problem.loss)),
            "jvp": lambda: jvp_by(_by_duals(problem.outputs)),
            "jacobian": lambda: jacobian_by(problem, _by_duals(problem.outputs), lambda draw, number: 1),
        }
        directions = 1 if want == "jvp" else size(problem.parameters)
        stated = fixed(Work(forward=directions, tangent=directions))
        return answering(problem, want, answers[want](), stated=stated)


def _by_duals(function: Callable[[Parameters, Draw], Array]) -> Bind:
    """The derivative of `function` along one direction, as the ways of `slopes` give those along several."""
    from torch.autograd import forward_ad as torch_forward_ad

    forward_ad: Any = torch_forward_ad

    def along(parameters: Parameters, draw: Draw, tangents: Parameters) -> tuple[Array, Array]:
        with torch_forward_mode(), forward_ad.dual_level():
            duals = {name: forward_ad.make_dual(parameters[name], one[0]) for name, one in tangents.items()}
            value, slope = forward_ad.unpack_dual(function({**parameters, **duals}, draw))
        # Nothing that moves reaches it; and a Python number times a float32 one has a float64 tangent.
        slope = value.new_zeros(value.shape) if slope is None else slope.to(value.dtype)
        return value, slope[None]

    return lambda parameters, draw: partial(along, parameters, draw)


def _gradient_by(problem: Problem, bind: Callable[[Parameters, Draw], Along]) -> Answer:
    def answer(point: Parameters, draw: Draw, _: None) -> tuple[Any, Array]:
        value, gradient = along_basis(problem.arrays, point, bind(point, draw), lambda number: 1)
        return gradient, value

    return answer
