"""The sentences of the lead about what half precision saves."""

from typing import Any

import pandas as pd

from reports.answers.sentences import joined, listed
from reports.studies.precision import costs, networks
from reports.table import Cell, Sentence

_TWICE = 0.1
"""Ratios this near to two, as a share of it, are two."""


def memory(cases: pd.DataFrame) -> Sentence | None:
    """Bytes kept and peak memory, in float32 over mixed precision and over 16 bits alone, on each network."""
    every = [costs.with_savings(network) for network in networks.costed(cases)]
    pairs = [(_first(network, "mixed"), _first(network, "plain")) for network in every]
    found = [(mixed, plain) for mixed, plain in pairs if mixed is not None]
    if not found:
        return None
    halved = all(abs(mixed["kept_saving"] - 2) <= 2 * _TWICE for mixed, _ in found)
    start = "holds for what is kept between the passes" if halved else "not confirmed here"
    peaks = [mixed["peak_saving"] for mixed, _ in found if pd.notna(mixed["peak_saving"])]
    if peaks and min(peaks) < 2 * (1 - _TWICE):
        start += (
            ", not for the peak, in which rounded copies, a float32 gradient and temporary arrays count too"
        )
    parts = [_of_network(mixed, plain) for mixed, plain in found]
    return (f"{start}. float32 takes ", *joined(parts, between="; ", last="; "), ".")


def _first(network: pd.DataFrame, kind: str) -> dict[Any, Any] | None:
    """The float16 case of `kind` that says what it keeps."""
    return networks.one(network[network["kept_saving"].notna()], kind=kind, precision="float16")


def _of_network(mixed: dict[Any, Any], plain: dict[Any, Any] | None) -> Sentence:
    beside: Sentence = () if plain is None else (" (", *_ratios(plain, "", ""), " of float16 throughout)")
    return (
        *_ratios(mixed, " the bytes kept", " the peak"),
        " of mixed float16",
        *beside,
        f" on {mixed['network']}",
    )


def _ratios(row: dict[Any, Any], kept: str, peak: str) -> Sentence:
    said: Sentence = (_times(row, "kept_saving"), kept)
    return (*said, " and ", _times(row, "peak_saving"), peak) if pd.notna(row["peak_saving"]) else said


def speed(cases: pd.DataFrame) -> Sentence | None:
    """The time of float32 over that of mixed precision, at worst and at best, and over 16 bits throughout."""
    networks_of = [costs.with_savings(network) for network in networks.costed(cases)]
    every = pd.concat(networks_of) if networks_of else cases.assign(time_saving=float("nan"))
    every = every[every["time_saving"].notna()].sort_values("time_saving")
    mixed = every[every["kind"].isin(["mixed", "autocast"])]
    plain = every[(every["kind"] == "plain") & every["precision"].isin(["float16", "bfloat16"])]
    if mixed.empty:
        return None
    worst, best = mixed.iloc[0].to_dict(), mixed.iloc[-1].to_dict()
    holds = (
        "holds" if worst["time_saving"] >= 2 else "holds in part" if best["time_saving"] >= 2 else "refuted"
    )
    between: Sentence = () if len(mixed) == 1 else ("from ", *_time(worst), " to ")
    alone: Sentence = (
        () if plain.empty else ("; of that of 16 bits throughout up to ", *_time(plain.iloc[-1].to_dict()))
    )
    where = listed(dict.fromkeys(every["device"]))
    return (
        f"{holds} on {where}: of the time of mixed precision float32 takes ", *between, *_time(best), *alone,
        ". It depends on the device, and on how much of the work is products of matrices.",
    )  # fmt: skip


def _time(row: dict[Any, Any]) -> Sentence:
    return (_times(row, "time_saving"), f" ({row['format'].partition(',')[0]} on {row['network']})")


def _times(row: dict[Any, Any], name: str) -> Cell:
    return Cell(f"{row[name]:.2f}×", case=row["case"])
