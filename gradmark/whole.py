"""Estimates that are made in several calls, each given the state of the one before: all of them in one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.method import Estimate, Method, Prepared, Want
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.work import Work


def prepared_whole(method: Method, problem: Problem, want: Want = "gradient") -> Prepared:
    """`method.prepare`; where the method claims several `calls` an estimate, one call makes them all.

    What it returns is then their sum, as `gradmark.claims.Claims.calls` says, with the state of the last
    call. Who measures an estimate, or judges it, asks for it through here.
    """
    # A method that computes gradients alone need not know of anything else.
    prepared = method.prepare(problem) if want == "gradient" else method.prepare(problem, want)
    calls = 1 if method.claims.calls is None else method.claims.calls(problem)
    return prepared if calls == 1 else _summed(prepared, problem, calls)


def _summed(prepared: Prepared, problem: Problem, calls: int) -> Prepared:
    def whole(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Mapping[str, Array] | Array | None = None,
        state: Any = None,
    ) -> Estimate:
        along = {} if direction is None else {"direction": direction}
        first = prepared(parameters, seed, draw=draw, state=state, **along)
        # A result is valid until the next call.
        total = {name: problem.arrays.xp.asarray(array, copy=True) for name, array in first.result.items()}
        found, work = first, first.work
        for _ in range(calls - 1):
            found = prepared(parameters, seed, draw=draw, state=found.state, **along)
            total = {name: array + found.result[name] for name, array in total.items()}
            work = _added(work, found.work)
        return replace(found, result=total, value=first.value, work=work, error=None)

    return whole


def _added(one: Work, other: Work) -> Work:
    return Work(
        one.forward + other.forward,
        one.tangent + other.tangent,
        one.pullback + other.pullback,
        declared=one.declared or other.declared,
    )
