"""Where and with what the run was measured."""

import json
from typing import Any

from reports import numbers
from reports.run import Run
from reports.table import Cell, Table

_ORDER = (
    "started", "command", "profile", "commit", "gradmark", "python", "platform", "cpu", "cores",
    "memory_bytes", "threads", "devices", "tf32", "blas", "variables", "versions",
)  # fmt: skip


def build(run: Run) -> list[Table]:
    """One table, or none where the run has no environment."""
    environment = {
        name: value for name, value in run.environment.items() if name not in ("warnings", "dirty")
    }
    if not environment:
        return []
    names = sorted(environment, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    rows = [
        [Cell(name.replace("_", " ")), Cell(_words(name, environment, run.environment))] for name in names
    ]
    return [Table("environment", "Environment", "", ["", ""], rows)]


def _words(name: str, environment: dict[str, Any], everything: dict[str, Any]) -> str:
    value = environment[name]
    if name == "memory_bytes" and isinstance(value, int | float):
        return numbers.si(value, "B")
    if name == "commit":
        return f"{value}{' with uncommitted changes' if everything.get('dirty') else ''}"
    return words(value)


def words(value: Any) -> str:
    """A JSON value as a reader wants it: pairs and lists in a line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {words(entry)}" for key, entry in value.items()) or "none"
    if isinstance(value, list):
        return ("; " if any(isinstance(entry, dict) for entry in value) else ", ").join(
            map(words, value)
        ) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value)
