"""Patterns of signs for the nodes of a network: rows of a Hadamard matrix, a column for each node of a block.

Nodes at the same place of different blocks have the same column, for no loss depends on two of them; but each
has a sign of its own, without which what a part of the rows leaves would be alike in all blocks and add up.
Every n patterns are one round, with columns, signs and an order of its own, taken at random. Whole rounds
leave nothing: without a seed all blocks move alike, and what a block's loss says of its nodes does not depend
on the other blocks that there are.
"""

from functools import cached_property
from typing import Any

import numpy as np

from gradmark.nodes import Nodes
from gradmark.parameters import size
from gradmark.random import stream
from methods.evolution.structured.hadamard_orders import order_from, rows_of


class Patterns:
    """The patterns of a seed for `nodes`, in the order of `activity_passes.Steps`: any part by itself."""

    def __init__(self, nodes: Nodes, seed: int | None) -> None:
        others = size({name: nodes.problem.parameters[name] for name in nodes.others})
        self._sizes = [(site.blocks, site.directions) for site in nodes.sites] + [(1, others)]
        self._seed, self._directions = seed, nodes.directions
        self._together = order_from(nodes.directions)
        self._kept: tuple[int, Any] = (-1, None)

    @cached_property
    def width(self) -> int:
        """How many numbers a pattern has: one for each node of each block, and for what moves itself."""
        return sum(blocks * directions for blocks, directions in self._sizes)

    def write(self, start: int, stop: int, scale: float, out: Any) -> None:
        """Patterns `start` to `stop` - 1 times `scale` into `out`, (stop - start, `width`)."""
        done = 0
        while done < stop - start:
            begun, offset = divmod(start + done, self._together)
            number = min(self._together - offset, stop - start - done)
            signs, columns, order = self._round(begun)
            rows = (
                scale
                * rows_of(order[offset : offset + number], self._together)[:, columns[: self._directions]]
            )
            self._spread(rows.astype(out.dtype), signs.astype(out.dtype), out[done : done + number])
            done += number

    def _spread(self, rows: Any, signs: Any, out: Any) -> None:
        """`rows` (k, directions) to all blocks, with the sign of each."""
        first = at = 0
        for blocks, directions in self._sizes:
            stop = at + blocks * directions
            into = out[:, at:stop].reshape(len(rows), blocks, directions)
            part = rows[:, None, first : first + directions]
            np.multiply(part, signs[at:stop].reshape(blocks, directions), out=into)
            first, at = first + directions, stop

    def _round(self, number: int) -> Any:
        """Signs, columns and order; those asked for last are kept."""
        if self._kept[0] != number:
            random = stream(self._seed or 0, "noise", number)
            columns, order = random.permutation(self._together), random.permutation(self._together)
            signs = (2 * random.integers(0, 2, self.width) - 1).astype(np.int8)
            if self._seed is None:
                signs = np.ones_like(signs)
            self._kept = (number, (signs, columns, order))
        return self._kept[1]
