"""How good a measured step is: the error of differences with it, beside the best single step of a sweep.

Dense tanh networks with 32 rows; the gradient's error is the relative 2-norm over a random sample of its
coordinates. For each network the sweep has one step for all coordinates, in 45 points a factor of the square
root of two apart; `Row.ratio` is the error with the measured steps over the least of the sweep.
``python -m benchmarks.speed.steps`` prints the table, in a few minutes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from benchmarks.speed.swept import Sample

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
LIMIT = 2.0
"""What the median ratio is held to."""


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
        samples = [Sample(WIDTHS[label], dtype, accumulate, seed) for seed in range(seeds)]
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


def print_tables(**choices: Any) -> None:
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
    print_tables()
