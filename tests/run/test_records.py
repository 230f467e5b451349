"""Records are strict JSON, and a case has one id whatever the order of its key and whoever computes it."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradmark.run.plan import Comparison, MethodCall, from_json, to_json
from gradmark.run.records import Record, canonical, digest, from_line, plain, to_line
from gradmark.run.remaining import prepare
from tests.run.plans import IMPOSTORS, call

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
keys = st.dictionaries(st.text(), json_values, max_size=4)


@given(keys, json_values, st.floats() | st.none(), st.floats())
def test_a_record_survives_its_line_and_the_line_is_strict(
    key: dict[str, Any], detail: Any, value: float | None, low: float
) -> None:
    record = Record(key, "error", value, low=low, detail={"more": detail})
    line = to_line(record)
    assert "\n" not in line
    json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    back = from_line(line)
    assert back.id == record.id
    assert back.key == plain(key)
    assert back.detail == plain({"more": detail})
    if value is None or math.isfinite(value):
        assert (back.value, back.reason) == (value, None)
    else:
        assert (back.value, back.reason) == (None, f"the value is {value}")


@given(keys)
def test_an_id_does_not_depend_on_the_order_of_the_key(key: dict[str, Any]) -> None:
    turned = dict(reversed(list(key.items())))
    assert digest(turned) == digest(key)
    assert canonical(turned) == canonical(key)


def test_numbers_of_numpy_are_the_numbers_they_are() -> None:
    assert plain({"a": np.float64(0.5), "b": np.int32(3), "c": (1, 2)}) == {"a": 0.5, "b": 3, "c": [1, 2]}
    assert plain({"a": math.inf, "b": -math.inf, "c": math.nan}) == {"a": "inf", "b": "-inf", "c": "nan"}


@pytest.mark.parametrize(
    "line", ["", "3", "{}", '{"key": 1, "quantity": "error"}', '{"key": {}, "quantity": 1}']
)
def test_what_is_no_record_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        from_line(line)


def ids(comparison: Comparison) -> list[str]:
    task = prepare(comparison)
    return [digest(task.forward_key), *(digest(part.key) for part in task.methods)]


WANTED = Comparison(
    "cost", "mlp", {"widths": (64, 8, 10)}, (MethodCall("backprop"), MethodCall("gaussian_es", {"pairs": 3}))
)


def test_ids_are_the_same_in_every_process() -> None:
    code = f"""
from gradmark.run.plan import Comparison, MethodCall
from tests.run.test_records import ids
print(*ids({WANTED!r}), {WANTED!r}.id)
"""
    for hash_seed in ("1", "2"):
        result = subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parents[2],
            env={"PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stdout.split() == [*ids(WANTED), WANTED.id]


def test_a_comparison_survives_the_way_to_a_worker() -> None:
    assert from_json(json.loads(json.dumps(to_json(WANTED)))) == WANTED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"sizes": {"size": 3}}, {"sizes": {"size": 3, "condition": 1e4}}),
        ({"sizes": {"condition": 100}}, {"sizes": {"condition": 100.0}}),
        ({"sizes": {"size": 10}}, {"sizes": {}}),
        (
            {"methods": (MethodCall("gaussian_es"),)},
            {"methods": (MethodCall("gaussian_es", {"sigma": 0.01}),)},
        ),
        (
            {"methods": (MethodCall("central_difference", {"step": 1}),)},
            {"methods": (MethodCall("central_difference", {"step": 1.0}),)},
        ),
    ],
)
def test_the_same_case_written_in_two_ways_has_one_id(one: dict[str, Any], other: dict[str, Any]) -> None:
    common: dict[str, Any] = {"study": "cost", "problem": "quadratic", "sizes": {}, "methods": ()}
    assert ids(Comparison(**{**common, **one})) == ids(Comparison(**{**common, **other}))


@pytest.mark.parametrize(
    "change",
    [
        {"sizes": {"size": 4}},
        {"problem": "rosenbrock"},
        {"methods": (MethodCall("gaussian_es", {"sigma": 0.02}),)},
        {"dtype": "float32"},
        {"backend": "torch"},
        {"device": "cuda"},
        {"threads": 2},
        {"seed": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_what_could_change_the_answer_changes_the_id(change: dict[str, Any]) -> None:
    common: dict[str, Any] = {"study": "cost", "problem": "log_sum_exp", "sizes": {"size": 3}}
    common["methods"] = (MethodCall("gaussian_es"),)
    assert ids(Comparison(**common))[1] != ids(Comparison(**{**common, **change}))[1]


def test_a_file_is_known_by_its_name_and_content_not_by_its_place(tmp_path: Path) -> None:
    def copied(folder: str, text: str) -> list[str]:
        path = tmp_path / folder / IMPOSTORS.name
        path.parent.mkdir()
        path.write_text(text)
        return ids(Comparison("cost", f"{path}:sphere", {}, (MethodCall(f"{path}:honest"),)))

    text = IMPOSTORS.read_text()
    here = ids(Comparison("cost", f"{IMPOSTORS}:sphere", {}, (call("honest"),)))
    assert copied("elsewhere", text) == here
    assert copied("changed", text + "\n# changed\n")[1] != here[1]
