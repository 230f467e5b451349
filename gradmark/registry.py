"""Methods, problems, profiles and commands by name: entry points, or ``path/to/file.py:name``."""

import hashlib
import importlib.metadata
import importlib.util
import inspect
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from gradmark.errors import UsageError, unknown_name

Kind = Literal["method", "problem", "profile", "command"]
_PACKAGES = {"method": "methods", "problem": "problems", "profile": "problems", "command": "reports"}


def list_methods(*, family: str | None = None, device: str | None = None) -> list[str]:
    """The names of the registered methods, optionally of one `family` or those that run on `device`."""
    names = sorted(_entry_points("method"))
    if family is None and device is None:
        return names
    claims = {name: load("method", name)().claims for name in names}
    return [
        name
        for name in names
        if (family is None or claims[name].family == family)
        and (device is None or device.split(":")[0] in claims[name].devices)
    ]


def list_problems() -> list[str]:
    """The names of the registered problems."""
    return sorted(_entry_points("problem"))


def get_method(name: str, **hyper_parameters: Any) -> Any:
    """The method `name` with some of its hyper-parameters set.

    `name` is a registered name or ``path/to/file.py:name``. Raises `UsageError` for an unknown name or
    hyper-parameter.

    >>> get_method("central_difference", step=1e-5).step
    1e-05
    """
    return call(load("method", name), f"method `{name}`", hyper_parameters)


def get_problem(name: str, **sizes: Any) -> Any:
    """The problem `name` at given sizes, on a given backend, device and dtype.

    `name` is a registered name or ``path/to/file.py:name``; `sizes` are the factory's keyword arguments
    (among them ``backend="numpy"``, ``device="cpu"``, ``dtype="float64"``, ``seed=0``). The call is kept with the
    problem. Raises `UsageError` for an unknown name or argument.
    """
    return call(load("problem", name), f"problem `{name}`", sizes)


def names(kind: Kind) -> list[str]:
    """The registered names of a kind."""
    return sorted(_entry_points(kind))


def load(kind: Kind, name: str) -> Any:
    """The object registered (or found in a file) under `name`; `UsageError` where there is none."""
    if ".py:" in name:
        return _from_file(kind, name)
    points = _entry_points(kind)
    if name not in points:
        raise unknown_name(kind, name, points)
    point = points[name]
    _check_not_hidden(kind, point)
    return point.load()


def call(factory: Callable[..., Any], what: str, arguments: dict[str, Any]) -> Any:
    """``factory(**arguments)``, with one sentence instead of a TypeError for an argument it does not take."""
    allowed = _argument_names(factory)
    for key in arguments:
        if key not in allowed:
            error = unknown_name("argument", key, allowed)
            raise UsageError(f"{what}: {error}")
    return factory(**arguments)


def _argument_names(factory: Callable[..., Any]) -> list[str]:
    if inspect.isclass(factory) and is_dataclass(factory):
        return [field.name for field in fields(factory) if field.init]
    return list(inspect.signature(factory).parameters)


@cache
def _entry_points(kind: Kind) -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group=f"gradmark.{kind}s")}


def _check_not_hidden(kind: Kind, point: importlib.metadata.EntryPoint) -> None:
    """`methods`, `problems` and `reports` are plain names, and a user's own file may hide ours."""
    package = _PACKAGES[kind]
    if point.dist is None or point.dist.name != "gradmark" or point.module.split(".")[0] != package:
        return
    found = importlib.util.find_spec(package)
    marker = "gradmark built-ins"
    if found is not None and found.origin is not None:
        path = Path(found.origin)
        if path.name == "__init__.py" and marker in path.read_text(encoding="utf-8"):
            return
    where = found.origin if found is not None else "nothing"
    raise UsageError(
        f"gradmark's own package `{package}` is hidden by {where}: rename that file or folder, or run from "
        f"another folder; your own methods and problems can be named as path/to/file.py:name."
    )


def _from_file(kind: Kind, name: str) -> Any:
    path_text, _, attribute = name.rpartition(":")
    path = Path(path_text).expanduser().resolve()
    if not path.is_file():
        raise UsageError(f"{kind} `{name}`: there is no file {path}; give an existing path/to/file.py:name.")
    module = _load_module(path)
    if not hasattr(module, attribute):
        public = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise UsageError(f"{kind} `{name}`: {unknown_name('name', attribute, public)}")
    return getattr(module, attribute)


def _load_module(path: Path) -> ModuleType:
    """The module of a file under a private name, so that it hides nothing and nothing hides it."""
    private = f"_gradmark_file_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    if private in sys.modules:
        return sys.modules[private]
    spec = importlib.util.spec_from_file_location(private, path)
    assert spec is not None and spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    sys.modules[private] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[private]
        raise UsageError(
            f"the file {path} could not be loaded: {type(error).__name__}: {error}; mend it and try again."
        ) from error
    return module
