"""What the page says first: each sentence is made from the numbers of the run."""

from typing import Any

import pandas as pd

from reports import numbers
from reports.answers import scope
from reports.answers.error import largest_rounding
from reports.answers.sentences import joined, listed
from reports.run import Run
from reports.series import main_dtype
from reports.studies.parallel import exactness, normalised, schedules, speed, weights, workers
from reports.table import Cell, Sentence


def lead(run: Run, cases: pd.DataFrame, cores: int | None) -> list[tuple[str, Sentence]]:
    """A label and a sentence for each question that the run answers."""
    found = [
        ("Measured", scope.what(run)),
        ("Finished", scope.how_many(run)),
        ("Equality", equality(cases)),
        ("Weights", unequal(cases)),
        ("Batch normalisation", normalisation(cases)),
        ("Time", time(cases, cores)),
        ("Waiting", waiting(cases)),
        ("Bubble", bubble()),
    ]
    return [(label, said) for label, said in found if said is not None]


def equality(cases: pd.DataFrame) -> Sentence | None:
    """The largest error of the parallel methods, beside that of backprop."""
    every = exactness.exact(cases)
    shared, alone = every[every["kind"] != workers.ONE], every[every["kind"] == workers.ONE]
    if shared.empty:
        return None
    wrong = shared[shared["error"] > shared["dtype"].map(largest_rounding)]
    if not wrong.empty:
        parts: list[Sentence] = [(f"{_who(row)} ", _error(row)) for row in wrong.to_dict("records")]
        start = f"In {len(wrong)} of {len(shared)} cases the gradient is off by more than rounding: "
        return (start, *joined(parts), ".")
    worst = _worst(shared)
    start = f"In all {len(shared)} cases workers give the gradient of one to rounding: the largest error is "
    beside = () if alone.empty else (", that of backprop ", _error(_worst(alone)))
    return (start, _error(worst), f" ({_who(worst)})", *beside, ".")


def unequal(cases: pd.DataFrame) -> Sentence | None:
    """The worst of the plain means."""
    found = weights.pairs(cases)
    if not found:
        return None
    plain, weighted = max(found, key=lambda pair: pair[0]["error"])
    start = f"The plain mean of shards of {listed(map(str, weights.rows_of(plain)))} rows is off by "
    beside = () if weighted is None else (", the mean by weights n_k / n by ", _error(weighted))
    return (start, _error(plain), f" ({plain['title']})", *beside, ".")


def normalisation(cases: pd.DataFrame) -> Sentence | None:
    """The error by own statistics at each number of workers, and without normalisation."""
    own = normalised.local(cases)
    own = own[own["kind"] == workers.SHARDS]
    if own.empty:
        return None
    own = own[own["title"] == own["title"].iloc[0]].drop_duplicates("workers")
    parts = [(_error(row), f" with {row['workers']:.0f}") for row in own.to_dict("records")]
    rest = normalised.without(cases)
    rest = rest[rest["kind"] == workers.SHARDS]
    beside = () if rest.empty else ("; without normalisation the same network's is ", _error(_worst(rest)))
    start = "Where each worker normalises by its own rows the gradient is another one: its relative error is "
    return (start, *joined(parts), " workers", *beside, ".")


def time(cases: pd.DataFrame, cores: int | None) -> Sentence | None:
    """The shares of one worker's time of the fastest of each kind on the largest problem."""
    found = speed.timed(cases)
    if found.empty:
        return None
    largest = found[found["P"] == found["P"].max()]
    title, dtype = largest["title"].iloc[0], main_dtype(largest)
    here = largest[(largest["title"] == title) & (largest["dtype"] == dtype)]
    best = here.sort_values("share").drop_duplicates("kind").sort_values("order").to_dict("records")
    parts: list[Sentence] = [(speed.share(row), f" ({workers.name(row)})") for row in best]
    start = f"Of one worker's time on {title} in {dtype} the fastest of each kind take "
    ideal = f", where {numbers.three(1 / cores)} is ideal" if cores else ""
    return (start, *joined(parts), f"; measured on {speed.on(cores)}{ideal}.")


def waiting(cases: pd.DataFrame) -> Sentence | None:
    """How much of a call is waiting, over all timed cases."""
    found = speed.timed(cases)
    found = found[(found["call"] > 0) & found["communicate"].notna()]
    if found.empty:
        return None
    found = found.assign(waits=found["communicate"] / found["call"])
    parts: list[Sentence] = []
    for kind, own in found.groupby("kind", sort=False):
        ordered = own.sort_values("waits").to_dict("records")
        more = (" to ", speed.waits(ordered[-1])) if len(ordered) > 1 else ()
        parts.append((f"in {kind} ", speed.waits(ordered[0]), *more))
    return ("The worker that computes longest waits for others for so much of a call: ", *joined(parts), ".")


def bubble() -> Sentence:
    """What the simulator says of the schedules that the page draws."""
    data, stages, count = schedules.simulated(), schedules.STAGES, schedules.MICRO_BATCHES
    exactly = "exactly" if (data["bubble"] - data["law"]).abs().max() < 1e-12 else "not always"
    share, late = (f"{100 * schedules.law(stages, m):.0f} %" for m in (count, 4 * stages))
    return (
        f"{listed(workers.NAMES.values())}, simulated, are idle for {exactly} (K - 1) / (M + K - 1) of "
        f"the time: {share} with {stages} stages and {count} micro-batches, {late} with {4 * stages}. GPipe "
        f"holds the activations of all M micro-batches, 1F1B those of {stages} at the most.",
    )


def _worst(cases: pd.DataFrame) -> dict[Any, Any]:
    return cases.sort_values("error").to_dict("records")[-1]


def _who(row: dict[Any, Any]) -> str:
    return f"{workers.name(row)}, {row['title']}"


def _error(row: dict[Any, Any]) -> Cell:
    return weights.error(row)
