"""What one worker of `distributed_es` does: the losses of its members, and the sum of all or of its own.

Members are in blocks whose bounds depend on everything but the workers, a span of whole blocks each. So each
loss is computed alike whoever computes it, and the sum is made block by block in the order of the members.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.noise import WeightedSum, noise_rows
from gradmark.parameters import size
from gradmark.population import evaluator, members_per_chunk
from gradmark.problem import Problem
from methods.evolution.mirrored import mirrored
from methods.evolution.shaping import shaped
from methods.reverse.parallel.answer import sum_dtype
from methods.reverse.parallel.group import Compute, Group
from methods.reverse.parallel.splitting import spans

EXCHANGES = ("losses", "sums")
_BLOCKS = 8
"""Blocks of a population at least: each costs as many calls as a whole one does, and workers need some each.
Large members are in many more, for few of them fit into a chunk."""


@dataclass(frozen=True)
class Share:
    """Each worker takes a span of the pairs; `piece` is the problem without numbers."""

    piece: Problem
    pairs: int
    sigma: float
    law: str
    shaping: str
    exchange: str

    def bind(self, group: Group) -> Compute:
        """The worker's span of each call."""
        evaluate = evaluator(self.piece)

        def compute(parameters: Mapping[str, Array], draw: Draw, out: Any, seed: int = 0) -> None:
            number = size(parameters)
            block = min(members_per_chunk(self.piece, draw, number), -(-self.pairs // _BLOCKS))
            noise = partial(noise_rows, self.piece.arrays, self.law, seed, size=number, chunk=block)
            losses = partial(mirrored, evaluate, self.piece, dict(parameters), draw, sigma=self.sigma)
            _Call(self, group, block, noise, losses, self._empty_sum(number)).write(out[:-1])

        return compute

    def _empty_sum(self, number: int) -> WeightedSum:
        """Of the dtype in which the workers' parts are added."""
        arrays = self.piece.arrays
        return WeightedSum(Arrays(arrays.backend, arrays.device, sum_dtype(arrays.dtype)), number)


@dataclass
class _Call:
    """One call: `noise` makes members, `evaluated` their losses, `total` is the sum so far."""

    share: Share
    group: Group
    block: int
    noise: Callable[..., Iterator[Array]]
    evaluated: Callable[..., Iterator[tuple[Array, Array, Array]]]
    total: WeightedSum

    def __post_init__(self) -> None:
        pairs, blocks = self.share.pairs, -(-self.share.pairs // self.block)
        own = spans(blocks, self.group.workers)[self.group.rank]
        self.start, self.stop = (min(self.block * each, pairs) for each in own)
        self.plain = self.share.shaping == "identity"

    def write(self, out: Any) -> None:
        """The estimate into the tensor `out`, flat; of what all see, the first worker writes it."""
        mine = self.group.rank == 0 or not self.group.shared
        if self.share.exchange == "sums":
            self._by_sums(out if mine else out.new_empty(out.shape))
        else:
            self._by_losses(out if mine else None)

    def _by_losses(self, out: Any) -> None:
        """All losses, then the sum over all members in order, in which the first worker's come at once.

        A worker has zeros for the losses of others, so that the sum over workers is all of them.
        """
        at_once = self.plain and self.start == 0 and out is not None
        losses = self._losses(at_once)
        self.group.add(losses)
        if out is not None:
            self._add(losses, self.stop if at_once else 0, self.share.pairs)
            out.copy_(self._estimate())

    def _by_sums(self, out: Any) -> None:
        """The sum over the own members, added to those of the others; losses where their ranks matter."""
        losses = self._losses(self.plain)
        if not self.plain:
            self.group.add(losses)
            self._add(losses, self.start, self.stop)
        out.copy_(self._estimate())
        self.group.add(out)

    def _losses(self, at_once: bool) -> Any:
        """Those of the own pairs, above and below each other, and zeros for all others; added up or not."""
        import torch

        losses = torch.zeros((2, self.share.pairs), dtype=torch.float64, device=self._arrays_device)
        start = self.start
        for e, above, below in self.evaluated(moves=lambda: self._members(self.start, self.stop)):
            here = losses[:, start : start + e.shape[0]]
            here[0], here[1] = torch.as_tensor(above), torch.as_tensor(below)
            if at_once:
                self.total.add(above - below, e)
            start += e.shape[0]
        return losses

    def _add(self, losses: Any, start: int, stop: int) -> None:
        """The members from `start` to `stop` - 1, made again, with weights from the losses of all."""
        if start == stop:
            return
        arrays = self.share.piece.arrays
        above, below = shaped(arrays, self.share.shaping, arrays.array(losses.cpu().numpy()))
        weights = above - below
        for e in self._members(start, stop):
            self.total.add(weights[start : start + e.shape[0]], e)
            start += e.shape[0]

    def _estimate(self) -> Any:
        import torch

        return torch.as_tensor(self.total.divided(2 * self.share.pairs * self.share.sigma))

    def _members(self, start: int, stop: int) -> Iterator[Array]:
        return self.noise(number=stop - start, first=start)

    @property
    def _arrays_device(self) -> str:
        arrays = self.share.piece.arrays
        return arrays.device if arrays.backend == "torch" else "cpu"
