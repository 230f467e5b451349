"""Methods and problems by name: entry points, a person's own file, and a file that hides ours."""

import importlib.metadata
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradmark
from gradmark import registry
from gradmark.errors import UsageError, shown
from gradmark.registry import get_method, get_problem, list_methods, list_problems, load, names

OWN_METHOD = """
from dataclasses import dataclass
from gradmark.claims import Claims, Exact, Growth

@dataclass(frozen=True)
class Mine:
    step: float = 1.0
    claims = Claims("reverse", Exact(), frozenset({"loss"}), Growth())

    def supports(self, problem, want="gradient"):
        return None

THREE = 3
"""


@pytest.fixture
def own_file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a file of a person's own and returns its path."""

    def write(text: str, name: str = "mine.py") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_every_registered_name_can_be_loaded() -> None:
    for kind in ("method", "problem", "profile", "command"):
        assert names(kind), kind
        for name in names(kind):
            assert callable(load(kind, name)), name


def test_methods_are_listed_by_family_and_device() -> None:
    assert set(list_methods(family="reverse")) < set(list_methods())
    assert "backprop" in list_methods(family="reverse") and "mlp" in list_problems()
    assert set(list_methods(device="cuda")) == set(list_methods(device="cuda:1"))
    assert list_methods(family="astrology") == []


def test_hyper_parameters_and_sizes_are_set_by_name() -> None:
    assert get_method("backprop", fast=False).fast is False
    problem = get_problem("quadratic", size=3, condition=7.0)
    assert problem.call.name == "quadratic"
    assert get_problem(problem.call.name, **problem.call.arguments).parameters["x"].shape == (3,)


@pytest.mark.parametrize(
    ("look_up", "message"),
    [
        (
            lambda: get_method("backpropp"),
            "unknown method `backpropp`: did you mean `backprop`? Known methods:",
        ),
        (lambda: get_problem("mpl"), "unknown problem `mpl`: did you mean `mlp`? Known problems:"),
        (lambda: get_method("zzzzzz"), "unknown method `zzzzzz`: known methods:"),
        (
            lambda: get_method("backprop", fst=1),
            "method `backprop`: unknown argument `fst`: did you mean `fast`?",
        ),
        (lambda: get_problem("mlp", fast=1), "problem `mlp`: unknown argument `fast`"),
        (lambda: get_method("nowhere.py:Mine"), "there is no file"),
        (lambda: get_method("nowhere.py"), "say which object of the file is meant, as nowhere.py:name"),
    ],
)
def test_an_unknown_name_is_answered_with_the_closest(look_up: Callable[[], Any], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        look_up()
    assert message in str(caught.value)


@given(st.none() | st.integers() | st.text(max_size=12) | st.lists(st.integers(), max_size=2))
@settings(max_examples=100, deadline=None)
def test_anything_as_a_name_is_a_usage_error(name: Any) -> None:
    for look_up in (get_method, get_problem):
        if name not in names("method") + names("problem"):
            with pytest.raises(UsageError):
                look_up(name)


def test_a_file_of_ones_own_works_wherever_a_name_does(own_file: Callable[[str], Path]) -> None:
    path = own_file(OWN_METHOD)
    assert get_method(f"{path}:Mine", step=2.0).step == 2.0
    assert get_method(f"{path}:Mine") == get_method(f"{path}:Mine")  # loaded once: the same class
    assert "mine" not in sys.modules
    with pytest.raises(UsageError, match="unknown argument `stp`: did you mean `step`"):
        get_method(f"{path}:Mine", stp=1)


def test_a_file_that_was_edited_is_loaded_anew(own_file: Callable[[str], Path]) -> None:
    path = own_file("def size(number=1):\n    return number\n")
    assert get_method(f"{path}:size") == 1
    stamp = path.stat().st_mtime_ns
    path.write_text("def size(number=2):\n    return number\n", encoding="utf-8")
    import os

    os.utime(path, ns=(stamp + 10**9, stamp + 10**9))
    assert get_method(f"{path}:size") == 2


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (OWN_METHOD, "Mien", "unknown name `Mien`: did you mean `Mine`?"),
        (OWN_METHOD, "THREE", "is 3, which cannot be called"),
        ("def f(:\n", "f", "could not be loaded: SyntaxError"),
        ("import nonsense_that_is_nowhere\n", "f", "could not be loaded: ModuleNotFoundError"),
        ("1 / 0\n", "f", "could not be loaded: ZeroDivisionError"),
        ("import sys; sys.exit(3)\n", "f", "could not be loaded: SystemExit"),
        ("def f(needed): ...\n", "f", "missing a required argument: 'needed'; its arguments are needed"),
        ("def f(**anything): return anything['x']\n", "f", None),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    own_file: Callable[[str], Path], text: str, name: str, message: str | None
) -> None:
    path = own_file(text)
    if message is None:
        assert get_method(f"{path}:{name}", x=5) == 5
        return
    with pytest.raises(UsageError) as caught:
        get_method(f"{path}:{name}")
    assert message in str(caught.value)


