"""What a method may know of a network's structure: protocols for layers.

`criterion` has those for the loss at their end, `differenced` those for finite changes.

A layer holds its own mathematics. Its arrays have the rows of the batch as their last-but-one axis and the
units as their last; `p` are the layer's own parameters under their short names ("weight", "bias"). Any
leading axis is a population (in `forward`) or a set of tangents (in `pushforward`).

Units are flat: an image of C channels is C * height * width of them, a sequence of T steps given to a
recurrent layer T * features. Inside a transformer every position of every sequence is a row of its own, row
b's positions one after the other: so whatever works on rows works on positions.

Nobody inherits from these. The kinds of layer that methods ask for by ``isinstance`` are told by the members
they have, so a member's name is a promise: what has `fan_in` and `fan_out` is affine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

from gradmark.arrays import Array
from gradmark.criterion import Criterion as Criterion
from gradmark.criterion import InPlaceCriterion as InPlaceCriterion
from gradmark.draw import Draw

Own = Mapping[str, Array]


class Layer(Protocol):
    """One layer y = f(p, x) with its derivative in both directions."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the layer's parameters, by short name, in order."""

    def forward(self, p: Own, x: Array, draw: Draw) -> tuple[Array, Any]:
        """y = f(p, x), and what pullback and pushforward need of this evaluation."""

    def pullback(
        self, p: Own, saved: Any, dy: Array, *, input_gradient: bool = True
    ) -> tuple[Array | None, dict[str, Array]]:
        """dx = (df/dx)^T dy and dp = (df/dp)^T dy; dx is None where `input_gradient` is False."""

    def pushforward(self, p: Own, saved: Any, dx: Array | None, dp: Own | None) -> Array | None:
        """dy = (df/dx) dx + (df/dp) dp; None stands for zero. Tangents carry one leading axis."""

    def output_shape(self, input_shape: tuple[int, int]) -> tuple[int, int]:
        """The shape (rows, units) of y for an x of shape (rows, units)."""

    def flops(self, rows: int) -> float:
        """Floating-point operations of one forward pass over `rows` rows of x, matrix products only."""

    def pullback_flops(self, rows: int, *, input_gradient: bool = True) -> float:
        """Those of one pullback, matrix products only."""


@runtime_checkable
class Composite(Layer, Protocol):
    """A layer made of layers: `inner` is a field, in which they may be replaced by their like.

    The prefixes of `inner` are relative to its own: ``0`` for ``layers.3.0.weight`` in ``layers.3``.
    """

    inner: tuple["NamedLayer", ...]


@runtime_checkable
class Sampled(Layer, Protocol):
    """A layer that needs random numbers of its own (dropout), which a draw holds, one for each row."""

    def sample(self, random: Any, rows: int) -> dict[str, Any]:
        """Float64 NumPy arrays with `rows` (of the batch) leading, by their names in the draw."""


@runtime_checkable
class CouplesRows(Layer, Protocol):
    """A layer in which an output may depend on other rows than its own (batch normalisation)."""

    @property
    def couples_rows(self) -> bool:
        """Whether it does so as it is set."""


@runtime_checkable
class Widens(Layer, Protocol):
    """A layer that makes larger arrays on the way than its output (attention its scores)."""

    def widest(self, input_shape: tuple[int, int]) -> int:
        """How many numbers the largest one has for an x of shape (rows, units)."""


@runtime_checkable
class Affine(Layer, Protocol):
    """A layer z = x W^T + b, whose outputs are the nodes (pre-activations) of its units."""

    @property
    def fan_in(self) -> int:
        """How many inputs each unit has."""

    @property
    def fan_out(self) -> int:
        """How many units there are."""


@runtime_checkable
class Elementwise(Layer, Protocol):
    """A layer h = sigma(z) that acts on each number by itself."""

    def derivative(self, saved: Any) -> Array:
        """sigma'(z), with the shape of z."""


@runtime_checkable
class Nodal(Layer, Protocol):
    """A layer whose parameters enter through nodes: numbers that are affine in them, and that move alone.

    A node is one unit's pre-activation in one row (and, in a recurrent layer, at one step). The problem
    ``opened("nodes")`` has a zero offset at each of them, whose derivative s is dL/d(node).
    """

    def own_gradient(self, p: Own, saved: Any, s: Array) -> dict[str, Array]:
        """The gradient of the layer's own parameters from s = dL/d(nodes), of the offset's shape.

        It is the sum over nodes of s times the node's derivative with respect to each parameter: local, with
        no way back through any layer.
        """


@runtime_checkable
class PullsSeveral(Layer, Protocol):
    """A layer whose `pullback` takes several cotangents: `dy`, dx and dp with one leading axis more."""

    @property
    def pulls_several(self) -> bool:
        """Whether it takes them as it is set."""


@runtime_checkable
class InPlace(Layer, Protocol):
    """A layer that can also write into NumPy or torch buffers that are allocated once."""

    @property
    def works_in_place(self) -> bool:
        """Whether it has that form on its backend."""

    @property
    def overwrites_input(self) -> bool:
        """Whether `forward_into` may be given the same buffer as input and output."""

    def forward_into(self, p: Own, x: Array, y: Array) -> None:
        """Write f(p, x) into `y`."""

    def pullback_into(self, p: Own, x: Array, y: Array, dy: Array, dx: Array | None, dp: Own) -> None:
        """Write dx and dp; `dy` may be used as a workspace. `x` is as `forward_into` left it; `y`, unless it
        is `x`, may hold anything, because the layer behind may overwrite it, or `dx` itself."""


@runtime_checkable
class ElementwiseInPlace(Elementwise, InPlace, Protocol):
    """A layer that acts on each number by itself and, where it `works_in_place`, can write sigma' too."""

    def derivative_into(self, y: Array, slope: Array) -> None:
        """Write sigma'(z) into `slope`, from y = sigma(z)."""


@runtime_checkable
class Invertible(Layer, Protocol):
    """A layer whose input can be had again from its output, up to rounding."""

    def inverse(self, p: Own, y: Array, draw: Draw) -> tuple[Array, Any]:
        """x with y = f(p, x), and what `forward` saves there; as many operations as one forward pass."""


@dataclass(frozen=True)
class NamedLayer:
    """A layer and the prefix of its parameters' names: ``layers.0`` for ``layers.0.weight``.

    A prefix that ends with ``_`` is joined without a dot: ``in_proj_`` for ``in_proj_weight``.
    """

    prefix: str
    layer: Layer

    @cached_property
    def names(self) -> dict[str, str]:
        """Short name to full name."""
        lead = f"{self.prefix}." if self.prefix and not self.prefix.endswith("_") else self.prefix
        return {name: lead + name for name in self.layer.shapes()}

    def own(self, parameters: Mapping[str, Array]) -> dict[str, Array]:
        """The layer's own part of all `parameters`, under short names; absent names are left out."""
        return {name: parameters[full] for name, full in self.names.items() if full in parameters}
