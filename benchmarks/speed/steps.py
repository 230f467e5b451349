"""How good a measured step is: the error of differences with it, beside the best single step of a sweep.

Dense tanh networks with 32 rows; the gradient's error is the relative 2-norm over a random sample of its
coordinates. For each network the sweep has one step for all coordinates, in 45 points a factor of the square
root of two apart; `Row.ratio` is the error with the measured steps over the least of the sweep.
``python -m benchmarks.speed.steps`` prints the table, in a few minutes.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

WIDTHS = {
    "1e2": (4, 6, 6, 6, 1),
    "1e3": (8, 18, 18, 18, 8),
    "1e4": (16, 64, 64, 64, 10),
    "1e5": (64, 200, 200, 200, 32),
}
DTYPES = ("float32", "float64")
ORDERS = (1, 2, 4)
"""Two, three and five points."""
SEEDS = 20
COORDINATES = 160
SWEEP = 45
LIMIT = 2.0
"""What the median ratio is held to."""
_COARSEST = 2.0
_LADDER = 70
"""Steps 2^(1 - k/2): all sweeps are parts of it, so that they share their evaluations."""


@dataclass(frozen=True)
class Row:
    """One network and stencil: medians over the seeds, and the worst ratio.

    `ratio` and `worst` are of the measured step, `by_dtype` of that of the dtype alone; `least` is the least
    relative error of the sweep; `covered` the share of seeds whose error was no larger than the method's own
    estimate; `evaluations` what measuring costs, and `share` that over the evaluations of the differences.
    """

    parameters: str
    dtype: str
    points: int
    rule: str
    accumulate: str
    ratio: float
    worst: float
    by_dtype: float
    least: float
    covered: float
    evaluations: float
    share: float

    @property
    def met(self) -> bool:
        """Whether the median ratio is within the limit."""
        return self.ratio <= LIMIT


@dataclass(frozen=True)
class _Seed:
    ratio: float
    by_dtype: float
    least: float
    covered: bool
    evaluations: float


def rows(
    labels: tuple[str, ...] = tuple(WIDTHS),
    dtypes: tuple[str, ...] = DTYPES,
    rule: str = "noise",
    accumulate: str = "problem",
    seeds: int = SEEDS,
) -> Iterator[Row]:
    """The rows of the table, one for each size, dtype and stencil."""
    import numpy as np

    for label, dtype in product(labels, dtypes):
        samples = [_Sample(label, dtype, accumulate, seed) for seed in range(seeds)]
        for order in ORDERS:
            found = [sample.at(order, rule) for sample in samples]
            evaluations = float(np.median([each.evaluations for each in found]))
            yield Row(
                label,
                dtype,
                order + 1,
                rule,
                accumulate,
                float(np.median([each.ratio for each in found])),
                max(each.ratio for each in found),
                float(np.median([each.by_dtype for each in found])),
                float(np.median([each.least for each in found])),
                sum(each.covered for each in found) / len(found),
                evaluations,
                evaluations / (samples[0].size * order),
            )


class _Sample:
    """One network, the losses with sampled coordinates moved by each step of the ladder, and the truth."""

    def __init__(self, label: str, dtype: str, accumulate: str, seed: int) -> None:
        import numpy as np

        import gradmark
        from methods.finite_difference.accumulating import accumulated
        from methods.finite_difference.steps.lines import entry_losses

        plain = gradmark.get_problem(
            "mlp",
            widths=WIDTHS[label],
            activation="tanh",
            loss="mse",
            initialisation="lecun",
            data="synthetic",
            batch=32,
            dtype=dtype,
            seed=seed,
        )
        self.problem: Any = accumulated(plain, accumulate)
        wide = plain.to(dtype="float64")
        exact = gradmark.get_method("backprop").prepare(wide)(wide.parameters).gradient
        self.size = sum(array.size for array in exact.values())
        self.parts = _sampled(exact, seed)
        self.exact = {name: exact[name].ravel()[entries] for name, entries in self.parts.items()}
        self.norm = math.hypot(*(float(np.linalg.norm(array)) for array in self.exact.values()))
        self.losses_at = entry_losses(self.problem)
        self.value = float(self.problem.loss(self.problem.parameters))
        self.ladder = _COARSEST * 2.0 ** (-0.5 * np.arange(_LADDER))
        moves = [sign * step for step in self.ladder for sign in (1, -1)]
        self.swept = {name: self._values(name, moves) for name in exact}

    def _values(self, name: str, moves: Any) -> tuple[Any, Any]:
        """The moves as rounded and the losses, each of shape (coordinates, moves)."""
        import numpy as np

        entries, x = self.parts[name], self.problem.parameters[name]
        at = x.ravel()[entries]
        moved = at[:, None] + np.asarray(moves).astype(x.dtype)
        repeated = np.repeat(entries, moved.shape[1])
        draw = self.problem.default_draw
        losses = (
            self.losses_at(self.problem.parameters, draw, name, repeated, moved.ravel())
            if entries.size
            else moved
        )
        exact = moved.astype(np.float64) - at.astype(np.float64)[:, None]
        return exact, np.asarray(losses, np.float64).reshape(moved.shape)

    def at(self, order: int, rule: str) -> _Seed:
        """The error with measured steps, beside the sweep's and that of the dtype's steps."""
        import numpy as np

        from gradmark.work import counting
        from methods.finite_difference.erring import Erring
        from methods.finite_difference.stencils import central, one_sided
        from methods.finite_difference.steps.choosing import chooser

        stencil = central(order) if order > 1 else one_sided()
        draw, errors, steps = self.problem.default_draw, [], {}
        with counting() as work:
            for chosen in (rule, "dtype"):
                choose = chooser(self.problem, stencil, chosen, None)
                steps[chosen] = {name: choose(self.problem.parameters, draw, name) for name in self.exact}
        for chosen in (rule, "dtype"):
            slopes = {
                name: self._slope(name, order, float(np.ravel(h)[0]))
                for name, (h, _) in steps[chosen].items()
            }
            errors.append(self._error(slopes))
        erring = Erring(stencil, self.problem.arrays.epsilon)
        for name, (h, found) in steps[rule].items():
            erring.add(found, np.full(self.exact[name].shape, np.ravel(h)[0]), self.exact[name])
        expected = erring.total()
        least = min(self._sweep(order))
        covered = expected is not None and errors[0] * self.norm <= expected
        return _Seed(errors[0] / least, errors[1] / least, least, covered, work.total().forward)

    def _slope(self, name: str, order: int, h: float) -> Any:
        offsets = [1] if order == 1 else [s * k for k in range(1, order // 2 + 1) for s in (1, -1)]
        return self._combined(*self._values(name, [k * h for k in offsets]), order)

    def _combined(self, moves: Any, losses: Any, order: int) -> Any:
        """The difference from columns +h, -h, +2h, -2h."""
        if order == 1:
            return (losses[:, 0] - self.value) / moves[:, 0]
        from methods.finite_difference.stencils import central, pairs

        return sum(
            weight * (losses[:, 2 * k] - losses[:, 2 * k + 1]) / (moves[:, 2 * k] - moves[:, 2 * k + 1])
            for k, (_, weight) in enumerate(pairs(central(order)))
        )

    def _sweep(self, order: int) -> list[float]:
        """The errors at 45 steps around the one that a dtype suggests, of those that the ladder has."""
        epsilon = self.problem.arrays.epsilon
        middle = round(2 * math.log2(_COARSEST) - 2 * math.log2(epsilon) / (order + 1))
        # Twice a step lies two places before it.
        first = min(max(middle - SWEEP // 2, 2 if order > 2 else 0), _LADDER - SWEEP)
        found = []
        for k in range(first, first + SWEEP):
            places = [2 * k, 2 * k + 1] + ([2 * (k - 2), 2 * (k - 2) + 1] if order > 2 else [])
            slopes = {
                name: self._combined(moves[:, places], losses[:, places], order)
                for name, (moves, losses) in self.swept.items()
            }
            found.append(self._error(slopes))
        return found

    def _error(self, slopes: Any) -> float:
        import numpy as np

        parts = (float(np.linalg.norm(slopes[name] - exact)) for name, exact in self.exact.items())
        return math.hypot(*parts) / self.norm


def _sampled(named: Any, seed: int) -> dict[str, Any]:
    """Random coordinates of all arrays together, as flat indices of each."""
    import numpy as np

    size = sum(array.size for array in named.values())
    chosen = np.sort(np.random.default_rng([seed, size]).permutation(size)[:COORDINATES])
    parts, start = {}, 0
    for name, array in named.items():
        parts[name] = chosen[(chosen >= start) & (chosen < start + array.size)] - start
        start += array.size
    return parts


def print_table(**choices: Any) -> None:
    """Print the rows as they are found, and how many are within the limit."""
    print("| P | dtype | points | error / best | worst | by dtype / best | best | covered | evaluations |")
    print("|---" * 9 + "|")
    met = []
    for row in rows(**choices):
        met.append(row.met)
        print(
            f"| {row.parameters} | {row.dtype} | {row.points} | {row.ratio:.2f} | {row.worst:.2f} | "
            f"{row.by_dtype:.2f} | {row.least:.1e} | {row.covered:.0%} | {row.evaluations:.0f} "
            f"({row.share:.1%}) |",
            flush=True,
        )
    print(f"\n{sum(met)} of {len(met)} medians are at most {LIMIT:g} times the best single step")


if __name__ == "__main__":
    from benchmarks.speed.machine import use_one_cpu

    use_one_cpu()
    print_table()
