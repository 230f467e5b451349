"""Normalisations with constants for statistics: measured once, where the network stands."""

from dataclasses import dataclass, replace
from typing import Any, cast

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.exchange import exchanged
from gradmark.layer import Own
from problems.layers.batch_norm import BatchNorm
from problems.layers.layer_norm import LayerNorm
from problems.layers.standardising import Statistics
from problems.network import Network


def frozen(network: Network) -> Network:
    """The network in which every normalisation keeps the statistics that it has now.

    They are those of the default draw at the network's parameters. There, what a normalisation makes of the
    draw is the same as before (of layer normalisation, up to what the rows differ), and its derivative is
    that without the statistics'.
    """
    found: dict[str, Statistics] = {}

    def watched(prefix: str, layer: Any) -> Any:
        return _Measuring(layer, prefix, found) if isinstance(layer, BatchNorm | LayerNorm) else layer

    def held(prefix: str, layer: Any) -> Any:
        return replace(layer, statistics=found[prefix]) if prefix in found else layer

    replace(network, layers=exchanged(network.layers, watched)).outputs(network.parameters)
    return replace(network, layers=exchanged(network.layers, held))


@dataclass(frozen=True)
class _Measuring:
    """A normalisation in a forward pass that writes down its statistics."""

    layer: Any
    prefix: str
    found: dict[str, Statistics]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return cast(dict[str, tuple[int, ...]], self.layer.shapes())

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        self.found[self.prefix] = self.layer.measured(x)
        return cast(tuple[Array, Any], self.layer.forward(p, x, draw))
