"""What one may ask of a network's layers as a whole: `layer` has the protocols of a single one."""

from collections.abc import Sequence
from itertools import pairwise

from gradmark.criterion import Criterion, InPlaceCriterion
from gradmark.layer import Composite, CouplesRows, InPlace, NamedLayer, PullsSeveral

Shape = tuple[int, int]


def state_shapes(layers: Sequence[NamedLayer], inputs: Sequence[int]) -> list[Shape]:
    """The shapes (rows, units) before the first layer and behind each one, for data of the shape `inputs`."""
    rows, units = inputs
    shapes = [(int(rows), int(units))]
    for named in layers:
        shapes.append(named.layer.output_shape(shapes[-1]))
    return shapes


def flattened(layers: tuple[NamedLayer, ...] | None) -> tuple[NamedLayer, ...]:
    """All layers with those inside of composite ones, outer before inner, under their full prefixes."""
    found: list[NamedLayer] = []
    for named in layers or ():
        found.append(named)
        if isinstance(named.layer, Composite):
            lead = f"{named.prefix}." if named.prefix else ""
            found += [NamedLayer(lead + each.prefix, each.layer) for each in flattened(named.layer.inner)]
    return tuple(found)


def rows_are_coupled(layers: tuple[NamedLayer, ...] | None) -> str | None:
    """The prefix of the first layer that couples the rows of a batch; None where no layer does."""
    for each in flattened(layers):
        if isinstance(each.layer, CouplesRows) and each.layer.couples_rows:
            return each.prefix
    return None


def lacks_pushforward(layers: tuple[NamedLayer, ...] | None) -> str | None:
    """The prefix of the first layer without a pushforward; None where all have one."""
    every = flattened(layers)
    return next((each.prefix for each in every if not hasattr(each.layer, "pushforward")), None)


def pulls_several(layers: tuple[NamedLayer, ...] | None) -> bool:
    """Whether the pullback of every layer takes several cotangents at once."""
    every = [each.layer for each in flattened(layers)]
    return all(isinstance(layer, PullsSeveral) and layer.pulls_several for layer in every)


def all_in_place(layers: tuple[NamedLayer, ...] | None, criterion: Criterion | None) -> bool:
    """Whether layers and criterion can work in buffers that are allocated once.

    They can't where a parameter is used twice, because its gradients are then to be added; nor where a layer
    would overwrite the data, or the outputs that the layer before it still needs.
    """
    if not layers or not isinstance(criterion, InPlaceCriterion):
        return False
    able = [each.layer for each in layers if isinstance(each.layer, InPlace) and each.layer.works_in_place]
    used = [full for each in layers for full in each.names.values()]
    if len(able) < len(layers) or len(set(used)) < len(used):
        return False
    overwrites = [True, *(layer.overwrites_input for layer in able)]
    return not any(before and here for before, here in pairwise(overwrites))
