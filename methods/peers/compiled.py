"""torch.compile: the value and the gradient captured as one graph, and compiled by inductor.

Not to be confused with `backprop` on JAX, which XLA compiles.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import FunctionType
from typing import Any

from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, detached, zeros_like
from gradmark.passes import share_of_rows
from gradmark.problem import Problem, at_draw
from gradmark.remembering import once_for
from gradmark.work import Work, count, uncounted


@dataclass(frozen=True)
class Compiled:
    """``torch.compile(torch.func.grad_and_value(loss), dynamic=False)``, the draw being an argument.

    `prepare` compiles, which takes seconds, for the shapes of the default draw; another number of rows is
    compiled when it comes, as strided parameters are. Inductor keeps what it compiled in a folder of its own
    (beside the temporary files unless ``TORCHINDUCTOR_CACHE_DIR`` says where), and is quicker when it meets
    the same again.
    """

    @property
    def claims(self) -> Claims:
        """Exact; one forward pass and one pullback."""
        return Claims(
            family="reverse",
            exactness=Exact(),
            reads=frozenset({"loss", "torch graph"}),
            growth=Growth(
                passes=0,
                time={"parameters": 1, "batch": 1, "depth": 1},
                memory={"parameters": 1, "batch": 1, "depth": 1},
            ),
            work=lambda problem: Work(forward=1, pullback=1),
            backends=frozenset({"torch"}),
            compiles=True,
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs torch tensors, a compiler, and a loss that torch can capture: the last two are tried.

        Not bfloat16 on the CPU: the code that inductor (torch 2.13) made for a batch of one row gave
        gradients that are not finite, of a cross entropy and of a convolution.
        """
        if reason := unsupported(self, problem, want) or _reason_against_inductor(problem.arrays.device):
            return reason
        if problem.arrays.dtype == "bfloat16" and problem.arrays.device == "cpu":
            return (
                "torch.compile's code for one row in bfloat16 gives gradients on the cpu that are not finite"
            )
        return once_for(problem, "captured by torch.compile", lambda: _reason_against_capture(problem))

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Compile for the shapes of the default draw."""
        check_supported(self, problem, want)
        codes = {problem.default_draw.count: _compiled(problem, problem.default_draw)}

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw = draw or problem.default_draw
            if draw.count not in codes:
                codes[draw.count] = _compiled(problem, draw)
            with uncounted():
                found, value = codes[draw.count](detached(parameters), dict(draw.arrays))
            rows = share_of_rows(problem, draw)
            count(forward=rows, pullback=rows)
            return Estimate(dict(found), value, Work(forward=rows, pullback=rows, declared=True))

        return gradient


def _compiled(
    problem: Problem, draw: Draw, backend: str = "inductor"
) -> Callable[[Any, Any], tuple[dict[str, Any], Any]]:
    """Compiled at zeros of the draw's shapes, and bound to zeros: it holds no data."""
    import torch

    parameters, arrays, known = (
        zeros_like(named, problem.arrays.xp) for named in (problem.parameters, draw.arrays, draw.arrays)
    )
    bound = at_draw(problem, Draw(known))
    transformed = torch.func.grad_and_value(lambda parameters, arrays: bound.loss(parameters, Draw(arrays)))

    def gradient_and_value(parameters: Parameters, arrays: Any) -> Any:
        return transformed(parameters, arrays)

    # torch compiles a code object in eight forms at most, whatever it is bound to: so each is a new one.
    code, closure = gradient_and_value.__code__.replace(), gradient_and_value.__closure__
    alone = FunctionType(code, globals(), closure=closure)
    # Without `fullgraph` a loss that cannot be captured would run uncompiled, and nobody would know.
    compiled: Any = torch.compile(alone, backend=backend, fullgraph=True, dynamic=False)
    with uncounted(), warnings.catch_warnings():
        # A namespace is looked up through a cache, which torch traces right through: it gives the same one.
        warnings.filterwarnings("ignore", "Dynamo detected a call to a `functools.lru_cache`")
        bound.loss(parameters, Draw(arrays))  # torch cannot capture how a cached property is first computed
        compiled(parameters, arrays)  # torch compiles at the first call
    return compiled  # type: ignore[no-any-return]


def _reason_against_capture(problem: Problem) -> str | None:
    """Why torch cannot capture value and gradient as one graph: tried, without compiling it."""
    try:
        _compiled(problem, problem.default_draw, backend="eager")
    except Exception as error:  # whatever torch, or the loss under torch's eyes, raises
        return f"torch.compile cannot capture its loss as one graph ({_first_line(error)})"
    return None


@cache
def _reason_against_inductor(device: str) -> str | None:
    """Why nothing can be compiled for `device` here: tried, on the smallest function there is."""
    import torch

    try:
        torch.compile(lambda x: x + 1, dynamic=False)(torch.zeros(1, device=device))
    except Exception as error:  # whatever torch raises where it finds no compiler
        return f"torch.compile does not work on {device} here ({_first_line(error)})"
    return None


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".:")
