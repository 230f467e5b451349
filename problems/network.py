"""A chain of layers with a loss at its end, on data: the problem class that all networks share."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.layer import Composite, Criterion, NamedLayer, Sampled
from gradmark.parameters import Parameters
from gradmark.problem import Call, Smoothness, converted, retarget
from gradmark.random import generator
from gradmark.structure import flattened, state_shapes
from gradmark.unroll import Unroll
from gradmark.work import count
from problems.layers.opening import Given, with_offsets
from problems.plain_forward import plain_forward
from problems.stepping import unroll_of


@dataclass(frozen=True)
class Network:
    """Layers, a criterion and data. See `gradmark.problem.Problem` for the members.

    `data` are all rows there are; a draw is `batch` of them, sampled without replacement.
    """

    layers: tuple[NamedLayer, ...]
    criterion: Criterion
    arrays: Arrays
    parameters: dict[str, Array]
    data: Draw
    batch: int
    default_draw: Draw
    call: Call
    smoothness: Smoothness = "smooth"
    population: bool = True
    closed_form: Callable[[Parameters, Draw], dict[str, Array]] | None = None
    bounds: None = None
    sparsity: None = None

    def outputs(self, parameters: Parameters, draw: Draw | None = None) -> Array:
        """The last layer's outputs, shape (rows, units) or (N, rows, units)."""
        draw = draw or self.default_draw
        h = draw.arrays["inputs"]
        for named in self.layers:
            h, _ = named.layer.forward(named.own(parameters), h, draw)
        return h

    def loss(self, parameters: Parameters, draw: Draw | None = None) -> Array:
        """The criterion's mean over the rows of the draw."""
        draw = draw or self.default_draw
        value = self.criterion.value(self.outputs(parameters, draw), draw)
        count(forward=(value.shape[0] if value.ndim else 1) * draw.count / self.default_draw.count)
        return value

    def draw(self, seed: int) -> Draw:
        """`batch` rows of the data, without replacement, and the random numbers of the layers' own (masks).

        All rows in order where `batch` is their number.
        """
        return drawn(self.layers, self.data, self.batch, seed, self.arrays)

    @property
    def flops(self) -> float:
        """Matrix products of one forward pass over the default draw."""
        pairs = zip(self.layers, self.input_shapes, strict=True)
        return sum(named.layer.flops(rows) for named, (rows, _) in pairs)

    @property
    def input_shapes(self) -> tuple[tuple[int, int], ...]:
        """The shape (rows, units) of each layer's input, for the default draw."""
        return tuple(state_shapes(self.layers, self.default_draw.arrays["inputs"].shape)[:-1])

    @property
    def unroll(self) -> Unroll | None:
        """Of a network that begins with a recurrent layer (see `problems.stepping`); None for all others."""
        return unroll_of(self)

    def plain_forward(self) -> Callable[[Parameters, Draw], Any]:
        """The fastest forward pass of this backend (see `problems.plain_forward`)."""
        return plain_forward(self)

    def opened(self, what: Literal["inputs", "nodes"]) -> "Network":
        """The network with ``inputs``, or ``nodes.i.offset`` after each affine ``layers.i``, opened.

        Inside of residual blocks it is ``layers.i.nodes.j.offset``, of coupling ones ``layers.i.f.nodes.j``;
        of attention ``nodes.in_proj``, for q, k and v side by side, and ``nodes.out_proj``. They are
        parameters like all others then. Only the default draw's rows can be used with it, because the new
        parameters have their shape.
        """
        if what not in ("inputs", "nodes"):
            raise UsageError(f"`{what}` cannot be opened: allowed are inputs and nodes.")
        if what in self.call.opened:
            return self
        return self._open_inputs() if what == "inputs" else self._open_nodes()

    def _open_inputs(self) -> "Network":
        inputs = self.default_draw.arrays["inputs"]
        if not self.arrays.xp.isdtype(inputs.dtype, "real floating"):
            raise UsageError(f"{self.call.name} has integer inputs, which have no gradient to open.")
        rows, units = inputs.shape
        layer = NamedLayer("", Given(rows, units, self.arrays))
        return self._with((layer, *self.layers), {"inputs": inputs, **self.parameters}, "inputs")

    def _open_nodes(self) -> "Network":
        layers, offsets = with_offsets(self.layers, self.input_shapes[0], self.arrays)
        zeros = {name: self.arrays.zeros(shape) for name, shape in offsets.items()}
        return self._with(layers, {**self.parameters, **zeros}, "nodes")

    def _with(self, layers: tuple[NamedLayer, ...], parameters: dict[str, Array], opened: str) -> "Network":
        """With other layers and parameters, for which a closed form no longer speaks."""
        call = replace(self.call, opened=(*self.call.opened, opened))
        return replace(self, layers=layers, parameters=parameters, call=call, closed_form=None)

    def to(
        self, *, backend: str | None = None, device: str | None = None, dtype: str | None = None
    ) -> "Network":
        """The same numbers on another backend, device or dtype."""
        arrays = retarget(self.arrays, backend, device, dtype)
        return replace(
            self,
            layers=tuple(NamedLayer(named.prefix, _moved(named.layer, arrays)) for named in self.layers),
            criterion=_moved(self.criterion, arrays),
            arrays=arrays,
            parameters=converted(self.parameters, arrays),
            data=Draw(converted(self.data.arrays, arrays)),
            default_draw=Draw(converted(self.default_draw.arrays, arrays), self.default_draw.seed),
        )


def _moved(part: Any, arrays: Arrays) -> Any:
    """A layer or criterion on other arrays: each is a dataclass with that field."""
    if isinstance(part, Composite):
        inner = tuple(NamedLayer(each.prefix, _moved(each.layer, arrays)) for each in part.inner)
        return replace(cast(Any, part), arrays=arrays, inner=inner)
    return replace(part, arrays=arrays)


def drawn(layers: tuple[NamedLayer, ...], data: Draw, batch: int, seed: int, arrays: Arrays) -> Draw:
    """`batch` rows of `data`, and for them what the layers sample for themselves."""
    draw, random = sample_rows(data, batch, seed, arrays), generator(seed, "mask")
    sampled = [each.layer for each in flattened(layers) if isinstance(each.layer, Sampled)]
    own = [item for layer in sampled for item in layer.sample(random, batch).items()]
    return Draw({**draw.arrays, **{name: arrays.array(array) for name, array in own}}, seed)


def sample_rows(data: Draw, batch: int, seed: int, arrays: Arrays) -> Draw:
    """`batch` of the rows of `data`, without replacement."""
    if batch == data.count:
        return Draw(data.arrays, seed)
    rows = arrays.integers(generator(seed, "draw").permutation(data.count)[:batch])
    return Draw({name: arrays.xp.take(array, rows, axis=0) for name, array in data.arrays.items()}, seed)
