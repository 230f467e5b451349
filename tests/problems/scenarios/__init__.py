"""The table of layers that `test_layers.py` runs through: every module here with `SCENARIOS` adds to it."""

import importlib
import pkgutil

from tests.problems.scenarios.case import Scenario


def all_scenarios() -> dict[str, Scenario]:
    """By name, from all modules of this folder."""
    found: dict[str, Scenario] = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        added = getattr(importlib.import_module(module.name), "SCENARIOS", {})
        assert not set(added) & set(found), f"{module.name} repeats a name"
        found |= added
    return found
