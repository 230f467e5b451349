"""From the options of ``gradmark run`` to a plan: a profile, a part of it, or a comparison of one's own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from gradmark.arrays import BACKENDS, Arrays, installed
from gradmark.claims import Want
from gradmark.dtypes import real_dtype
from gradmark.errors import UsageError
from gradmark.registry import list_methods, load
from gradmark.run.plan import Comparison, MethodCall, check_want
from gradmark.run.resolving import PLACE, build_method, check_problem, takes

DEFAULT_PROFILE = "quick"
_GRADIENT = "gradient"
_STUDY = "cost"
"""Comparisons of one's own answer what each method costs and how wrong it is, as that study does."""


@dataclass(frozen=True)
class Selection:
    """What the options say; None and empty where nothing was said."""

    profile: str | None = None
    methods: tuple[MethodCall, ...] = ()
    problems: tuple[tuple[str, dict[str, Any]], ...] = ()
    backends: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    device: str | None = None
    want: str | None = None
    threads: int | None = None
    seed: int | None = None
    repetitions: int | None = None
    time_limit: float | None = None

    @property
    def name(self) -> str:
        """A word for it: the profile, or the problems."""
        if self.is_own:
            return "-".join(name.rpartition(":")[2] for name, _ in self.problems)
        return self.profile or DEFAULT_PROFILE

    @property
    def is_own(self) -> bool:
        """Whether it is a comparison of one's own: problems without a profile."""
        return bool(self.problems) and self.profile is None


def plan(selection: Selection) -> list[Comparison]:
    """The comparisons to run; `UsageError` for a name, number or combination that cannot be."""
    for dtype in selection.dtypes:
        if real_dtype(dtype) != dtype:
            raise UsageError(
                f"`--dtype {dtype}`: parameters are real; the real dtype is {real_dtype(dtype)}."
            )
    check_want(selection.want or _GRADIENT)
    comparisons = _own(selection) if selection.is_own else _from_profile(selection)
    said = {
        name: getattr(selection, name)
        for name in ("threads", "seed", "repetitions", "time_limit")
        if getattr(selection, name) is not None
    }
    return [replace(comparison, **said) for comparison in comparisons]


def _own(selection: Selection) -> list[Comparison]:
    """Every problem with every method, on each backend and in each dtype."""
    want = check_want(selection.want or _GRADIENT)
    methods = selection.methods or _computing(want)
    built = [build_method(call) for call in methods]
    plan = []
    for name, sizes in selection.problems:
        _check_no_place(name, sizes)
        problem = check_problem(name, sizes)
        own: Any = problem.arrays if problem is not None else Arrays()
        backends = selection.backends or _backends(built, selection.device)
        if not selection.backends and not takes(name, "backend"):
            backends = (own.backend,)
        dtypes = selection.dtypes or (("float64",) if takes(name, "dtype") else (own.dtype,))
        device = selection.device or (own.device if not takes(name, "device") else "cpu")
        for backend in backends:
            for dtype in dtypes:
                Arrays(backend, device, dtype)
                place: dict[str, Any] = {"backend": backend, "device": device, "dtype": dtype}
                plan.append(Comparison(_STUDY, name, sizes, methods, want=want, **place))
    return plan


def _computing(want: Want) -> tuple[MethodCall, ...]:
    """All methods that say they compute it."""
    calls = [MethodCall(name) for name in list_methods()]
    return tuple(call for call in calls if want in build_method(call).claims.wants)


def _check_no_place(name: str, sizes: dict[str, Any]) -> None:
    """A place among the sizes would be named in the records and yet lose against the options."""
    for place in PLACE:
        if place in sizes:
            raise UsageError(
                f"problem `{name}`: `{place}={sizes[place]}` is no size of it: say it with `--{place}`."
            )


def _backends(methods: Sequence[Any], device: str | None) -> tuple[str, ...]:
    """The backends that are needed so that every method runs on one: the first that each can run on."""
    usable = [backend for backend in BACKENDS if installed(backend) and _has_device(backend, device)]
    if not usable:
        Arrays("torch", device or "cpu")
        raise UsageError(f"no installed backend has `device={device}`: use `--device cpu`.")
    needed = []
    for method in methods:
        first = next((backend for backend in usable if backend in method.claims.backends), None)
        if first is not None and first not in needed:
            needed.append(first)
    return tuple(needed) or (usable[0],)


def _has_device(backend: str, device: str | None) -> bool:
    if device in (None, "cpu"):
        return backend != "array_api_strict"
    try:
        Arrays(backend, device or "cpu", "float32")
    except UsageError:
        return False
    return backend != "array_api_strict"


def _from_profile(selection: Selection) -> list[Comparison]:
    profile = selection.profile or DEFAULT_PROFILE
    comparisons: list[Comparison] = load("profile", profile)()
    for name, sizes in selection.problems:
        if sizes:
            raise UsageError(
                f"problem `{name}`: the profile `{profile}` has sizes of its own; leave out `--profile` to "
                f"measure it at {', '.join(f'{key}={value}' for key, value in sizes.items())}."
            )
    for what, chosen, field in (
        ("problem", tuple(name for name, _ in selection.problems), "problem"),
        ("backend", selection.backends, "backend"),
        ("dtype", selection.dtypes, "dtype"),
        ("quantity", () if selection.want is None else (selection.want,), "want"),
    ):
        comparisons = _only(profile, comparisons, what, chosen, field)
    if selection.device is not None:
        comparisons = _on_device(profile, comparisons, selection.device)
    if selection.methods:
        comparisons = _with_methods(profile, comparisons, selection.methods)
    return comparisons


def _only(
    profile: str, comparisons: list[Comparison], what: str, chosen: tuple[str, ...], field: str
) -> list[Comparison]:
    if not chosen:
        return comparisons
    there = {getattr(comparison, field) for comparison in comparisons}
    for name in chosen:
        if name not in there:
            known = ", ".join(sorted(there))
            alone = " Leave out `--profile` to measure it by itself." if what == "problem" else ""
            raise UsageError(
                f"the profile `{profile}` has nothing for the {what} `{name}`, only {known}.{alone}"
            )
    return [comparison for comparison in comparisons if getattr(comparison, field) in chosen]


def _on_device(profile: str, comparisons: list[Comparison], device: str) -> list[Comparison]:
    """The profile's comparisons on another device, where their backend has it."""
    has = {backend: _has_device(backend, device) for backend in {one.backend for one in comparisons}}
    if not any(has.values()):
        for backend in has:
            Arrays(backend, device, "float32")
    return [replace(one, device=device) for one in comparisons if has[one.backend]]


def _with_methods(
    profile: str, comparisons: list[Comparison], methods: tuple[MethodCall, ...]
) -> list[Comparison]:
    """The profile with these methods only; one that it does not know joins where times are measured."""
    known = {call.name for comparison in comparisons for call in comparison.methods}
    chosen = []
    for comparison in comparisons:
        calls = [call for method in methods for call in _calls(comparison, method, method.name in known)]
        if calls:
            chosen.append(replace(comparison, methods=tuple(calls)))
    if not chosen:
        named = ", ".join(method.name for method in methods)
        raise UsageError(f"no comparison of the profile `{profile}` has {named} on these backends.")
    return chosen


def _calls(comparison: Comparison, method: MethodCall, known: bool) -> list[MethodCall]:
    same = [call for call in comparison.methods if call.name == method.name]
    if "time" not in comparison.quantities:
        return [call for call in same if method.hyper.items() <= call.hyper.items()]
    runs = same if known else comparison.backend in build_method(method).claims.backends
    return [method] if runs else []
