"""What a method claims of itself, as data: the judge tests it, and tables print it beside measurements."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from gradmark.parameters import Parameters, size
from gradmark.problem import Problem
from gradmark.work import Work

Family = Literal["reverse", "forward", "finite-difference", "evolution"]
Want = Literal["gradient", "jvp", "vjp", "jacobian", "hvp", "hessian"]
"""What may be asked of a method: see `gradmark.quantities`."""
Reads = Literal[
    "loss",
    "layers",
    "pullback",
    "pushforward",
    "difference",
    "torch graph",
    "jax trace",
    "autograd trace",
    "dual trace",
    "unroll",
]
"""What a method looks at: "layers" are forward passes over a part of them, "dual trace" every operation that
the loss makes on dual numbers, "unroll" the steps in time, one by one."""


@dataclass(frozen=True)
class Exact:
    """Equal to the derivative up to rounding."""

    def __str__(self) -> str:
        return "exact"


@dataclass(frozen=True)
class Truncated:
    """Error of order h^`order` in the hyper-parameter named `parameter`, beside rounding."""

    order: int
    parameter: str = "step"

    def __str__(self) -> str:
        return f"order {self.order} in {self.parameter}"


@dataclass(frozen=True)
class Estimated:
    """As near to its target as each answer's own `Estimate.error` says; steps are chosen on the way."""

    def __str__(self) -> str:
        return "within its own error estimate"


@dataclass(frozen=True)
class Unbiased:
    """Random, with its target as mean.

    `samples` names the hyper-parameter that counts independent samples M. `variance_factor(P)` is v in
    E|g_hat - g|^2 = v |g|^2 / M on a linear loss, from which the cosine law cos = sqrt(M / (M + v)) follows.
    Where v is known on other losses too, `factor_at(problem, gradient)` is its value at the problem's point
    and default draw; the judge then holds the method to it there. Where v depends on more than P (on data,
    weights or gradient), `variance_factor` is a guess for the size alone; None: no law of it is known.
    `independent` says whether the noise of each sample in a call is independent of the others'.
    """

    samples: str
    variance_factor: Callable[[int], float] | None
    factor_at: Callable[[Problem, Parameters], float] | None = None
    independent: bool = True

    @property
    def declares_variance(self) -> bool:
        """Whether it says anything of its variance."""
        return self.variance_factor is not None or self.factor_at is not None

    def factor(self, problem: Problem, gradient: Parameters) -> float:
        """v at a problem with this gradient (NumPy or the problem's own arrays); NaN where not declared."""
        if self.factor_at is not None:
            return self.factor_at(problem, gradient)
        return math.nan if self.variance_factor is None else self.variance_factor(size(gradient))

    def cosine(self, samples: float, size: int) -> float:
        """The expected cosine between estimate and gradient, sqrt(M / (M + v(P))), for large P, or NaN."""
        factor = math.nan if self.variance_factor is None else self.variance_factor(size)
        return float((samples / (samples + factor)) ** 0.5)

    def __str__(self) -> str:
        return f"unbiased over {self.samples}"


@dataclass(frozen=True)
class Biased:
    """Neither exact nor unbiased; `reason` says what is missing, and `random` whether the seed matters."""

    reason: str
    random: bool = True

    def __str__(self) -> str:
        return f"biased: {self.reason}"


Exactness = Exact | Truncated | Estimated | Unbiased | Biased


@dataclass(frozen=True)
class Target:
    """What the method aims at: the gradient, that of the loss smoothed by noise, or a direction only.

    A direction may be that of the gradient clipped: shortened to the length `longest` where it is longer, or
    with entries cut to the size `largest`. An exact method is then judged by the clipped gradient.
    """

    kind: Literal["gradient", "smoothed gradient", "mean gradient", "direction"] = "gradient"
    law: str | None = None
    sigma: float | None = None
    longest: float | None = None
    largest: float | None = None

    def __str__(self) -> str:
        if self.longest is not None:
            return f"{self.kind} (no longer than {self.longest:g})"
        if self.largest is not None:
            return f"{self.kind} (entries of at most {self.largest:g})"
        return self.kind if self.sigma is None else f"{self.kind} ({self.law}, sigma={self.sigma:g})"


@dataclass(frozen=True)
class Growth:
    """Exponents by which time, peak memory and passes grow with P at fixed depth and batch, and with depth.

    `passes` is the growth of the number of passes with P: 0 for reverse mode, 1 for coordinate differences.
    `time` and `memory` map "parameters", "batch" and "depth" to exponents; what is left out is not claimed.
    """

    passes: float = 0.0
    time: Mapping[str, float] = field(default_factory=dict)
    memory: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Claims:
    """All that a method states about itself."""

    family: Family
    exactness: Exactness
    reads: frozenset[Reads]
    growth: Growth
    work: Callable[[Problem], Work] | None = None
    """The passes of one estimate, exactly; None: unknown."""
    target: Target = Target()
    precision: str = "problem"
    """The dtype it computes in: that of the problem, or the name of a wider or narrower one."""
    backends: frozenset[str] = frozenset({"numpy", "torch", "jax"})
    devices: frozenset[str] = frozenset({"cpu", "cuda"})
    compiles: bool = False
    """Whether it compiles for seconds for each shape of the parameters and the draw."""
    wants: frozenset[Want] = frozenset({"gradient"})
    """The quantities it computes, each as exactly as it claims."""
    nests: bool = False
    """Whether what it prepares may run inside of another derivative, its own among them: parameters may be
    what that derivative traces, and the answer then carries the derivative on."""
    calls: Callable[[Problem], int] | None = None
    """How many calls make one estimate: their sum, each given the `state` of the one before, and the first
    none. None: every call makes one. All that is claimed is claimed of an estimate."""

    @property
    def stochastic(self) -> bool:
        """Whether the answer depends on the seed."""
        claimed = self.exactness
        return isinstance(claimed, Unbiased) or (isinstance(claimed, Biased) and claimed.random)

    @property
    def black_box(self) -> bool:
        """Whether it reads the loss alone."""
        return self.reads == {"loss"}
