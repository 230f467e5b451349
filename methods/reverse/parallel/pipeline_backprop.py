"""Pipelined backpropagation: each worker has some of the layers, and takes one micro-batch after the other.

Activations go to the stage behind and deltas to the stage before, by torch.distributed's send and receive, in
the order that `schedule.py` says. Micro-batch m, with n_m of the n rows, counts n_m / n, so that

    dL/dp = sum over m of (n_m / n) dL_m/dp

is exact, as long as no layer couples rows. A stage is idle for (K - 1) / (M + K - 1) of the time, where all K
stages take equally long.
"""

from dataclasses import dataclass

from gradmark.arguments import check_name, check_number, check_size, check_switch
from gradmark.claims import Biased, Claims, Exact, Growth
from gradmark.method import Prepared, Want, check_supported
from gradmark.problem import Problem
from gradmark.structure import state_shapes
from gradmark.work import Work
from methods.reverse.parallel.joined import Joined, group_size
from methods.reverse.parallel.parcel import Piece
from methods.reverse.parallel.reasons import TIMEOUTS, reason
from methods.reverse.parallel.schedule import KINDS, Kind
from methods.reverse.parallel.spawned import Spawned
from methods.reverse.parallel.splitting import balanced
from methods.reverse.parallel.stage import Stages


@dataclass(frozen=True)
class PipelineBackprop:
    """The delta recursion with the layers on `stages` processes, rows in up to `micro_batches` parts.

    Stages have about the same number of operations in their matrix products. `schedule` is gpipe or 1f1b.
    Processes, groups that exist already, `timeout` and `local_statistics` (which here are those of each
    micro-batch) are as in `methods.reverse.parallel.data_parallel_backprop.DataParallelBackprop`.
    """

    stages: int = 2
    micro_batches: int = 4
    schedule: Kind = "gpipe"
    timeout: float = 60.0
    local_statistics: bool = False

    def __post_init__(self) -> None:
        check_size("pipeline_backprop", "stages", self.stages)
        check_size("pipeline_backprop", "micro_batches", self.micro_batches)
        check_name("schedule", self.schedule, KINDS)
        check_number("pipeline_backprop", "timeout", self.timeout, *TIMEOUTS)
        check_switch("pipeline_backprop", "local_statistics", self.local_statistics)

    @property
    def claims(self) -> Claims:
        """Exact, unless micro-batches are normalised by themselves; one pass forward and one back in all."""
        return Claims(
            family="reverse",
            exactness=Biased("each micro-batch is normalised by its own rows", random=False)
            if self.local_statistics
            else Exact(),
            reads=frozenset({"loss", "pullback"}),
            growth=Growth(
                passes=0,
                time={"parameters": 1, "batch": 1, "depth": 1},
                memory={"parameters": 1, "batch": 1, "depth": 1},
            ),
            work=lambda problem: Work(forward=1, pullback=1),
            backends=frozenset({"numpy", "torch"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs a layer for each stage; a parameter must not be used by layers of several stages."""
        stages = self._count()
        parts = self.micro_batches if self.local_statistics else None
        if found := reason(self, problem, want, stages, parts):
            return found
        if (layers := len(problem.layers or ())) < stages:
            return f"{stages} stages need a layer each, and it has {layers}"
        owners: dict[str, int] = {}
        for stage, (start, stop) in enumerate(stages_of(problem, stages)):
            for named in (problem.layers or ())[start:stop]:
                for name in named.names.values():
                    if owners.setdefault(name, stage) != stage:
                        return f"{name} is used in stage {owners[name]} and in stage {stage}"
        return None

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Start the workers, unless there are some already, and send them the layers."""
        check_supported(self, problem, want)
        stages = self._count()
        program = Stages(Piece.of(problem), stages_of(problem, stages), self.micro_batches, self.schedule)
        if group_size() is not None:
            return Joined(problem, program, self.timeout)
        return Spawned(problem, program, stages, self.timeout)

    def _count(self) -> int:
        """As many as there are processes in a group that exists already."""
        return group_size() or self.stages


def stages_of(problem: Problem, stages: int) -> tuple[tuple[int, int], ...]:
    """The spans of layers, balanced by the matrix products of their forward passes over the default draw."""
    layers = problem.layers or ()
    shapes = state_shapes(layers, problem.default_draw.arrays["inputs"].shape)
    costs = [named.layer.flops(rows) for named, (rows, _) in zip(layers, shapes[:-1], strict=True)]
    return balanced(costs, stages)
