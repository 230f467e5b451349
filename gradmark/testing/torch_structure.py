"""The tensors in what a torch function takes and returns: tuples, lists and dicts of them."""

from collections.abc import Mapping
from typing import Any


def tensors(value: Any, name: str) -> dict[str, Any]:
    """All tensors in `value`, by the Python expression that leads to each.

    >>> import torch
    >>> list(tensors((torch.ones(1), {"a": [torch.ones(1)]}, 3), "inputs"))
    ['inputs[0]', "inputs[1]['a'][0]"]
    """
    import torch

    if isinstance(value, torch.Tensor):
        return {name: value}
    found: dict[str, Any] = {}
    for key, part in _parts(value):
        found |= tensors(part, f"{name}[{key!r}]")
    return found


def put(value: Any, replacements: Mapping[str, Any], name: str = "inputs") -> Any:
    """`value` with other tensors at some of these expressions."""
    if name in replacements:
        return replacements[name]
    parts = [put(part, replacements, f"{name}[{key!r}]") for key, part in _parts(value)]
    if isinstance(value, Mapping):
        return dict(zip(value, parts, strict=True))
    if not isinstance(value, list | tuple):
        return value
    if hasattr(value, "_fields"):
        return type(value)(*parts)
    return parts if isinstance(value, list) else tuple(parts)


def _parts(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, Mapping):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list | tuple) else []
