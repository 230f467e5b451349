"""Normalisations with constants for statistics: measured once, where the network stands."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, cast

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.layer import Composite, NamedLayer, Own
from problems.layers.batch_norm import BatchNorm
from problems.layers.layer_norm import LayerNorm
from problems.layers.standardising import Statistics
from problems.network import Network

Change = Callable[[str, Any], Any]
"""From a layer and its full prefix to the layer that is to take its place."""


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

    replace(network, layers=_changed(network.layers, watched)).outputs(network.parameters)
    return replace(network, layers=_changed(network.layers, held))


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


def _changed(layers: tuple[NamedLayer, ...], change: Change, lead: str = "") -> tuple[NamedLayer, ...]:
    """`layers` with each that holds no layers replaced by what `change` makes of it."""
    made = []
    for each in layers:
        layer: Any = each.layer
        if isinstance(layer, Composite):
            layer = replace(cast(Any, layer), inner=_changed(layer.inner, change, f"{lead}{each.prefix}."))
        else:
            layer = change(lead + each.prefix, layer)
        made.append(NamedLayer(each.prefix, layer))
    return tuple(made)
