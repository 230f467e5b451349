"""A trial: a problem, where it lives, and what a method is examined for on it.

Packages register sets of trials as entry points of the group ``gradmark.trials``: functions without arguments
that return a list. "ci" is small and quick, "full" is thorough.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from gradmark.problem import Problem
from gradmark.run.plan import Comparison
from gradmark.run.resolving import build_problem


@dataclass(frozen=True)
class Trial:
    """A problem at given sizes, and the names of the stages (`gradmark.judging.stages`) that use it.

    `problem` is a registered name or ``file.py:name``, and `sizes` its arguments; `ready` is a problem that
    is there already, and the names are then only said.
    """

    problem: str
    sizes: Mapping[str, Any] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    backend: str = "numpy"
    device: str = "cpu"
    dtype: str = "float64"
    seed: int = 0
    ready: Any = None

    def build(self) -> Problem:
        """The problem; `UsageError` where it cannot be built here."""
        if self.ready is not None:
            return cast(Problem, self.ready)
        comparison = Comparison(
            "judge",
            self.problem,
            self.sizes,
            (),
            backend=self.backend,
            device=self.device,
            dtype=self.dtype,
            seed=self.seed,
        )
        return build_problem(comparison)

    def __str__(self) -> str:
        sizes = ", ".join(f"{name}={_short(value)}" for name, value in self.sizes.items())
        place = " ".join(word for word in (self.backend, self.device, self.dtype) if word != "cpu")
        return f"{self.problem}({sizes}) {place}"


def _short(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)
