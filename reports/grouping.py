"""Which cases belong together: scenes (a problem and its settings), places, variants of a method, sweeps.

Cases are grouped by what their keys contain, not by the study they were planned for, so that a run of one's
own selection makes the same page.
"""

import json
from pathlib import PurePath
from typing import Any

import pandas as pd

SHORTEST_SWEEP = 3
"""So many values of a hyper-parameter, all else equal, are a sweep and not variants side by side."""

_FIXED = ("want", "point", "draw", "state", "seed")


def grouped(cases: pd.DataFrame) -> pd.DataFrame:
    """`cases` with the columns

    ``name`` (the method, short), ``place`` (backend, device and threads in words), ``scene`` (problem and
    settings in words, without what makes it larger), ``alphabet`` (the widths that occur, whatever the
    depth), ``sweep`` (None, or the name of the hyper-parameter that varies), ``sweep_value``, ``main`` (False
    for what only belongs to a sweep) and ``variant`` (the method in words, with those hyper-parameters in
    which its variants differ).
    """
    cases = cases.copy()
    keys = [json.loads(key) for key in cases["key"]]
    hyper = [key.get("hyper") or {} for key in keys]
    sizes = [key.get("sizes") or {} for key in keys]
    cases["name"] = [short_name(name) for name in cases["method"]]
    cases["place"] = places(cases)
    cases["scene"] = _scenes(cases, sizes)
    cases["alphabet"] = [_alphabet(entry) for entry in sizes]
    cases["sweep"], cases["sweep_value"] = _sweeps(cases, hyper)
    cases["main"] = _main(cases, hyper)
    cases["variant"] = _variants(cases, hyper)
    return cases


def short_name(name: str) -> str:
    """A registered name as it is; for ``path/to/file.py:name`` the name alone with its file.

    >>> short_name("/home/me/ideas/newton.py:secant")
    'newton.py:secant'
    """
    path, colon, attribute = name.rpartition(":")
    return f"{PurePath(path).name}:{attribute}" if colon else name


def places(cases: pd.DataFrame) -> list[str]:
    """Where each case ran: the backend, with device and threads where they differ within the run."""
    several_devices = set(cases["device"]) - {"cpu"}
    several_threads = cases["threads"].nunique() > 1
    backends = cases["backend"].astype(str)
    devices = " " + cases["device"].astype(str) if several_devices else ""
    threads = ", " + cases["threads"].astype(str) + " threads" if several_threads else ""
    return list(backends + devices + threads)


def _scenes(cases: pd.DataFrame, sizes: list[dict[str, Any]]) -> list[str]:
    growing = {problem: _growing(cases, sizes, problem) for problem in set(cases["problem"])}
    varied = [name for name in _FIXED if cases[name].astype(str).nunique() > 1 or _unusual(name, cases)]
    scenes = []
    for row, arguments in zip(cases.to_dict("records"), sizes, strict=True):
        settings = {name: v for name, v in arguments.items() if name not in growing[row["problem"]]}
        words = [_words(name, value) for name, value in settings.items()]
        if row["rows"] > 1 and row["rows"] not in settings.values():
            words.append(f"{row['rows']:.0f} rows")
        if pd.notna(row["depth"]):
            words.append(f"{row['depth']:.0f} affine layers")
        words += [f"{name} {row[name]}" for name in varied]
        scenes.append(short_name(row["problem"]) + (f" ({', '.join(words)})" if words else ""))
    return scenes


def _unusual(name: str, cases: pd.DataFrame) -> bool:
    """Whether it must be said though it is the same everywhere: nobody expects another than the gradient."""
    return name == "want" and bool((cases[name].dropna() != "gradient").any())


def _growing(cases: pd.DataFrame, sizes: list[dict[str, Any]], problem: str) -> set[str]:
    """The arguments that make the problem larger: lists of widths, and numbers one-to-one with P."""
    rows = [
        (entry, P) for entry, P, of in zip(sizes, cases["P"], cases["problem"], strict=True) if of == problem
    ]
    names = {name for entry, _ in rows for name in entry}
    return {name for name in names if _grows([(entry[name], P) for entry, P in rows if name in entry])}


def _grows(pairs: list[tuple[Any, float]]) -> bool:
    if any(isinstance(value, list) for value, _ in pairs):
        return True
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value, _ in pairs):
        return False
    distinct = set(pairs)
    return len(distinct) == len({value for value, _ in distinct}) == len({P for _, P in distinct})


def _words(name: str, value: Any) -> str:
    if isinstance(value, str):
        return short_name(value)
    if isinstance(value, bool):
        return name if value else f"no {name}"
    return f"{name} {value:g}" if isinstance(value, int | float) else f"{name} {json.dumps(value)}"


def _alphabet(arguments: dict[str, Any]) -> str:
    """The arguments, lists reduced to their set of entries: equal for nets that differ in depth alone."""
    reduced = {
        name: sorted(set(map(str, value))) if isinstance(value, list) else value
        for name, value in arguments.items()
        if name not in ("depth", "layers")
    }
    return json.dumps(reduced, sort_keys=True)


def _sweeps(cases: pd.DataFrame, hyper: list[dict[str, Any]]) -> tuple[list[str | None], list[float | None]]:
    """For each case the swept hyper-parameter and its value, where all else is equal in enough cases."""
    groups: dict[str, dict[int, float]] = {}
    fields: dict[int, str] = {}
    for index, (key, own) in enumerate(zip(cases["key"], hyper, strict=True)):
        for claim in ("step_field", "samples_field"):
            name = cases[claim].iat[index]
            if isinstance(name, str) and isinstance(own.get(name), int | float):
                rest = json.loads(key) | {"hyper": {other: own[other] for other in own if other != name}}
                groups.setdefault(json.dumps([claim, rest], sort_keys=True), {})[index] = float(own[name])
                fields[index] = name
    swept = {
        index: value
        for group in groups.values()
        if len(set(group.values())) >= SHORTEST_SWEEP
        for index, value in group.items()
    }
    order = range(len(cases))
    return [fields[i] if i in swept else None for i in order], [swept.get(i) for i in order]


def _main(cases: pd.DataFrame, hyper: list[dict[str, Any]]) -> list[bool]:
    """Whether a case's method and hyper-parameters stand anywhere outside a sweep; all, where none does."""
    variants = [
        (name, json.dumps(own, sort_keys=True)) for name, own in zip(cases["method"], hyper, strict=True)
    ]
    outside = {variant for variant, sweep in zip(variants, cases["sweep"], strict=True) if pd.isna(sweep)}
    methods = {name for name, _ in outside}
    return [variant in outside or variant[0] not in methods for variant in variants]


def _variants(cases: pd.DataFrame, hyper: list[dict[str, Any]]) -> list[str]:
    """The short name, with the hyper-parameters (and versions) in which the method's main variants differ."""
    hyper = [own | {"version": str(version)} for own, version in zip(hyper, cases["version"], strict=True)]
    seen: dict[tuple[str, str], set[str]] = {}
    for method, own, main in zip(cases["method"], hyper, cases["main"], strict=True):
        for name, value in own.items() if main else ():
            seen.setdefault((method, name), set()).add(json.dumps(value))
    names = []
    for short, method, own, main in zip(cases["name"], cases["method"], hyper, cases["main"], strict=True):
        told = {n for n in own if len(seen.get((method, n), ())) > 1 or not (main or n == "version")}
        names.append(" ".join([short, *(f"{n}={_plain(v)}" for n, v in own.items() if n in told)]))
    return names


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