def test_a_plug_in_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    point = importlib.metadata.EntryPoint("broken", "nonsense_that_is_nowhere:Method", "gradmark.methods")
    monkeypatch.setattr(registry, "_entry_points", lambda kind: {"broken": point})
    with pytest.raises(UsageError, match=r"method `broken` \(nonsense_that_is_nowhere:Method\) could not be"):
        get_method("broken")


def in_folder(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("make", ["file", "package"])
@pytest.mark.parametrize(
    ("package", "code"),
    [
        ("methods", "gradmark.get_method('backprop')"),
        ("problems", "gradmark.get_problem('mlp')"),
    ],
)
def test_a_file_that_hides_ours_is_reported(tmp_path: Path, package: str, code: str, make: str) -> None:
    """A person's own methods.py in the working folder comes first on Python's path."""
    hiding = tmp_path / f"{package}.py" if make == "file" else tmp_path / package / "__init__.py"
    hiding.parent.mkdir(exist_ok=True)
    hiding.write_text("raise RuntimeError('this file must not even be run')\n", encoding="utf-8")
    result = in_folder(tmp_path, f"import gradmark; {code}")
    assert result.returncode != 0
    last = result.stderr.strip().splitlines()[-1]
    assert f"gradmark's own package `{package}` is hidden by {hiding}" in last
    assert "rename that file or folder, or run from another folder" in last and "path/to/file.py:name" in last


def test_a_hiding_file_can_still_be_named_itself(tmp_path: Path) -> None:
    (tmp_path / "methods.py").write_text(OWN_METHOD, encoding="utf-8")
    result = in_folder(tmp_path, "import gradmark; print(gradmark.get_method('methods.py:Mine', step=4.0))")
    assert result.stdout.strip() == "Mine(step=4.0)", result.stderr


def test_a_folder_without_init_is_harmless_or_reported(tmp_path: Path) -> None:
    """It hides nothing from an installed gradmark; for an editable one Python finds it before ours."""
    folder = tmp_path / "methods"
    folder.mkdir()
    result = in_folder(tmp_path, "import gradmark; print(gradmark.get_method('backprop'))")
    if result.returncode:
        assert f"is hidden by {folder}: rename that" in result.stderr.strip().splitlines()[-1]
    else:
        assert result.stdout.strip() == "Backprop(fast=True)"


def test_a_method_says_what_it_cannot_do_before_it_is_run() -> None:
    quadratic = gradmark.get_problem("quadratic")
    with pytest.raises(UsageError, match="Backprop cannot do quadratic: quadratic has no layers"):
        get_method("backprop").prepare(quadratic)
    with pytest.raises(UsageError, match="it computes gradient, jacobian, vjp, not hessian"):
        get_method("backprop").prepare(gradmark.get_problem("mlp"), "hessian")


def test_values_are_repeated_short_and_on_one_line() -> None:
    assert shown("x" * 200) == "x" * 77 + "..."
    assert "\n" not in shown("a\nb") and "\n" not in shown(["a\nb"])
