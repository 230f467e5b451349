"""Networks with layers exchanged for others, those inside of composite layers among them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any, cast

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.layer import Composite, NamedLayer, Own

Change = Callable[[str, Any], Any]
"""From the full prefix of a layer, and the layer, to the one that takes its place (it may be the same)."""


def exchanged(layers: tuple[NamedLayer, ...], change: Change, lead: str = "") -> tuple[NamedLayer, ...]:
    """`layers` with what `change` makes of each that holds no layers itself."""
    return tuple(NamedLayer(each.prefix, _exchanged(each, change, lead)) for each in layers)


def _exchanged(named: NamedLayer, change: Change, lead: str) -> Any:
    if not isinstance(named.layer, Composite):
        return change(lead + named.prefix, named.layer)
    within = f"{lead}{named.prefix}." if named.prefix else lead
    return replace(cast(Any, named.layer), inner=exchanged(named.layer.inner, change, within))


def watched(
    layers: tuple[NamedLayer, ...], asked: Collection[str]
) -> tuple[tuple[NamedLayer, ...], dict[str, Any]]:
    """`layers` for one forward pass, and what those under the full prefixes `asked` will have saved in it."""
    seen: dict[str, Any] = {}

    def change(prefix: str, layer: Any) -> Any:
        return _Watched(layer, prefix, seen) if prefix in asked else layer

    return exchanged(layers, change), seen


@dataclass(frozen=True)
class _Watched:
    """A layer in a forward pass that writes down what it saved."""

    layer: Any
    prefix: str
    seen: dict[str, Any]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        return dict(self.layer.shapes())

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        y, saved = self.layer.forward(p, x, draw)
        self.seen[self.prefix] = saved
        return y, saved
