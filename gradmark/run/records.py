"""Records: one measured quantity of one case, as one line of strict JSON.

The key of a case holds everything that could change the answer; its canonical JSON (sorted keys, no spaces)
hashed by SHA-256 is the case's id, the same in every process and for every order of the key.

JSON has no NaN and no infinity. In a key or in `detail` they are the strings "nan", "inf" and "-inf".
`value`, `low` and `high` are numbers or null: a value that is not finite becomes null, and `reason` says what
it was.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, is_dataclass
from functools import cached_property
from pathlib import PurePath
from typing import Any, Literal, get_args

Status = Literal["done", "skipped", "failed", "timed out", "out of memory"]
STATUSES: tuple[Status, ...] = get_args(Status)
Group = Literal["time", "memory", "error", "work"]
GROUPS: tuple[Group, ...] = get_args(Group)
"""What can be asked for, in groups of quantities that are measured together."""
QUANTITIES: dict[Group, tuple[str, ...]] = {
    "time": ("time", "ratio", "prepare_time"),
    "memory": ("peak_bytes",),
    "error": ("error", "digits", "cosine", "norm_ratio", "ulp"),
    "work": ("evaluations", "passes"),
}
KEY_VERSION = 1
"""Raised when the meaning of a recorded quantity changes, so that old and new numbers are not mixed."""
PLAIN_FORWARD = "plain forward"
"""The case that is no method: the fastest forward pass, in which the cost of all others is counted."""


@dataclass(frozen=True)
class Record:
    """One quantity of one case: value, unit, interval, how it ended, and what else is worth knowing.

    `low` and `high` are null where no interval is known. A record whose `status` is not "done" has no value
    and a `reason`; the quantity "case" says how the case as a whole ended.
    """

    key: Mapping[str, Any]
    quantity: str
    value: float | None = None
    unit: str = ""
    low: float | None = None
    high: float | None = None
    status: Status = "done"
    reason: str | None = None
    study: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def id(self) -> str:
        """The id of the case."""
        return digest(self.key)

    @property
    def place(self) -> tuple[str, str, str]:
        """Study, case id and quantity: what a run holds at most once."""
        return self.study, self.id, self.quantity


def to_line(record: Record) -> str:
    """The record as one line of strict JSON, without the line's end."""
    reason = record.reason
    if record.value is not None and not math.isfinite(record.value):
        reason = reason or f"the value is {float(record.value)}"
    line = {
        "id": record.id,
        "key": plain(record.key),
        "quantity": record.quantity,
        "value": _number(record.value),
        "unit": record.unit,
        "low": _number(record.low),
        "high": _number(record.high),
        "status": record.status,
        "reason": reason,
        "study": record.study,
        "detail": plain(record.detail),
    }
    return json.dumps(line, allow_nan=False)


def from_line(line: str | bytes) -> Record:
    """The record of one line; ValueError for anything that `to_line` could not have written."""
    values = json.loads(line)
    if not isinstance(values, dict) or not isinstance(values.get("key"), dict) or "quantity" not in values:
        raise ValueError("a record is an object with `key` and `quantity`")
    if values.get("status") not in STATUSES:
        raise ValueError(f"`status` is {values.get('status')!r}")
    known = {name: values[name] for name in Record.__dataclass_fields__ if name in values}
    return Record(**known)


def canonical(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, ASCII."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: Any) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:16]


def plain(value: Any) -> Any:
    """`value` in JSON's own types; what has no counterpart becomes its name, never its address."""
    if value is None or isinstance(value, bool | str):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = [plain(item) for item in value]
        return sorted(items, key=canonical) if isinstance(value, set | frozenset) else items
    if is_dataclass(value) and not isinstance(value, type):
        named = {name: plain(getattr(value, name)) for name in value.__dataclass_fields__}
        return {"type": type(value).__qualname__, **named}
    if isinstance(value, PurePath):
        return str(value)
    return str(getattr(value, "__qualname__", type(value).__qualname__))


def _number(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return int(value) if isinstance(value, int) else float(value)
