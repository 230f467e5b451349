"""Where a network's parameters enter: nodes that may be moved in place of the parameters behind them.

A node z (one unit's pre-activation in one row) is affine in the parameters of its layer and moves alone, so
that s = dL/dz at every node is all there is to know about them: the parameters' gradient is a local product
of s with what the layer saw, `gradmark.layer.Nodal.own_gradient`. ``opened("nodes")`` has a zero offset at
each node, of shape (rows, units).

Rows that do not influence each other are independent blocks: one direction for each position and unit, moved
in all blocks at once, tells s of every block, if the slope (or the change) of the loss is known block by
block. In a transformer a block is a sequence, whose positions are rows; where a layer couples the rows of a
batch (batch normalisation) there is one block, and every row is a position.

What has no nodes opened (a scale and shift behind a normalisation), more directions than parameters (the
kernels of a convolution; the projections of attention, where there are more positions than the width plus
one), or is used by several layers, moves itself: `Nodes.others`. Shapes decide it, layer by layer.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.exchange import watched
from gradmark.layer import Composite, NamedLayer, Nodal
from gradmark.parameters import Parameters, size
from gradmark.passes import Trace, share_of_rows
from gradmark.problem import Problem, at_draw
from gradmark.structure import flattened, rows_are_coupled
from gradmark.work import count


@dataclass(frozen=True)
class Site:
    """The nodes of one layer: the name and shape of their offset, and the layer under its full prefix."""

    offset: str
    shape: tuple[int, int]
    owner: NamedLayer
    blocks: int

    @property
    def positions(self) -> int:
        """How many rows a block has."""
        return self.shape[0] // self.blocks

    @property
    def directions(self) -> int:
        """One for each position and unit, positions outermost."""
        return self.positions * self.shape[1]

    def along(self, arrays: Arrays, like: Array, start: Any, number: int) -> Array:
        """Directions `start` to `start + number` - 1 as offsets, shape (number, rows, units), like `like`.

        Each is one at its position and unit in every block, zero elsewhere; beyond the last direction all is
        zero. `start` may be traced by JAX.
        """
        xp, (rows, units) = arrays.xp, self.shape
        unit = unit_vectors(arrays, like, self.directions, start, number)
        unit = xp.reshape(unit, (number, 1, self.positions, units))
        spread = xp.broadcast_to(unit, (number, self.blocks, self.positions, units))
        return xp.reshape(spread, (number, rows, units))

    def placed(self, arrays: Arrays, slopes: Array) -> Array:
        """s of the offset's shape, from what `by_block` says of all directions: (directions, blocks)."""
        xp = arrays.xp
        by_place = xp.reshape(slopes, (self.positions, self.shape[1], self.blocks))
        return xp.reshape(xp.permute_dims(by_place, (2, 0, 1)), self.shape)


