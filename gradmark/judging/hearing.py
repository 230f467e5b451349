"""One method before the judge on one problem: prepared once, and called through here, where all is seen."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.draw import Draw
from gradmark.errors import UsageError, WrongResult
from gradmark.judging.clock import Clock
from gradmark.judging.process import watch
from gradmark.judging.trial import Trial
from gradmark.method import Estimate, Method, Prepared
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.whole import prepared_whole
from gradmark.work import Work, counting

Numbers = dict[str, Any]
"""Named NumPy arrays."""
STATISTICAL = 5
"""Stages that share the false-alarm probability: identification, noise, bias, sequential, efficiency."""


class MethodError(Exception):
    """What a method raised when it was called, and `where`.

    `refusal`: it declined, with a `UsageError`; `result`: what it returned is no gradient.
    """

    def __init__(self, error: BaseException, where: str = "", dtype: str = "") -> None:
        text = " ".join(str(error).split())
        super().__init__(text if isinstance(error, UsageError) else f"{type(error).__name__}: {text}")
        self.result = isinstance(error, WrongResult)
        self.refusal = isinstance(error, UsageError) and not self.result
        self.where, self.dtype = where, dtype


@dataclass(frozen=True)
class Answer:
    """One call's result, copied: `gradient` as NumPy arrays in the dtype that came (narrow: float32)."""

    gradient: Numbers
    estimate: Estimate
    work: Work
    seconds: float


@dataclass(frozen=True)
class Hearing:
    """A method on the problem of one trial.

    `seed` starts the judge's own random numbers. `false_alarm` is the probability with which the whole
    validation may accuse a correct method; statistical stages share it. `clock` is the validation's.
    """

    name: str
    method: Method
    trial: Trial
    problem: Problem
    seed: int = 0
    false_alarm: float = 1e-6
    clock: Clock = field(default_factory=Clock)

    @cached_property
    def prepared(self) -> Prepared:
        """The method bound to the problem, once for all stages."""
        with watch.calling(self.where):
            return prepared_whole(self.method, self.problem)

    def call(
        self,
        parameters: Parameters | None = None,
        seed: int = 0,
        draw: Draw | None = None,
        *,
        prepared: Prepared | None = None,
    ) -> Answer:
        """Call the method (or another `prepared` function) and copy what it returns.

        The passes are those counted, except where the method declares them (compiled code counts nothing).
        Raises `MethodError` for whatever the method raises, and for a result that holds no gradient; and
        `OutOfTime` once the whole budget is spent.
        """
        self.clock.check()
        point = self.problem.parameters if parameters is None else parameters
        try:
            function = prepared or self.prepared
            with watch.calling(self.where), counting() as counter:
                start = time.perf_counter()
                estimate = function(point, seed, draw=draw)
                self.problem.arrays.synchronize()
                seconds = time.perf_counter() - start
            work = estimate.work if estimate.work.declared else counter.total()
            return Answer(copied(estimate.gradient), estimate, work, seconds)
        except (Exception, SystemExit) as error:
            raise MethodError(error, self.where, self.dtype) from error

    @property
    def where(self) -> str:
        """The problem in words."""
        return str(self.trial)

    @property
    def dtype(self) -> str:
        """The dtype of the problem."""
        return self.problem.arrays.dtype


def copied(gradient: Mapping[str, Any]) -> Numbers:
    """The numbers of a gradient, which is valid only until the next call, in arrays of their own."""
    if not isinstance(gradient, Mapping):
        raise TypeError(
            f"its gradient is a {type(gradient).__name__}, not a dict with an array for each name"
        )
    return {name: np.array(to_numpy(array)) for name, array in gradient.items()}
