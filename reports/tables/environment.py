"""Where and with what the run was measured."""

import json
from pathlib import PurePath
from typing import Any

from reports import numbers
from reports.run import Run
from reports.table import Cell, Table

_ORDER = (
    "started", "command", "profile", "commit", "gradmark", "python", "platform", "cpu", "cores",
    "memory_bytes", "threads", "devices", "tf32", "blas", "variables", "versions",
)  # fmt: skip
_LABELS = {"memory_bytes": "memory", "variables": "environment variables", "tf32": "TF32"}


def build(run: Run) -> list[Table]:
    """One table, or none where the run has no environment."""
    return of(run.environment)


def of(described: dict[str, Any]) -> list[Table]:
    """The same from the content of ``environment.json``."""
    environment = {name: value for name, value in described.items() if _is_shown(name, value)}
    if not environment:
        return []
    names = sorted(environment, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))
    rows = [[Cell(_LABELS.get(name, name)), Cell(_value(name, described))] for name in names]
    return [Table("environment", "Environment", "", ["", ""], rows)]


def _is_shown(name: str, value: Any) -> bool:
    return name not in ("warnings", "dirty") and value is not None


def command(environment: dict[str, Any]) -> str:
    """The command as one would type it: without the folder that gradmark is installed in."""
    first, space, rest = str(environment.get("command") or "").partition(" ")
    return f"{PurePath(first).name}{space}{rest}"


def _value(name: str, environment: dict[str, Any]) -> str:
    value = environment[name]
    if name == "memory_bytes" and isinstance(value, int | float):
        return numbers.si(value, "B")
    if name == "commit":
        return f"{value}{' with uncommitted changes' if environment.get('dirty') else ''}"
    if name == "command":
        return command(environment)
    if name == "blas" and isinstance(value, list):
        return "; ".join(_library(entry) for entry in value if isinstance(entry, dict)) or "none"
    return words(value)


def _library(entry: dict[str, Any]) -> str:
    """What threadpoolctl says of one library: name, version, kernels and threads."""
    name = entry.get("prefix") or entry.get("internal_api") or entry.get("user_api")
    version, kernels = entry.get("version") or "", entry.get("architecture")
    threads = f"threads: {entry.get('num_threads', 'unknown')}"
    return f"{name} {version}".strip() + (f" ({kernels} kernels, {threads})" if kernels else f" ({threads})")


def words(value: Any) -> str:
    """A JSON value as a reader wants it: pairs and lists in a line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {words(entry)}" for key, entry in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(words, value)) or "none"
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value)
