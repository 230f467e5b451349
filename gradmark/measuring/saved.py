"""What is kept between the way forward and the way back, in bytes, layer by layer.

Buffers are counted once, however many layers hold them: the output of an activation is the input of the next
layer. Parameters are not counted, they are there anyhow; the inputs of the first layer are, as in the law
bytes = itemsize * B * (n_0 + n_1 + ... + n_{L-1}) of a network whose derivatives are had from h alone.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gradmark import passes
from gradmark.problem import Problem
from gradmark.work import uncounted


def saved_by_layers(problem: Problem) -> dict[str, int]:
    """Bytes that the portable forward pass keeps, by the layer that is the first to hold them.

    The loss keeps the outputs, under the name ``loss``.
    """
    with uncounted():
        trace = passes.forward(problem, problem.parameters, problem.default_draw)
    assert problem.layers is not None
    kept = {named.prefix: saved for named, saved in zip(problem.layers, trace.saved, strict=True)}
    return distinct_bytes({**kept, "loss": trace.outputs}, problem.parameters.values())


def saved_by_torch(problem: Problem) -> dict[str, int]:
    """Bytes that torch's graph of the loss keeps, by the operation that is the first to hold them."""
    torch = problem.arrays.xp
    kept: dict[str, list[Any]] = {"graph": []}

    def pack(tensor: Any) -> Any:
        kept["graph"].append(tensor)
        return tensor

    leaves = {name: array.detach().requires_grad_(True) for name, array in problem.parameters.items()}
    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    with uncounted(), hooks:
        problem.loss(leaves, problem.default_draw)
    return distinct_bytes(kept, leaves.values())


def distinct_bytes(kept: Mapping[str, Any], known: Iterable[Any]) -> dict[str, int]:
    """The bytes of the buffers that each entry of `kept` is the first to hold; those of `known` are free."""
    seen = {_buffer(array)[0] for array in known}
    found = {}
    for name, saved in kept.items():
        buffers = dict(_buffer(array) for array in _arrays(saved))
        found[name] = sum(size for place, size in buffers.items() if place not in seen)
        seen |= set(buffers)
    return found


def _arrays(saved: Any) -> Iterator[Any]:
    """The arrays in nested tuples, lists and mappings."""
    if isinstance(saved, Mapping):
        saved = list(saved.values())
    if isinstance(saved, list | tuple):
        for each in saved:
            yield from _arrays(each)
    elif hasattr(saved, "shape") and hasattr(saved, "dtype"):
        yield saved


def _buffer(array: Any) -> tuple[Any, int]:
    """Where the memory of `array` begins, and its bytes; a view's are those of what it looks into."""
    if hasattr(array, "untyped_storage"):
        storage = array.untyped_storage()
        return storage.data_ptr(), int(storage.nbytes())
    while getattr(array, "base", None) is not None and hasattr(array.base, "nbytes"):
        array = array.base
    if hasattr(array, "__array_interface__"):
        return array.__array_interface__["data"][0], int(array.nbytes)
    return id(array), int(array.nbytes)
