"""Networks with layers exchanged for others, those inside of composite layers among them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from gradmark.layer import Composite, NamedLayer

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
