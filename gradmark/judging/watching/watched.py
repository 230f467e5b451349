"""A random method that is watched: one call, the queries that it made, and the estimate it made of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradmark.arrays import Array, epsilon, to_numpy
from gradmark.claims import Claims, Unbiased
from gradmark.dtypes import real_dtype
from gradmark.errors import UsageError
from gradmark.judging.hearing import Answer, Hearing
from gradmark.judging.watching.recording import Recording, recorded_losses, recorded_tangents, visibly
from gradmark.parameters import Parameters
from gradmark.problem import Problem

EVALUATIONS = 64
"""Evaluations in a call that is watched: what the judge needs to know an estimator's weights, and a few
milliseconds."""
_LEFT = 1 / 64
"""Of the loss at the point: then the loss is about as large as its changes, on the problems of the trials."""


class Hidden(Exception):
    """The queries of a method cannot be seen; the message is a sentence that says why."""


@dataclass(frozen=True)
class Queries:
    """One call: `estimate` (P,) and what it was made of.

    `directions` (N, P) are x_i - x, where losses `values` (N,) were read, or tangents, where slopes were;
    `rounding` (N, P) bounds how far each entry may be from the direction that the method had in mind.
    `level` is the loss at the point itself (0 for slopes). `precision` is the epsilon of the dtype it claims
    to compute in.
    """

    directions: Any
    values: Any
    estimate: Any
    rounding: Any
    level: float
    precision: float
    slopes: bool
    answer: Answer


@dataclass(frozen=True)
class Watched:
    """A method prepared on a problem that records. `hearing` is the hearing with that problem."""

    hearing: Hearing
    recording: Recording
    slopes: bool

    @cached_property
    def level(self) -> float:
        """The loss at the point; 0 for slopes."""
        recording, problem = self.recording, self.hearing.problem
        found = 0.0 if self.slopes else float(to_numpy(problem.loss(problem.parameters)))
        recording.clear()
        return found

    def lowered(self) -> Callable[[Array], Array]:
        """Values with most of the loss at the point taken off, which changes no gradient.

        What is left is enough to see which baseline a method has, and rounds less than the whole.
        """
        return lambda values: values - self.level * (1 - _LEFT)

    def call(self, seed: int, altered: Callable[[Array], Array] | None = None) -> Queries:
        """Call the method with `seed` and say what it asked; `altered` changes the values it gets.

        Raises `Hidden` where not everything was seen, and `MethodError` for whatever the method raises.
        """
        recording, problem = self.recording, self.hearing.problem
        before = np.asarray(self.level)
        recording.clear()
        recording.altered = altered or (lambda values: values)
        with visibly(problem):
            answer = self.hearing.call(seed=seed)
        rows, values = recording.together()
        self._check_seen(answer, len(values))
        level = float(recording.altered(before))
        recording.altered = lambda values: values
        return self._queries(rows, values, answer, level)

    def _check_seen(self, answer: Answer, seen: int) -> None:
        if self.recording.hidden is not None:
            raise Hidden(self.recording.hidden)
        made = answer.work.tangent if self.slopes else answer.work.forward
        if not np.all(np.isfinite(flat(answer.gradient))):
            raise Hidden("its estimate is not finite, so that no weights can be told")
        if seen == 0 or made > seen:
            raise Hidden(f"queries are not visible: of {made:g} passes that it made {seen} were seen")

    def _queries(self, rows: Any, values: Any, answer: Answer, level: float) -> Queries:
        problem = self.hearing.problem
        dtype = real_dtype(problem.arrays.dtype)
        precision = self.hearing.method.claims.precision
        x = flat(problem.parameters)
        estimate = flat({name: answer.gradient[name] for name in problem.parameters})
        # x + sigma e is rounded once where it is stored, and once more where it is moved in place.
        unit = epsilon(dtype)
        return Queries(
            directions=rows if self.slopes else rows - x,
            values=values,
            estimate=estimate,
            rounding=0 * rows if self.slopes else unit * np.maximum(np.abs(rows), np.abs(x)),
            level=level,
            precision=unit if precision == "problem" else max(unit, epsilon(precision)),
            slopes=self.slopes,
            answer=answer,
        )


def watched(hearing: Hearing, evaluations: int = EVALUATIONS) -> Watched:
    """The method with about so many evaluations a call, on a problem that records what it asks.

    Losses are recorded for a method that reads nothing else, tangents for one that pushes them through
    layers. Raises `Hidden` for any other, and where the method does not take what records.
    A method with `workers` that cannot be sent it is watched with one.
    """
    claims = hearing.method.claims
    method = sized(hearing.method, hearing.problem, evaluations)
    try:
        problem, recording = _recorded(claims, hearing.problem)
    except UsageError as error:
        raise Hidden(f"queries are not visible: {error}") from error
    return Watched(
        replace(hearing, method=_here(method, problem), problem=problem), recording, not claims.black_box
    )


def _here(method: Any, problem: Problem) -> Any:
    """The method, with one worker where more cannot be sent a problem that records."""
    if (reason := method.supports(problem)) is None:
        return method
    try:
        alone = replace(method, workers=1)
        reason = alone.supports(problem)
    except (UsageError, TypeError):  # it knows no workers
        alone = method
    if reason is not None:
        raise Hidden(f"queries are not visible: it does not take a problem that records them, as {reason}")
    return alone


def sized(method: Any, problem: Problem, evaluations: int) -> Any:
    """The method with its number of samples set so that a call takes about `evaluations`; else as it is."""
    exactness, work = method.claims.exactness, method.claims.work
    if not isinstance(exactness, Unbiased):
        return method
    try:
        other = replace(method, **{exactness.samples: evaluations})
        asked = evaluations if work is None else other.claims.work(problem).evaluations
        samples = max(2, round(evaluations * evaluations / asked))
        return replace(method, **{exactness.samples: samples})
    except (UsageError, ValueError, TypeError):  # a method may allow some numbers only, or have no such field
        return method


def flat(named: Parameters) -> Any:
    """All numbers as one vector (P,), in float64, or in longdouble where they are that."""
    vector = np.concatenate([np.ravel(to_numpy(array)) for array in named.values()])
    return vector.astype(np.result_type(vector.dtype, np.float64))


def parts(parameters: Parameters) -> dict[str, slice]:
    """Where each array lies in the vector of all."""
    found, start = {}, 0
    for name, array in parameters.items():
        number = int(np.prod(array.shape))
        found[name] = slice(start, start + number)
        start += number
    return found


def _recorded(claims: Claims, problem: Problem) -> tuple[Problem, Recording]:
    if claims.black_box:
        return recorded_losses(problem)
    if "pushforward" in claims.reads and problem.layers is not None:
        return recorded_tangents(problem)
    raise Hidden(f"queries are not visible: it reads {', '.join(sorted(claims.reads))}")
