"""What is computed once for an object that cannot be hashed, as long as the object lives."""

import weakref
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Found = TypeVar("Found")
_KEPT: dict[int, tuple[Any, dict[Hashable, Any]]] = {}


def once_for(owner: Any, key: Hashable, compute: Callable[[], Found]) -> Found:
    """What ``compute()`` gave when it was first asked for under `key` for this very `owner`."""
    kept = _of(owner)
    if key not in kept:
        kept[key] = compute()
    found: Found = kept[key]
    return found


def _of(owner: Any) -> dict[Hashable, Any]:
    identity = id(owner)
    entry = _KEPT.get(identity)
    if entry is None or entry[0]() is not owner:
        forget = weakref.ref(owner, lambda _: _KEPT.pop(identity, None))
        entry = _KEPT[identity] = (forget, {})
    return entry[1]
