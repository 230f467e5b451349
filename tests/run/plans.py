"""Names for the methods of `impostors.py`, and records sorted by them."""

from pathlib import Path
from typing import Any

from gradmark.run.plan import MethodCall
from gradmark.run.records import Record

IMPOSTORS = Path(__file__).with_name("impostors.py")


def call(name: str, **hyper: Any) -> MethodCall:
    """A method of `impostors.py`."""
    return MethodCall(f"{IMPOSTORS}:{name}", hyper)


def by_method(records: list[Record]) -> dict[str, dict[str, Record]]:
    """Records by the method's own name and quantity."""
    found: dict[str, dict[str, Record]] = {}
    for record in records:
        name = record.key["method"].rpartition(":")[2]
        found.setdefault(name, {})[record.quantity] = record
    return found
