"""A line of Python that shows a finding again."""

from gradmark.judging.hearing import Hearing
from gradmark.judging.places.sites import Site, sites
from gradmark.registry import list_methods
from gradmark.run.plan import MethodCall
from gradmark.run.resolving import hyper_of


def line(hearing: Hearing, site: Site, array: str, index: tuple[int, ...], seed: int = 0) -> str:
    """The call of the method at `site` that gives the entry `index` of `array`."""
    names = [each.name for each in sites(hearing.problem, hearing.seed)]
    chosen = f"sites(p, {hearing.seed})[{names.index(site.name)}]" if site.name in names else "..."
    entry = f"[{', '.join(map(str, index))}]" if index else ""
    # An object that was given in Python has no name by which it could be had again.
    note = "" if _is_named(hearing) else f"  # {hearing.name}: the method as it was given"
    steps = "; ".join(
        [
            "import gradmark",
            "from gradmark.judging.places.sites import sites",
            f"p = {_problem(hearing)}",
            f"s = {chosen}",
            f"m = {_method(hearing)}",
            f"print(m.prepare(p)(s.parameters, {seed}, draw=s.draw).gradient[{array!r}]{entry})",
        ]
    )
    return steps + note


def _is_named(hearing: Hearing) -> bool:
    return hearing.name in list_methods() or ".py:" in hearing.name


def _problem(hearing: Hearing) -> str:
    trial = hearing.trial
    if trial.ready is not None:
        return trial.problem
    place = {"backend": trial.backend, "device": trial.device, "dtype": trial.dtype, "seed": trial.seed}
    arguments = {**trial.sizes, **place}
    return f"gradmark.get_problem({_call(trial.problem, arguments)})"


def _method(hearing: Hearing) -> str:
    hyper = hyper_of(hearing.method, MethodCall(hearing.name))
    if _is_named(hearing):
        return f"gradmark.get_method({_call(hearing.name, hyper)})"
    return f"{hearing.name}({', '.join(f'{key}={value!r}' for key, value in hyper.items())})"


def _call(name: str, arguments: dict[str, object]) -> str:
    return ", ".join([repr(name), *(f"{key}={value!r}" for key, value in arguments.items())])