@dataclass(frozen=True)
class Nodes:
    """A problem with its nodes opened for draws of as many rows as one has, and what to move in it.

    `problem` is the opened one; its default draw stays that of the problem it was made of, so that passes are
    counted in the rows of that. `names` are the parameters' own names, `others` those among them that move
    themselves.
    """

    problem: Problem
    names: tuple[str, ...]
    blocks: int
    sites: tuple[Site, ...]
    others: tuple[str, ...]

    @property
    def directions(self) -> int:
        """How many directions make the whole gradient."""
        own = size({name: self.problem.parameters[name] for name in self.others})
        return own + sum(site.directions for site in self.sites)

    def point(self, parameters: Parameters) -> dict[str, Array]:
        """`parameters` and the offsets, which are zero."""
        every = self.problem.parameters
        return {name: parameters.get(name, array) for name, array in every.items()}

    def by_block(self, of_rows: Array) -> Array:
        """The sums of numbers for the rows of the outputs over those of each block: (K, blocks)."""
        xp: Any = self.problem.arrays.xp
        number, rows = of_rows.shape
        return xp.sum(xp.reshape(of_rows, (number, self.blocks, rows // self.blocks)), axis=-1)

    def forward(self, point: Parameters, draw: Draw) -> tuple[Trace, dict[str, Any]]:
        """One forward pass, and what the owner of each offset saved in it, by the offset's name."""
        count(forward=share_of_rows(self.problem, draw))
        asked = {site.owner.prefix: site.offset for site in self.sites}
        h, saved, inputs = draw.arrays["inputs"], [], []
        seen: dict[str, Any] = {}
        for named, holds_layers in self._layers:
            # Only what is inside of others has to be listened to; the rest is seen here.
            (heard,), within = watched((named,), asked) if holds_layers else ((named,), {})
            inputs.append(h)
            h, kept = heard.layer.forward(named.own(point), h, draw)
            saved.append(kept)
            seen |= {named.prefix: kept} | within
        return Trace(h, tuple(saved), tuple(inputs)), {offset: seen[each] for each, offset in asked.items()}

    @cached_property
    def _layers(self) -> tuple[tuple[NamedLayer, bool], ...]:
        """The layers, and whether each holds others: to ask a protocol costs as much as a small product."""
        return tuple((each, isinstance(each.layer, Composite)) for each in self.problem.layers or ())

    def contracted(
        self, parameters: Parameters, seen: Mapping[str, Any], s: Mapping[str, Array]
    ) -> dict[str, Array]:
        """The gradient of the layers' own parameters, from s = dL/d(offset) at each site.

        Offsets that are parameters of the problem itself, because it was opened before, are among them.
        """
        gradient = {name: array for name, array in s.items() if name in self.names}
        for site in self.sites:
            layer: Any = site.owner.layer
            found = layer.own_gradient(site.owner.own(parameters), seen[site.offset], s[site.offset])
            gradient |= {site.owner.names[name]: array for name, array in found.items()}
        return gradient


def unit_vectors(arrays: Arrays, like: Array, size: int, start: Any, number: int) -> Array:
    """Unit vectors `start` to `start + number` - 1 of length `size`, like `like`; zero beyond the last."""
    # A traced array of JAX has no device: the compiler chooses it.
    xp, device = arrays.xp, None if arrays.backend == "jax" else like.device
    chosen = xp.arange(number, device=device)[:, None] + start
    return xp.astype(chosen == xp.arange(size, device=device)[None, :], like.dtype)


def against_nodes(problem: Problem) -> str | None:
    """Why the nodes of a problem cannot be moved, in words; None where they can."""
    if problem.layers is None:
        return f"{problem.call.name} has no layers, whose nodes could be moved"
    try:
        problem.opened("nodes")
    except UsageError as reason:
        return str(reason).removesuffix(".")
    return None


def nodes_of(problem: Problem, draw: Draw | None = None) -> Nodes:
    """The nodes of `problem` for draws of as many rows as `draw` has (None: its default draw)."""
    draw = draw or problem.default_draw
    opened = at_draw(at_draw(problem, draw).opened("nodes"), problem.default_draw)
    blocks = 1 if rows_are_coupled(opened.layers) is not None else draw.count
    sites = _cheaper(tuple(_sites(opened.layers, blocks)), opened.layers)
    covered = {name for site in sites for name in (site.offset, *site.owner.names.values())}
    names = tuple(problem.parameters)
    return Nodes(opened, names, blocks, sites, tuple(name for name in names if name not in covered))


def _sites(layers: tuple[NamedLayer, ...], blocks: int, lead: str = "") -> Iterator[Site]:
    """Every offset stands behind the layer that it belongs to, in the same sequence of layers."""
    before: NamedLayer | None = None
    for each in layers:
        named = NamedLayer(lead + each.prefix, each.layer)
        if isinstance(each.layer, Composite):
            yield from _sites(each.layer.inner, blocks, f"{named.prefix}." if each.prefix else lead)
        shapes = each.layer.shapes()
        if set(shapes) == {"offset"} and before is not None and isinstance(before.layer, Nodal):
            rows, units = shapes["offset"]
            yield Site(named.names["offset"], (rows, units), before, blocks)
        before = named


def _cheaper(sites: tuple[Site, ...], layers: tuple[NamedLayer, ...]) -> tuple[Site, ...]:
    """Those with no more directions than parameters, of layers that share none with others."""
    leaves = [each for each in flattened(layers) if not isinstance(each.layer, Composite)]
    used = Counter(name for each in leaves for name in each.names.values())
    return tuple(
        site
        for site in sites
        if site.directions <= sum(math.prod(shape) for shape in site.owner.layer.shapes().values())
        and all(used[name] == 1 for name in site.owner.names.values())
    )
