"""From the names in a comparison to problems, methods and the keys of their cases."""

import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, cast

from gradmark.errors import UsageError, unknown_name
from gradmark.method import Method
from gradmark.problem import Problem
from gradmark.registry import call, load
from gradmark.run.declared import defaults, fitted
from gradmark.run.plan import Comparison, MethodCall
from gradmark.run.records import KEY_VERSION, plain

PLACE = ("backend", "device", "dtype", "seed")
"""Arguments of a problem factory that a comparison keeps apart from its sizes."""


def build_method(method: MethodCall) -> Method:
    """The method that a call names; `UsageError` where there is none, or its hyper-parameters don't fit."""
    return as_method(load("method", method.name), f"method `{method.name}`", method.hyper)


def as_method(found: Any, what: str, hyper: Mapping[str, Any]) -> Method:
    """A method from an instance or a class, with these hyper-parameters; `UsageError` if it is none."""
    if _is_method(found):
        return _with_hyper(found, what, hyper)
    built = _call(found, what, hyper) if isinstance(found, type) else None
    if not _is_method(built):
        raise UsageError(
            f"{what} is not a gradient method: write a dataclass with claims, supports and prepare, or put "
            "@gradmark.gradient_method above a function."
        )
    return cast(Method, built)


def build_problem(comparison: Comparison) -> Problem:
    """The problem of a comparison, on its backend, device and dtype.

    A factory that does not take one of them builds the problem where it likes, and it is carried over.
    """
    what, factory = f"problem `{comparison.problem}`", load("problem", comparison.problem)
    _check_callable(factory, what)
    place = {name: getattr(comparison, name) for name in PLACE}
    taken = {name: value for name, value in place.items() if name in inspect.signature(factory).parameters}
    problem: Any = _problem(factory, what, {**comparison.sizes, **taken})
    wanted = {name: place[name] for name in ("backend", "device", "dtype")}
    here = {name: getattr(problem.arrays, name) for name in wanted}
    return cast(Problem, problem if here == wanted else problem.to(**wanted))


def check_problem(name: str, sizes: Mapping[str, Any]) -> Problem | None:
    """Build a problem where its factory builds it by itself, so that bad sizes are found before a run begins.

    None where it is too large for this process; a worker will say so.
    """
    try:
        return _problem(load("problem", name), f"problem `{name}`", sizes)
    except MemoryError:
        return None


def takes(problem: str, argument: str) -> bool:
    """Whether the factory of a problem has this argument."""
    return argument in inspect.signature(load("problem", problem)).parameters


def case_key(comparison: Comparison, name: str, hyper: Mapping[str, Any]) -> dict[str, Any]:
    """The key of one method's case in a comparison; sizes hold the factory's defaults too."""
    return key_of(
        comparison.problem,
        full_sizes(comparison),
        name,
        hyper,
        seed=comparison.seed,
        backend=comparison.backend,
        device=comparison.device,
        dtype=comparison.dtype,
        threads=comparison.threads,
        want=comparison.want,
    )


def key_of(
    problem: str, sizes: Mapping[str, Any], method: str, hyper: Mapping[str, Any], **place: Any
) -> dict[str, Any]:
    """Everything that could change the answer for one method on one problem.

    What comes from a file is named by the file's name, and its content counts as a part of the version.
    """
    return {
        "problem": short_name(problem),
        "sizes": {name: plain(value) for name, value in sizes.items() if name not in PLACE},
        "method": short_name(method),
        "hyper": plain(hyper),
        "want": place.get("want", "gradient"),
        "point": "initial",
        "draw": None,
        "state": None,
        **{name: place[name] for name in ("seed", "backend", "device", "dtype", "threads")},
        "version": _version(problem, method, *(each for each in hyper.values() if isinstance(each, str))),
    }


def full_sizes(comparison: Comparison) -> dict[str, Any]:
    """The factory's defaults, and over them the comparison's sizes."""
    factory = load("problem", comparison.problem)
    given = fitted(factory, f"problem `{comparison.problem}`", comparison.sizes)
    return defaults(factory) | given


def hyper_of(method: Any, call: MethodCall) -> dict[str, Any]:
    """All hyper-parameters of a method: its dataclass fields, else those it was called with."""
    if not is_dataclass(method):
        return dict(call.hyper)
    return {field.name: getattr(method, field.name) for field in fields(method) if field.init}


def short_name(name: str) -> str:
    """``file.py:name`` without its folder; other names as they are."""
    path, separator, attribute = name.rpartition(":")
    return f"{Path(path).name}:{attribute}" if separator and path.endswith(".py") else name


def _version(*names: str) -> int | str:
    """The version of the definitions; code from files is known by its content."""
    parts = [name.partition(".py:") for name in names]
    paths = [Path(f"{path}.py").expanduser() for path, separator, _ in parts if separator]
    if not paths:
        return KEY_VERSION
    content = hashlib.sha256()
    for path in paths:
        content.update(path.read_bytes() if path.is_file() else b"")
    return f"{KEY_VERSION}+{content.hexdigest()[:8]}"


def _is_method(found: Any) -> bool:
    return not isinstance(found, type) and all(
        _has(found, member) for member in ("claims", "supports", "prepare")
    )


def _with_hyper(method: Any, what: str, hyper: Mapping[str, Any]) -> Method:
    """A method that the file holds ready made, with some of its fields changed."""
    if not hyper:
        return cast(Method, method)
    if not is_dataclass(method):
        raise UsageError(f"{what}: it takes no hyper-parameters, but {', '.join(hyper)} was given.")
    given = fitted(type(method), what, hyper)
    for name in given:
        if name not in hyper_of(method, MethodCall("")):
            raise UsageError(f"{what}: {unknown_name('argument', name, hyper_of(method, MethodCall('')))}")
    try:
        return cast(Method, replace(method, **given))  # type: ignore[type-var]
    except Exception as error:
        raise UsageError(f"{what} could not be made: {type(error).__name__}: {error}.") from error


def _problem(factory: Any, what: str, arguments: Mapping[str, Any]) -> Problem:
    _check_callable(factory, what)
    problem = _call(factory, what, arguments)
    if not hasattr(problem, "loss") or not hasattr(problem, "arrays"):
        raise UsageError(f"{what} makes a {type(problem).__name__}, which is not a problem.")
    return cast(Problem, problem)


def _has(found: Any, member: str) -> bool:
    """A property that raises is there: who reads it says what is wrong."""
    try:
        return hasattr(found, member)
    except Exception:
        return True


def _check_callable(factory: Any, what: str) -> None:
    if not callable(factory):
        raise UsageError(f"{what} is a {type(factory).__name__}, not a function that makes a problem.")


def _call(factory: Any, what: str, arguments: Mapping[str, Any]) -> Any:
    """``factory(**arguments)``; whatever it raises becomes one sentence."""
    arguments = fitted(factory, what, arguments)
    try:
        return call(factory, what, dict(arguments))
    except (UsageError, MemoryError):
        raise
    except Exception as error:
        raise UsageError(f"{what} could not be made: {type(error).__name__}: {error}.") from error
