"""What one worker of `pipeline_backprop` does: its layers, for one micro-batch after the other, both ways.

Forward, h goes to the stage behind; back, delta = dL/dh goes to the stage before. The last stage weights the
delta of micro-batch m by n_m / n, its share of the rows, so that all that follows is added up as it comes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.layer import NamedLayer
from gradmark.structure import state_shapes
from methods.reverse.parallel.answer import shapes_of, views
from methods.reverse.parallel.group import Compute, Group
from methods.reverse.parallel.parcel import Piece
from methods.reverse.parallel.schedule import Kind, order
from methods.reverse.parallel.splitting import spans


@dataclass(frozen=True)
class Stages:
    """Each worker takes a span of the layers; `bounds` are all of them."""

    piece: Piece
    bounds: tuple[tuple[int, int], ...]
    micro_batches: int
    schedule: Kind

    def bind(self, group: Group) -> Compute:
        """The worker's layers, in the order that the schedule says."""

        def compute(parameters: Mapping[str, Array], draw: Draw, out: Any, seed: int = 0) -> None:
            parts = views(out, shapes_of(parameters))
            if not group.shared:
                out.zero_()
            stage = _Stage(self, group, parameters, draw, parts, out[-1:])
            for step in order(self.schedule, group.workers, stage.micro_batches, group.rank):
                (stage.forward if step.operation == "forward" else stage.backward)(step.micro_batch)
            group.finish(stage.sent)
            if not group.shared:
                group.add(out)

        return compute


@dataclass
class _Stage:
    """One call: what has been kept of the micro-batches in flight, and what was sent."""

    plan: Stages
    group: Group
    parameters: Mapping[str, Array]
    draw: Draw
    gradient: Mapping[str, Any]
    value: Any
    saved: dict[int, list[Any]] = field(default_factory=dict)
    outputs: dict[int, Array] = field(default_factory=dict)
    sent: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        layers = self.plan.piece.layers
        self.start, self.stop = self.plan.bounds[self.group.rank]
        self.first = next(index for index, named in enumerate(layers) if named.names)
        self.micro_batches = min(self.plan.micro_batches, self.draw.count)
        self.rows = spans(self.draw.count, self.micro_batches)
        self.micro_draws = [self.draw.rows(start, stop) for start, stop in self.rows]
        self.is_last = self.stop == len(layers)
        for named in layers[self.start : self.stop]:
            for full in named.names.values():
                self.gradient[full].zero_()
        if self.is_last:
            self.value.zero_()

    def forward(self, index: int) -> None:
        """h of this stage's layers, from the data or from the stage before."""
        draw, kept = self.micro_draws[index], []
        x = draw.arrays.get("inputs") if self.start == 0 else self._received(index, self.start, before=True)
        for named in self._layers:
            x, saved = named.layer.forward(named.own(self.parameters), x, draw)
            kept.append(saved)
        self.saved[index] = kept
        if self.is_last:
            self.outputs[index] = x
        else:
            self._send(x, self.group.rank + 1)

    def backward(self, index: int) -> None:
        """The gradient of this stage's layers, from the loss or from the stage behind."""
        kept = self.saved.pop(index)
        if self.first >= self.stop:  # nothing before the end of this stage has parameters
            return
        delta: Any = self._loss(index) if self.is_last else self._received(index, self.stop, before=False)
        for position in range(self.stop - 1, max(self.start, self.first) - 1, -1):
            named = self.plan.piece.layers[position]
            delta, own = named.layer.pullback(
                named.own(self.parameters),
                kept[position - self.start],
                delta,
                input_gradient=position > self.first,
            )
            self._add(named, own)
        if self.first < self.start:
            self._send(delta, self.group.rank - 1)

    @property
    def _layers(self) -> tuple[NamedLayer, ...]:
        return self.plan.piece.layers[self.start : self.stop]

    def _loss(self, index: int) -> Array:
        """The weighted delta at the outputs; the weighted loss is added to that of the others."""
        criterion, draw, outputs = self.plan.piece.criterion, self.micro_draws[index], self.outputs.pop(index)
        weight = draw.count / self.draw.count
        self.value.add_(weight * float(criterion.value(outputs, draw)))
        return criterion.pullback(outputs, draw) * weight

    def _add(self, named: NamedLayer, own: Mapping[str, Array]) -> None:
        import torch

        for name, array in own.items():
            self.gradient[named.names[name]].add_(torch.as_tensor(array))

    def _send(self, array: Array, to: int) -> None:
        import torch

        self.sent.append(self.group.send(torch.as_tensor(array).contiguous(), to))

    def _received(self, index: int, boundary: int, *, before: bool) -> Array:
        """What crosses the boundary before layer `boundary`, from the stage before or behind."""
        import torch

        arrays = self.plan.piece.arrays
        inputs = self.micro_draws[index].arrays["inputs"]
        shape = state_shapes(self.plan.piece.layers[:boundary], inputs.shape)[-1]
        device = arrays.device if arrays.backend == "torch" else "cpu"
        buffer = torch.empty(shape, dtype=getattr(torch, arrays.dtype), device=device)
        self.group.receive(buffer, self.group.rank + (-1 if before else 1))
        return buffer if arrays.backend == "torch" else buffer.numpy()
