"""The plain forward pass: the unit in which the cost of every gradient is counted."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradmark.problem import Problem
from gradmark.run.case_detail import of_problem
from gradmark.run.records import Record
from gradmark.run.session import Session

if TYPE_CHECKING:
    from gradmark.measuring.time import Timing

_GLANCE = 0.02
"""Seconds for a rough timing: some calls of anything fast, one call of anything slow."""


@dataclass(frozen=True)
class Forward:
    """The candidates for the fastest forward pass, by name, and a rough idea of how long it takes."""

    functions: dict[str, Callable[[], object]]
    seconds: float


def candidates(problem: Problem) -> Forward:
    """The problem's own fast forward pass, and its loss as it is written; compiled and warmed up."""
    draw, plain = problem.default_draw, problem.plain_forward()
    functions: dict[str, Callable[[], object]] = {
        "plain_forward": lambda: plain(problem.parameters, draw),
        "loss": lambda: problem.loss(problem.parameters, draw),
    }
    return Forward(functions, min(glance(problem, function) for function in functions.values()))


def glance(problem: Problem, function: Callable[[], object]) -> float:
    """Roughly how long one call takes, in seconds: the fastest of a few, after one that does not count."""
    fastest, until = float("inf"), time.monotonic() + _GLANCE
    calls = 0
    while calls < 2 or time.monotonic() < until:
        start = time.perf_counter()
        function()
        problem.arrays.synchronize()
        seconds = time.perf_counter() - start
        fastest = seconds if calls <= 1 else min(fastest, seconds)
        calls += 1
        if seconds > 10 * _GLANCE and calls == 1:
            return seconds
    return fastest


def fastest(timings: dict[str, "Timing"], forward: Forward) -> tuple[str, "Timing"]:
    """The candidate with the smallest median, and its timing."""
    name = min(forward.functions, key=lambda name: timings[name].median)
    return name, timings[name]


def forward_records(session: Session, name: str, timing: "Timing") -> list[Record]:
    """The time of the plain forward pass, with the FLOP/s it reaches, and the end of its case."""
    flops = session.problem.flops
    detail: dict[str, Any] = {
        "forward": name,
        "flops_per_second": None if flops is None else flops / timing.median,
        "samples": timing.rounds,
    }
    key = session.forward_key
    return [
        session.record(key, "time", timing.median, "s", low=timing.q25, high=timing.q75, detail=detail),
        session.record(key, "case", detail=of_problem(session.problem)),
    ]
