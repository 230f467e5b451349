"""What a case of the battery is: a question to a checker, and the answers that count as right."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.judging.verdict import Verdict

Value = Any
"""An array, or a dict of named arrays."""
Function = Callable[[Value], Any]
Gradient = Callable[[Value], Value]


@dataclass(frozen=True)
class Question:
    """A function, the gradient somebody wrote for it, and a point.

    `truth` is the true gradient, where it is known. A fault that does not show at `at` shows at `seen_at`,
    after the gradient was called at `at`. `options` are for the checker that takes them: `digits`, `bounds`.
    """

    function: Function
    gradient: Gradient
    at: Value
    truth: Gradient | None = None
    seen_at: Value = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum(math.prod(array.shape) for array in arrays_of(self.at))

    @property
    def dtype(self) -> str:
        """The dtype of the parameters."""
        return str(next(arrays_of(self.at)).dtype).removeprefix("torch.")

    def error(self) -> float:
        """|g - truth| / |truth|, in 2-norms.

        Infinite where g is not finite or the truth zero; NaN without a truth, or where the shapes differ.
        """
        first = self.gradient(copied(self.at))
        given = first if self.seen_at is None else self.gradient(copied(self.seen_at))
        if self.truth is None:
            return math.nan
        true = self.truth(copied(self.at if self.seen_at is None else self.seen_at))
        return relative_error(given, true)


@dataclass(frozen=True)
class MethodQuestion:
    """A gradient method that states what it is.

    `fault` is the relative size of its error, NaN where the fault is none of size.
    """

    method: Any
    fault: float = math.nan
    size: int = 0
    """0: as many parameters as the judge's own problems have."""
    dtype: str = "float64"

    def error(self) -> float:
        """The relative size of the fault, as the case states it."""
        return self.fault


@dataclass(frozen=True)
class Case:
    """A question with the verdicts that count as right; `what` says shortly what is wrong, or awkward."""

    name: str
    what: str
    expected: tuple[Verdict, ...]
    ask: Callable[[], Question | MethodQuestion]

    @property
    def kind(self) -> Literal["wrong", "correct"]:
        """Whether the gradient is wrong, or correct (or has no truth to be held against)."""
        return "wrong" if self.expected == ("wrong",) else "correct"


def wrong(name: str, what: str, ask: Callable[[], Question | MethodQuestion]) -> Case:
    """A case that has to be found wrong."""
    return Case(name, what, ("wrong",), ask)


def correct(name: str, what: str, ask: Callable[[], Question | MethodQuestion], *also: Verdict) -> Case:
    """A case that must not be accused; `also` "undecided" where the gradient cannot be resolved."""
    return Case(name, what, ("correct", *also), ask)


def arrays_of(value: Value) -> Iterator[Any]:
    """The arrays of a value, in order."""
    yield from value.values() if isinstance(value, Mapping) else (value,)


def copied(value: Value) -> Value:
    """The same numbers in arrays of their own."""
    if isinstance(value, Mapping):
        return {name: copied(array) for name, array in value.items()}
    return value.detach().clone() if hasattr(value, "detach") else np.array(value)


def flat(value: Value) -> Any:
    """All numbers as one vector in extended precision, where the machine has it."""
    return np.concatenate([np.ravel(to_numpy(array)).astype(np.longdouble) for array in arrays_of(value)])


def relative_error(given: Value, true: Value) -> float:
    """|given - true| / |true|; NaN where the shapes differ."""
    found, wanted = flat(given), flat(true)
    if found.shape != wanted.shape:
        return math.nan
    if not np.all(np.isfinite(found)):
        return math.inf
    size = np.linalg.norm(wanted)
    difference = np.linalg.norm(found - wanted)
    return float(difference / size) if size else (math.inf if difference else 0.0)
