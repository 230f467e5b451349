"""Measuring in a notebook: the same measurements as a run's, in this process, as a pandas DataFrame."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradmark.claims import Want
from gradmark.errors import UsageError
from gradmark.method import Method
from gradmark.problem import Problem
from gradmark.run.plan import check_groups, check_want
from gradmark.run.records import GROUPS, PLAIN_FORWARD, QUANTITIES, Group, Record, canonical, digest

if TYPE_CHECKING:
    import pandas as pd

MethodLike = Any
"""A method: an instance, a name (``"backprop"``, ``"central_difference:step=1e-5"``, ``"file.py:name"``),
or a short-form function."""

_COLUMNS = (
    "time", "ratio", "ratio_low", "ratio_high", "error", "digits", "cosine", "norm_ratio", "ulp",
    "evaluations", "passes", "peak_bytes", "prepare_time",
)  # fmt: skip


def compare(
    problem: Problem,
    methods: Iterable[MethodLike] | MethodLike,
    *,
    quantities: Sequence[Group] = GROUPS,
    budget: float | None = None,
    repetitions: int = 1,
    seed: int = 0,
    threads: int = 1,
    want: Want = "gradient",
) -> "pd.DataFrame":
    """Measure methods side by side on one problem; one row for each, and one for the plain forward pass.

    Columns: ``method`` and its hyper-parameters ``hyper`` (a dict); ``status`` and ``reason``; ``time`` and
    ``prepare_time`` in seconds; ``ratio``, the time in plain forward passes, with its 95 % interval;
    ``error`` (relative, 2-norm), ``digits``, ``cosine``, ``norm_ratio`` and ``ulp`` against the best
    reference there is; ``evaluations`` and ``passes``; ``peak_bytes``. `quantities` are some of "time",
    "memory", "error" and "work"; `budget` is the seconds for timing, all methods together; `repetitions`
    how many seeds a stochastic method's error is averaged over. What a method cannot do, or where it fails,
    is said in its row. BLAS and torch use `threads` threads meanwhile. `want` is what is measured:
    "gradient", or one of "jvp", "vjp", "jacobian", "hvp" and "hessian", along a direction that `seed` draws
    (`gradmark.quantities`).

    Raises `UsageError` for an unknown method, quantity or `want`.

    >>> import gradmark
    >>> problem = gradmark.get_problem("mlp", widths=(64, 8, 10))
    >>> table = gradmark.compare(problem, ["backprop", "central_difference"], quantities=["work"])
    >>> [int(passes) for passes in table["passes"]]
    [2, 1220]
    """
    import pandas as pd

    from gradmark.measuring.threads import pinned
    from gradmark.run.measurement import measure as measure_all
    from gradmark.run.session import Candidate, Session

    groups, want = check_groups(quantities), check_want(want)
    if not (hasattr(problem, "loss") and hasattr(problem, "parameters")):
        raise UsageError(
            f"`problem={problem!r}` is not a problem: build one with `get_problem`, `from_function` or "
            "`from_torch`."
        )
    found = _told_apart([resolved(method) for method in _listed(methods)])
    records: list[Record] = []
    session = Session(
        problem,
        "notebook",
        _key(problem, PLAIN_FORWARD, {}, seed, threads, want),
        records.extend,
        seed=seed,
        repetitions=repetitions,
        budget=budget,
        want=want,
    )
    candidates = [
        Candidate(index, method, _key(problem, name, hyper, seed, threads, want), groups)
        for index, (name, method, hyper) in enumerate(found)
    ]
    with pinned(threads):
        measure_all(session, candidates)
    keys = [candidate.key for candidate in candidates]
    if "time" in groups:
        keys = [session.forward_key, *keys]
    return pd.DataFrame([_row(key, records) for key in keys])


def measure(method: MethodLike, problem: Problem, **options: Any) -> "pd.Series[Any]":
    """Measure one method on one problem: its row of `compare`, which see for the options and the fields."""
    return compare(problem, [method], **options).iloc[-1]


def load(run: str | Path) -> "pd.DataFrame":
    """The records of a run folder as a tidy DataFrame: see `gradmark.run.frame.read_frame`."""
    from gradmark.run.frame import read_frame

    return read_frame(run)[0]


def _listed(methods: Any) -> list[Any]:
    """`methods` as a list; a single one may be given by itself."""
    alone = isinstance(methods, str) or callable(methods) or hasattr(methods, "prepare")
    return [methods] if alone or not isinstance(methods, Iterable) else list(methods)


def resolved(method: Any) -> tuple[str, Method, dict[str, Any]]:
    """Name, method and hyper-parameters."""
    from gradmark.registry import registered_name
    from gradmark.run.naming import parsed
    from gradmark.run.plan import MethodCall
    from gradmark.run.resolving import as_method, build_method, hyper_of

    if isinstance(method, str):
        call = MethodCall(*parsed("method", method))
        built = build_method(call)
        return call.name, built, hyper_of(built, call)
    built = as_method(method, f"`{method!r}`", {})
    name = getattr(method, "__name__", None) or registered_name("method", type(built))
    return name, built, hyper_of(built, MethodCall(name))


def _told_apart(found: list[tuple[str, Method, dict[str, Any]]]) -> list[tuple[str, Method, dict[str, Any]]]:
    """Two functions of one name, such as closures, are two cases: the later ones are numbered."""
    seen: Counter[str] = Counter()
    result = []
    for name, method, hyper in found:
        seen[canonical([name, hyper])] += 1
        times = seen[canonical([name, hyper])]
        result.append((name if times == 1 else f"{name} ({times})", method, hyper))
    return result


def _key(
    problem: Problem, method: str, hyper: Mapping[str, Any], seed: int, threads: int, want: Want
) -> dict[str, Any]:
    from gradmark.run.resolving import key_of

    arrays = problem.arrays
    place = {"backend": arrays.backend, "device": arrays.device, "dtype": arrays.dtype, "want": want}
    return key_of(
        problem.call.name, problem.call.arguments, method, hyper, seed=seed, threads=threads, **place
    )


def _row(key: Mapping[str, Any], records: Sequence[Record]) -> dict[str, Any]:
    case = {record.quantity: record for record in records if record.id == digest(key)}
    end = case.get("case")
    values = {name: case[name].value if name in case else None for name in _COLUMNS if name in _ALL}
    ratio = case.get("ratio")
    values |= {"ratio_low": ratio.low if ratio else None, "ratio_high": ratio.high if ratio else None}
    names = {"method": key["method"], "hyper": key["hyper"]}
    row = names | {name: _number(values[name]) for name in _COLUMNS}
    if end is None:
        return row | {"status": None, "reason": None}
    reasons = [
        f"{name}: {record.reason}" for name, record in case.items() if record.reason and name != "case"
    ]
    return row | {"status": end.status, "reason": end.reason or "; ".join(reasons)}


_ALL = {name for names in QUANTITIES.values() for name in names}


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
