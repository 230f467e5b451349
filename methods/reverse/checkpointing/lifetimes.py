"""When each number is needed: the single calls of layers that operations are made of, and what they touch.

States, deltas and the gradients of parameters are values alike. In buffers an activation overwrites its
input, and other layers do not need their output to be pulled back; so a state is free as soon as the
activations in front of it have been pulled back, and the next delta may lie there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from methods.reverse.checkpointing.arena import Value
from methods.reverse.checkpointing.operations import DATA, Operation
from methods.reverse.checkpointing.steps import Step

Key = tuple[str, int | str]
"""("state", its number), ("delta", the layer whose input it belongs to) or ("gradient", the name)."""


class Sizes(NamedTuple):
    """How many numbers a layer puts out, and those of its parameters by their full names."""

    outputs: int
    parameters: Mapping[str, int]


class Call(NamedTuple):
    """Layer `layer` run from state `x` to `y`, or pulled back between them; behind all layers, the loss.

    The layer is given delta `layer` + 1 on the way back, and writes delta `layer`; the loss only writes.
    """

    layer: int
    back: bool
    x: int
    y: int


@dataclass(frozen=True)
class Plan:
    """All calls in their order, the loss being the first one on the way back, and what they need."""

    calls: tuple[Call, ...]
    values: dict[Key, Value]


def planned(done: Sequence[Operation], steps: Sequence[Step], layers: Sequence[Sizes]) -> Plan:
    """The calls of `done`, and each value from the first call that touches it to the last one."""
    calls = tuple(_calls(done, steps, len(layers)))
    size: dict[Key, int] = {}
    birth: dict[Key, int] = {}
    death: dict[Key, int] = {}
    for when, call in enumerate(calls):
        for key, numbers in _touched(call, layers):
            size[key], death[key] = numbers, when
            birth.setdefault(key, when)
    values = {key: Value(size[key], birth[key], None if key[0] == "gradient" else death[key]) for key in size}
    return Plan(calls, values)


def _calls(done: Sequence[Operation], steps: Sequence[Step], layers: int) -> Iterator[Call]:
    """The first layer of a step goes from x to y, and the activations behind it overwrite y."""
    turned = False
    for each in done:
        step = steps[each.step]
        if each.back and not turned:
            turned = True
            yield Call(layers, True, each.y, each.y)
        inside = range(step.start, step.stop)
        for layer in reversed(inside) if each.back else inside:
            yield Call(layer, each.back, each.x if layer == step.start else each.y, each.y)


def _touched(call: Call, layers: Sequence[Sizes]) -> Iterator[tuple[Key, int]]:
    """What a call reads or writes, with its size. Activations are pulled back from x = y."""
    if call.x != DATA:
        yield ("state", call.x), layers[call.layer - 1].outputs
    if not call.back:
        yield ("state", call.y), layers[call.layer].outputs
        return
    if call.layer:
        yield ("delta", call.layer), layers[call.layer - 1].outputs
    if call.layer < len(layers):
        yield ("delta", call.layer + 1), layers[call.layer].outputs
        for name, numbers in layers[call.layer].parameters.items():
            yield ("gradient", name), numbers
