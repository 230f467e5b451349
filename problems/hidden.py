"""One hidden layer as deep networks have it: a matrix, a normalisation, an activation, dropout."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Arrays
from gradmark.layer import NamedLayer
from problems.layers.activation import Activation
from problems.layers.batch_norm import BatchNorm
from problems.layers.dense import Dense
from problems.layers.dropout import Dropout
from problems.layers.layer_norm import LayerNorm
from problems.layers.linear import Linear


@dataclass(frozen=True)
class Hidden:
    """What stands in every hidden layer: the choices of a factory."""

    activation: str
    normalisation: str
    dropout: float
    arrays: Arrays

    def layers(self, fan_in: int, fan_out: int, mask: str) -> list[Any]:
        """Those of one hidden layer; `mask` names its dropout's array in the draw.

        Before batch normalisation the matrix has no bias: the mean over the rows would take it off again, and
        its gradient would be zero.
        """
        affine = Linear if self.normalisation == "batch" else Dense
        found: list[Any] = [affine(fan_in, fan_out, self.arrays)]
        if self.normalisation != "none":
            normalisation = BatchNorm if self.normalisation == "batch" else LayerNorm
            found.append(normalisation(fan_out, self.arrays))
        found.append(Activation(self.activation, self.arrays))
        if self.dropout:
            found.append(Dropout(fan_out, self.dropout, mask, self.arrays))
        return found

    def numbers(self, count: int, width: int, batch: int) -> int:
        """How many numbers are in `count` hidden layers beside their matrices and biases.

        Python's own objects are counted too, or a million layers of one unit would seem to be small.
        """
        scale_and_shift = 2 if self.normalisation != "none" else 0
        return count * (width * (scale_and_shift + (batch if self.dropout else 0)) + _OBJECTS)


_OBJECTS = 256
"""Numbers of 16 bytes that the objects of one hidden layer take beside its arrays."""


def numbered(layers: Iterable[Any], lead: str = "") -> tuple[NamedLayer, ...]:
    """`layers` under the prefixes `lead` and 0, 1, 2, as in a torch Sequential."""
    return tuple(NamedLayer(f"{lead}{index}", layer) for index, layer in enumerate(layers))
