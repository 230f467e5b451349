"""The rules of the house, read off the source: who imports whom, names, lengths, what is loaded early."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gradmark

ROOT = Path(gradmark.__file__).parents[1]
# What each package may import of the others; itself and gradmark's dependencies always.
MAY_IMPORT = {
    "gradmark": set(),
    "methods": {"gradmark"},
    "problems": {"gradmark"},
    "reports": {"gradmark", "methods", "problems"},
    "benchmarks": {"gradmark", "methods", "problems"},
}
OURS = {*MAY_IMPORT, "tests"}
FORBIDDEN_NAMES = {"utils", "helpers", "misc", "common"}
LENGTH = 200
# So many modules of a package need no map.
FEW = 4
# What takes a tenth of a second or more to import.
HEAVY = {"torch", "jax", "pandas", "matplotlib", "sklearn", "scipy"}
every_package = pytest.mark.parametrize("package", MAY_IMPORT)


def sources(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert found, f"no sources of {package} in {ROOT}"
    return found


def imported(tree: ast.AST) -> Iterator[str]:
    """The top-level package of each import anywhere below `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def at_import(path: Path) -> Iterator[str]:
    """What a module imports as soon as it is imported itself."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imported(node)


@every_package
def test_imports_point_one_way(package: str) -> None:
    allowed = {package, *MAY_IMPORT[package]}
    against = {
        str(path): sorted(found - allowed)
        for path in sources(package)
        if (found := set(imported(ast.parse(path.read_text(encoding="utf-8")))) & OURS) - allowed
    }
    assert against == {}


@every_package
def test_no_module_is_a_drawer_for_odds_and_ends(package: str) -> None:
    inside = [path.relative_to(ROOT) for path in sources(package)]
    drawers = {path for path in inside if {path.stem, *path.parts} & FORBIDDEN_NAMES}
    assert drawers <= {Path("benchmarks/common.py")}  # the name that asv suites have for it


@every_package
def test_modules_stay_under_two_hundred_lines(package: str) -> None:
    lengths = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources(package)}
    assert {path: length for path, length in lengths.items() if length >= LENGTH} == {}


def large_packages() -> list[str]:
    """All with more than four modules but the engine's own, whose docstring is for whoever imports it."""
    folders = [init.parent for name in MAY_IMPORT for init in sources(name) if init.name == "__init__.py"]
    large = [folder for folder in folders if len(list(folder.glob("*.py"))) - 1 > FEW]
    return [str(folder.relative_to(ROOT)) for folder in large if folder != ROOT / "gradmark"]


@pytest.mark.parametrize("package", large_packages())
def test_a_large_package_says_where_each_of_its_files_belongs(package: str) -> None:
    said = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text(encoding="utf-8"))) or ""
    files = {path.stem for path in (ROOT / package).glob("*.py")} - {"__init__"}
    assert {name for name in files if f"`{name}`" not in said} == set()


def test_the_engine_imports_nothing_heavy_at_the_top_of_a_module() -> None:
    early = {str(path): found for path in sources("gradmark") if (found := set(at_import(path)) & HEAVY)}
    assert early == {}


def loaded_by(code: str) -> set[str]:
    """The heavy libraries that are loaded after `code` has run in a fresh interpreter."""
    listing = f"{code}\nimport sys; print(*sorted({HEAVY!r} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", listing], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    return set(result.stdout.split())


def test_importing_gradmark_loads_nothing_heavy() -> None:
    assert loaded_by("import gradmark; gradmark.list_methods(); gradmark.list_problems()") == set()


def test_everything_public_is_to_be_had_without_torch() -> None:
    code = "import gradmark\nfor name in gradmark.__all__: getattr(gradmark, name)"
    assert not loaded_by(code) & {"torch", "jax", "matplotlib", "sklearn"}


def test_a_numpy_gradient_needs_neither_torch_nor_jax() -> None:
    code = (
        "import gradmark; p = gradmark.get_problem('mlp', data='synthetic', widths=(3, 2));"
        "gradmark.get_method('backprop').prepare(p)(p.parameters)"
    )
    assert not loaded_by(code) & {"torch", "jax", "pandas", "matplotlib", "sklearn"}


def test_no_module_hides_a_public_name() -> None:
    """Once gradmark.x is imported as a module, it would take the place of the function of that name."""
    modules = {path.stem for path in (ROOT / "gradmark").iterdir()}
    assert not modules & set(gradmark.__all__)


def test_what_is_announced_is_what_there_is() -> None:
    from gradmark import _HOMES

    assert set(gradmark.__all__) == {*_HOMES, "__version__"} == set(dir(gradmark))
    for name in gradmark.__all__:
        assert getattr(gradmark, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        gradmark.nonsense  # noqa: B018
