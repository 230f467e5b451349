"""Layers that open a network: its inputs, or offsets at its pre-activations, become parameters.

They turn input gradients, and the error signals delta_l = dL/dz_l, into ordinary gradients.
"""

from dataclasses import dataclass, replace
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.layer import Affine, NamedLayer, Nodal, Own
from problems.layers.chain import Chain
from problems.layers.coupling import Coupling
from problems.layers.lstm import LSTM
from problems.layers.offset_within import OffsetWithin
from problems.layers.recurrent import Recurrent
from problems.layers.residual import Residual


@dataclass(frozen=True)
class Given:
    """y = the parameter ``inputs``, whatever comes in.

    Raises `UsageError` for a draw of another number of rows, as `Offset` does.
    """

    rows: int
    units: int
    arrays: Arrays
    pulls_several = True

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """(rows, units)."""
        return {"inputs": (self.rows, self.units)}

    def flops(self, rows: int) -> float:
        """Zero."""
        return 0.0

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """Zero."""
        return 0.0

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, units)."""
        return self.rows, self.units

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """The parameter itself."""
        _check_rows(x, self.rows)
        return p["inputs"], None

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """d inputs = dy."""
        return None, {"inputs": dy}

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy = d inputs."""
        return dp["inputs"] if dp else None

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dy = d inputs, whatever comes in."""
        return dp["inputs"] if dp else None


@dataclass(frozen=True)
class Offset:
    """y = x + the parameter ``offset``, one number for each node."""

    rows: int
    units: int
    arrays: Arrays
    pulls_several = True

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """(rows, units)."""
        return {"offset": (self.rows, self.units)}

    def flops(self, rows: int) -> float:
        """Zero."""
        return 0.0

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """Zero."""
        return 0.0

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """(rows, units)."""
        return self.rows, self.units

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """x + offset."""
        self.check_rows(x)
        return x + p["offset"], None

    def check_rows(self, x: Array) -> None:
        """Raise `UsageError` where x has another number of rows."""
        _check_rows(x, self.rows)

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx = dy, d offset = dy."""
        return dy, {"offset": dy}

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy = dx + d offset."""
        if not dp:
            return dx
        return dp["offset"] if dx is None else dx + dp["offset"]

    def difference(
        self, p: Own, x: Array, y: Array, dx: Array | None, draw: Draw, dp: Own | None = None
    ) -> Array | None:
        """dy = dx + d offset."""
        return self.pushforward(p, None, dx, dp)


def with_offsets(
    layers: tuple[NamedLayer, ...], input_shape: tuple[int, int], arrays: Arrays, lead: str = ""
) -> tuple[tuple[NamedLayer, ...], dict[str, tuple[int, int]]]:
    """`layers` with an offset at the nodes of each, and the offsets' shapes by their full names.

    It stands behind the layer whose output the nodes are, and inside of one that is unrolled in time. Layers
    inside of others are known by their place where these run them in order.
    """
    found: list[NamedLayer] = []
    shapes: dict[str, tuple[int, int]] = {}
    for named in layers:
        layer, output_shape = named.layer, named.layer.output_shape(input_shape)
        if isinstance(layer, Chain | Residual | Coupling):
            within = f"{lead}{named.prefix}." if named.prefix else lead
            rows, units = input_shape
            # The two layers of a coupling take one half of the units each, and give as many.
            taken = (rows, units // 2) if isinstance(layer, Coupling) else input_shape
            inner, inside = with_offsets(layer.inner, taken, arrays, within)
            found.append(NamedLayer(named.prefix, replace(layer, inner=inner)))
            shapes |= inside
        elif isinstance(layer, Affine | Nodal):
            unrolled = isinstance(layer, Recurrent | LSTM)
            shape = layer.nodes_shape(input_shape) if isinstance(layer, Recurrent | LSTM) else output_shape
            prefix = f"nodes.{named.prefix.removeprefix('layers.').removesuffix('_')}"
            both = (named, NamedLayer(prefix, Offset(*shape, arrays)))
            found += [NamedLayer("", OffsetWithin(both, arrays))] if unrolled else both
            shapes[f"{lead}{prefix}.offset"] = shape
        else:
            found.append(named)
        input_shape = output_shape
    return tuple(found), shapes


def _check_rows(x: Array, rows: int) -> None:
    """A single row would be broadcast without a word."""
    if x.shape[-2] != rows:
        raise UsageError(
            f"a network that was opened has parameters for its {rows} rows and cannot take {x.shape[-2]}: "
            "open it again at another draw."
        )
