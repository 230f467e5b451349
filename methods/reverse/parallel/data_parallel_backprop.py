"""Data-parallel backpropagation: each worker has some of the rows, and all parameters.

With n_k of the n rows at worker k,

    dL/dp = sum over k of (n_k / n) dL_k/dp,

which is the gradient of all rows exactly, however unequal the shards are, as long as no layer couples rows.
The sum is an all-reduce of torch.distributed (gloo on CPUs, nccl on GPUs).
"""

from dataclasses import dataclass

from gradmark.arguments import check_number, check_size, check_switch
from gradmark.claims import Biased, Claims, Exact, Growth
from gradmark.method import Prepared, Want, check_supported
from gradmark.problem import Problem
from gradmark.work import Work
from methods.reverse.parallel.joined import Joined, group_size
from methods.reverse.parallel.parcel import Piece
from methods.reverse.parallel.reasons import TIMEOUTS, reason
from methods.reverse.parallel.shard import Shards
from methods.reverse.parallel.spawned import Spawned


@dataclass(frozen=True)
class DataParallelBackprop:
    """`backprop` of shards of the rows, on `workers` processes of one thread each.

    The processes are started by `prepare` (see `methods.reverse.parallel.spawned.Spawned` for `close` and
    `seconds`). In a process that torchrun started, or that is in a group of torch.distributed already, that
    group is used instead, whatever its size; all of its processes are to make the same calls, and each gets
    the whole gradient. `timeout` are the seconds that a call may take before `WorkerError` is raised; it is
    also raised where a worker ends or raises.

    `local_statistics` allows layers that couple rows, such as batch normalisation: each worker then
    normalises by its own rows, as is usual in practice, and the gradient is another one. So it is with
    `weighted` off, the plain mean of the shards' gradients, where the workers do not have equally many rows.
    """

    workers: int = 2
    timeout: float = 60.0
    local_statistics: bool = False
    weighted: bool = True

    def __post_init__(self) -> None:
        check_size("data_parallel_backprop", "workers", self.workers)
        check_number("data_parallel_backprop", "timeout", self.timeout, *TIMEOUTS)
        check_switch("data_parallel_backprop", "local_statistics", self.local_statistics)
        check_switch("data_parallel_backprop", "weighted", self.weighted)

    @property
    def claims(self) -> Claims:
        """Exact, with weights and without statistics of shards; one pass forward and one back in all."""
        return Claims(
            family="reverse",
            exactness=Biased(" and ".join(bias), random=False) if (bias := self._bias()) else Exact(),
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
        """It needs layers that can be sent to another process and do not couple rows."""
        parts = group_size() or self.workers
        return reason(self, problem, want, self.workers, parts if self.local_statistics else None)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Start the workers, unless there are some already, and send them the layers."""
        check_supported(self, problem, want)
        program = Shards(Piece.of(problem), self.weighted)
        if group_size() is not None:
            return Joined(problem, program, self.timeout)
        return Spawned(problem, program, self.workers, self.timeout)

    def _bias(self) -> list[str]:
        """What makes the gradient another one."""
        local = ["each worker normalises by its own rows"] if self.local_statistics else []
        return local if self.weighted else [*local, "large shards count no more than small ones"]
