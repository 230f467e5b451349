"""What the tests of runs share: comparisons of a few milliseconds, and a store to run them into."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gradmark.run.execute import execute, prepared
from gradmark.run.plan import Comparison, MethodCall
from gradmark.run.records import Record
from gradmark.run.store import Store, opened, read_records
from tests.run.plans import IMPOSTORS, by_method, call


@pytest.fixture
def comparison() -> Callable[..., Comparison]:
    """A comparison on the sphere: ``comparison("honest", call("slow", ...), size=3, ...)``."""

    def make(*methods: str | MethodCall, size: int = 3, **more: Any) -> Comparison:
        calls = tuple(call(method) if isinstance(method, str) else method for method in methods)
        given: dict[str, Any] = {"study": "cost", "time_limit": 60.0, **more}
        return Comparison(problem=f"{IMPOSTORS}:sphere", sizes={"size": size}, methods=calls, **given)

    return make


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An open run folder."""
    with opened(tmp_path / "run") as opened_store:
        yield opened_store


@pytest.fixture
def run(store: Store) -> Callable[..., dict[str, dict[str, Record]]]:
    """Run comparisons and return what is on disk: method, quantity, record."""

    def measure(*comparisons: Comparison) -> dict[str, dict[str, Record]]:
        execute(prepared(comparisons), store)
        return by_method(read_records(store.folder))

    return measure
