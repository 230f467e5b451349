"""torch.utils.checkpoint: torch's reverse mode with recomputation, over segments of a network's layers."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gradmark.arguments import check_size
from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import Work, count
from methods.reverse.checkpointing.portable import forward_passes
from methods.reverse.checkpointing.steps import Step, reason_against, steps_of
from methods.reverse.checkpointing.uniform import best_segments, boundaries, uniform


@dataclass(frozen=True)
class TorchCheckpoint:
    """``torch.utils.checkpoint`` (non-reentrant) of each segment but the last, as its documentation advises.

    `segments` as in `checkpointed_backprop`; None: about the square root of the number of steps. Masks come
    with the draw, so that they are the same when they are needed again and no random state is kept.
    """

    segments: int | None = None

    def __post_init__(self) -> None:
        if self.segments is not None:
            check_size("torch_checkpoint", "segments", self.segments)

    @property
    def claims(self) -> Claims:
        """Exact; one pullback, and the segments but the last run twice."""
        return Claims(
            family="reverse",
            exactness=Exact(),
            reads=frozenset({"loss", "torch graph"}),
            growth=Growth(
                passes=0,
                time={"parameters": 1, "batch": 1, "depth": 1},
                memory={"parameters": 1, "batch": 1}
                | ({"depth": 0.5} if self.segments is None else {"depth": 1}),
            ),
            work=self._work,
            backends=frozenset({"torch"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs torch tensors, layers, and a step for each segment."""
        return reason_against(problem, self.segments) or unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Nothing but where the segments begin: the graph is recorded anew by every call."""
        check_supported(self, problem, want)
        torch: Any = problem.arrays.xp
        criterion: Any = problem.criterion
        steps = steps_of(problem)
        segments = [steps[start:stop] for start, stop in pairwise(boundaries(len(steps), self._best(steps)))]
        whole = sum(step.cost for step in steps)

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw = draw or problem.default_draw
            leaves = {name: array.detach().requires_grad_(True) for name, array in parameters.items()}
            ran: list[float] = []
            with torch.enable_grad():  # a caller may record none
                outputs = _run(problem, leaves, draw, segments, ran)
                value = criterion.value(outputs, draw)
            found = torch.autograd.grad(
                value, list(leaves.values()), allow_unused=True, materialize_grads=True
            )
            rows = share_of_rows(problem, draw)
            work = Work(forward=sum(ran) / whole * rows, pullback=rows, declared=True)
            count(forward=work.forward, pullback=work.pullback)
            return Estimate(dict(zip(leaves, found, strict=True)), value.detach(), work)

        return gradient

    def _best(self, steps: list[Step]) -> int:
        return self.segments or best_segments([step.size for step in steps])

    def _work(self, problem: Problem) -> Work:
        steps = steps_of(problem)
        return Work(forward_passes(uniform(len(steps), self._best(steps)), steps), pullback=1)


def _run(
    problem: Problem, leaves: Parameters, draw: Draw, segments: list[list[Step]], ran: list[float]
) -> Any:
    """The outputs; `ran` gets the cost of each step that is run, now and on the way back."""
    from torch.utils.checkpoint import checkpoint

    h = draw.arrays["inputs"]
    for segment in segments[:-1]:
        run = _forward(problem, leaves, draw, segment, ran)
        h = checkpoint(run, h, use_reentrant=False, preserve_rng_state=False)
    return _forward(problem, leaves, draw, segments[-1], ran)(h)


def _forward(
    problem: Problem, leaves: Parameters, draw: Draw, segment: list[Step], ran: list[float]
) -> Callable[[Any], Any]:
    """The function of one segment."""
    layers: Any = problem.layers

    def run(h: Any) -> Any:
        for step in segment:
            ran.append(step.cost)
            for named in layers[step.start : step.stop]:
                h, _ = named.layer.forward(named.own(leaves), h, draw)
        return h

    return run
