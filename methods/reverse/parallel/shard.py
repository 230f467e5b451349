"""What one worker of `data_parallel_backprop` does: the gradient of its rows, added to those of the others.

With n_k of the n rows at worker k, and a loss that is a mean over rows,

    L = sum over k of (n_k / n) L_k,   dL/dp = sum over k of (n_k / n) dL_k/dp,

however unequal the shards are; a worker without rows adds zeros. Without weights each counts 1 / K.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared
from methods.reverse.backprop import Backprop
from methods.reverse.parallel.answer import shapes_of, views
from methods.reverse.parallel.group import Compute, Group
from methods.reverse.parallel.parcel import Piece
from methods.reverse.parallel.splitting import spans


@dataclass(frozen=True)
class Shards:
    """Each worker takes a span of the rows."""

    piece: Piece
    weighted: bool = True

    def bind(self, group: Group) -> Compute:
        """The worker's span, by `backprop`, which is prepared when the number of its rows is new."""
        prepared: dict[int, Prepared] = {}

        def compute(parameters: Mapping[str, Array], draw: Draw, out: Any, seed: int = 0) -> None:
            start, stop = spans(draw.count, group.workers)[group.rank]
            # Of what all see, one worker writes the sum; the others' parts are their own.
            mine = out if group.rank == 0 or not group.shared else out.new_empty(out.shape)
            if start == stop:
                mine.zero_()
            else:
                shard = draw.rows(start, stop)
                if shard.count not in prepared:
                    prepared.clear()
                    prepared[shard.count] = _prepared(self.piece, parameters, shard)
                weight = shard.count / draw.count if self.weighted else 1 / group.workers
                _write(prepared[shard.count](parameters, draw=shard), mine, weight)
            group.add(mine)

        return compute


def _prepared(piece: Piece, parameters: Mapping[str, Array], shard: Draw) -> Prepared:
    bound: Any = replace(piece, parameters=dict(parameters), default_draw=shard)
    return Backprop().prepare(bound)


def _write(estimate: Estimate, out: Any, weight: float) -> None:
    """The weighted gradient and loss into `out`."""
    import torch

    parts = views(out, shapes_of(estimate.gradient))
    for name, array in estimate.gradient.items():
        parts[name].copy_(torch.as_tensor(array))
    out[-1] = float(estimate.value)  # type: ignore[arg-type]
    out.mul_(weight)
