"""Distributed evolution strategies: workers make each other's noise again and exchange losses alone.

    g_hat = 1/(2 M sigma) sum over M pairs of (f(x + sigma e_m) - f(x - sigma e_m)) e_m

(Salimans, Ho, Chen, Sidor and Sutskever 2017). Member m's noise is made from (seed, m), by whoever needs it:
a worker evaluates its own members, all exchange the N = 2 M losses, N numbers instead of P, and the sum is
made from the noise of all members, which is made again. That noise is the price: with K workers the time is

    T_evaluate / K + T_noise      instead of      T_evaluate + T_noise,

so that workers help where evaluations are dearer than noise. To exchange the workers' sums instead, P numbers
once, divides all of it by K. The former gives the same estimate to the bit for any K, the latter to rounding.
"""

from dataclasses import dataclass, replace

from gradmark.arguments import check_name, check_number, check_positive, check_size
from gradmark.claims import Claims, Target, Unbiased
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import Work, count
from methods.evolution.calling import against_moves, black_box_claims
from methods.evolution.distributed.share import EXCHANGES, Share
from methods.evolution.shaping import SHAPINGS
from methods.reverse.parallel.answer import carried, shapes_of, views
from methods.reverse.parallel.group import Group
from methods.reverse.parallel.joined import Joined, group_size
from methods.reverse.parallel.parcel import reason_against, without_numbers
from methods.reverse.parallel.reasons import TIMEOUTS, of_arrays
from methods.reverse.parallel.spawned import Spawned

LAWS = ("gaussian", "rademacher")


@dataclass(frozen=True)
class DistributedES:
    """`pairs` mirrored moves of standard deviation `sigma`, shared out to `workers` processes of one thread.

    The estimate is that of `gaussian_es`, or with the `law` rademacher of `spsa`, of the same seed. Processes
    are started by `prepare` (see `methods.reverse.parallel.spawned.Spawned` for `close` and `seconds`); one
    worker is this process. In a process that torchrun started, or that is in a group of torch.distributed
    already, that group is used instead, whatever its size: all of its processes are to make the same calls,
    and each gets the whole estimate. `timeout` are the seconds that a call may take before `WorkerError` is
    raised; it is also raised where a worker ends or raises. `exchange` is what workers send each other,
    `losses` or `sums`; `shaping` what is done to the losses first (`methods.evolution.shaping`).
    """

    pairs: int = 64
    sigma: float = 0.01
    workers: int = 2
    law: str = "gaussian"
    shaping: str = "identity"
    exchange: str = "losses"
    timeout: float = 60.0

    def __post_init__(self) -> None:
        check_size("distributed_es", "pairs", self.pairs)
        check_positive("distributed_es", "sigma", self.sigma)
        check_size("distributed_es", "workers", self.workers)
        check_name("law", self.law, LAWS)
        check_name("shaping", self.shaping, SHAPINGS)
        check_name("exchange", self.exchange, EXCHANGES)
        check_number("distributed_es", "timeout", self.timeout, *TIMEOUTS)

    @property
    def claims(self) -> Claims:
        """Those of `gaussian_es` and `spsa`: so many workers change the time alone."""
        fewer = 1 if self.law == "rademacher" else -1
        exactness = Unbiased("pairs", lambda number: number - fewer)
        target = Target("smoothed gradient", self.law, self.sigma)
        claims = black_box_claims(exactness, target, 2 * self.pairs, self.shaping)
        return replace(claims, backends=frozenset({"numpy", "torch"}))

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem that can be sent to another process and whose domain has no bounds."""
        found = against_moves(problem) or unsupported(self, problem, want) or of_arrays(problem, self.workers)
        if found or self._alone or group_size() is not None:
            return found
        unsent = reason_against(without_numbers(problem))
        return unsent and f"its loss cannot be sent to another process ({unsent}); workers=1 starts none"

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Start the workers, unless there are some already, and send them the problem without its numbers."""
        check_supported(self, problem, want)
        piece = problem if self._alone else without_numbers(problem)
        program = Share(piece, self.pairs, self.sigma, self.law, self.shaping, self.exchange)
        if self._alone:
            return Joined(problem, program, self.timeout, self._read, Group(0, 1))
        if group_size() is not None:
            return Joined(problem, program, self.timeout, self._read)
        return Spawned(problem, program, self.workers, self.timeout, self._read)

    @property
    def _alone(self) -> bool:
        return self.workers == 1 and group_size() is None

    def _read(self, problem: Problem, draw: Draw, flat: object) -> Estimate:
        """The estimate of what the workers wrote; their passes cannot be counted here, and are declared."""
        passes = 2 * self.pairs * share_of_rows(problem, draw)
        count(forward=passes)
        named = views(carried(problem, flat), shapes_of(problem.parameters))
        return Estimate(named, None, Work(forward=passes, declared=True))
