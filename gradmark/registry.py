"""Methods, problems, profiles, trials and commands by name: entry points, or ``path/to/file.py:name``."""

import importlib.metadata
import importlib.util
import inspect
from functools import cache
from pathlib import Path
from typing import Any, Literal

import gradmark
from gradmark.errors import UsageError, unknown_name
from gradmark.problem import Problem
from gradmark.source_file import from_file

Kind = Literal["method", "problem", "profile", "trial", "command"]
_PACKAGES = {
    "method": "methods",
    "problem": "problems",
    "profile": "problems",
    "trial": "problems",
    "command": "reports",
}


def list_methods(*, family: str | None = None, device: str | None = None) -> list[str]:
    """The names of the registered methods, optionally of one `family` or those that run on `device`.

    >>> "backprop" in list_methods(family="reverse")
    True
    """
    found = names("method")
    if family is None and device is None:
        return found
    claims = {name: get_method(name).claims for name in found}
    return [
        name
        for name in found
        if (family is None or claims[name].family == family)
        and (device is None or device.split(":")[0] in claims[name].devices)
    ]


def list_problems() -> list[str]:
    """The names of the registered problems.

    >>> "mlp" in list_problems()
    True
    """
    return names("problem")


def get_method(name: str, **hyper_parameters: Any) -> Any:
    """The method `name` with some of its hyper-parameters set.

    `name` is a registered name or ``path/to/file.py:name``. Raises `UsageError` for an unknown name or
    hyper-parameter.

    >>> get_method("backprop", fast=False).fast
    False
    """
    return call(load("method", name), f"method `{name}`", hyper_parameters)


def get_problem(name: str, **sizes: Any) -> Problem:
    """The problem `name` at given sizes, on a given backend, device and dtype.

    `name` is a registered name or ``path/to/file.py:name``; `sizes` are the factory's keyword arguments
    (among them ``backend="numpy"``, ``device="cpu"``, ``dtype="float64"``, ``seed=0``). The call is kept with
    the problem. Raises `UsageError` for an unknown name or argument, and for values that do not fit.

    >>> print(get_problem("rosenbrock", size=2, seed=1).call)
    rosenbrock(size=2, backend='numpy', device='cpu', dtype='float64', seed=1)
    """
    problem: Problem = call(load("problem", name), f"problem `{name}`", sizes)
    return problem


def names(kind: Kind) -> list[str]:
    """The registered names of a kind."""
    return sorted(_entry_points(kind))


def load(kind: Kind, name: str) -> Any:
    """The object registered (or found in a file) under `name`; `UsageError` where there is none."""
    if isinstance(name, str) and ".py:" in name:
        return from_file(kind, name)
    points = _entry_points(kind)
    if not isinstance(name, str) or name not in points:
        if Path(str(name)).suffix == ".py":
            raise UsageError(f"{kind} `{name}`: say which object of the file is meant, as {name}:name.")
        raise unknown_name(kind, name, points)
    point = points[name]
    _check_not_hidden(kind, point)
    try:
        return point.load()
    except Exception as error:  # a plug-in may fail in any way when it is imported
        owner = point.dist.name if point.dist else "its distribution"
        raise UsageError(
            f"{kind} `{name}` ({point.value}) could not be loaded: {type(error).__name__}: {error}; "
            f"reinstall or mend {owner}."
        ) from error


def registered_name(kind: Kind, found: type) -> str:
    """The name under which the class `found` is registered; its own where it is not."""
    home = f"{found.__module__}:{found.__qualname__}"
    return next((point.name for point in _entry_points(kind).values() if point.value == home), found.__name__)


def call(factory: Any, what: str, arguments: dict[str, Any]) -> Any:
    """``factory(**arguments)``, with one sentence instead of a TypeError for arguments it does not take."""
    if not callable(factory):
        raise UsageError(f"{what} is {factory!r}, which cannot be called: name a class or function.")
    signature = inspect.signature(factory)
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in signature.parameters.values())
    for key in arguments:
        if key not in signature.parameters and not takes_any:
            raise UsageError(f"{what}: {unknown_name('argument', key, signature.parameters)}")
    try:
        signature.bind(**arguments)
    except TypeError as error:
        raise UsageError(f"{what}: {error}; its arguments are {', '.join(signature.parameters)}.") from error
    return factory(**arguments)


@cache
def _entry_points(kind: Kind) -> dict[str, importlib.metadata.EntryPoint]:
    return {point.name: point for point in importlib.metadata.entry_points(group=f"gradmark.{kind}s")}


def _check_not_hidden(kind: Kind, point: importlib.metadata.EntryPoint) -> None:
    """`methods`, `problems` and `reports` are plain names, and a user's own file may hide ours.

    Ours stand beside `gradmark` itself, in a checkout as in an installation.
    """
    package = _PACKAGES[kind]
    if point.dist is None or point.dist.name != "gradmark" or point.module.split(".")[0] != package:
        return
    ours = Path(gradmark.__file__).parents[1] / package / "__init__.py"
    found = importlib.util.find_spec(package)
    if found is not None and found.origin is not None and Path(found.origin).resolve() == ours.resolve():
        return
    # A folder without __init__.py has no origin; it hides ours where gradmark is installed as editable.
    folders = list(found.submodule_search_locations or []) if found is not None else []
    where = (found.origin if found is not None else None) or next(iter(folders), "nothing Python finds")
    raise UsageError(
        f"gradmark's own package `{package}` is hidden by {where}: rename that "
        "file or folder, or run from another folder; your own methods and problems can be named as "
        "path/to/file.py:name."
    )
