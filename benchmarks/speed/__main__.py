"""``python -m benchmarks.speed [SECTION ...]``: print the tables, all by default."""

import sys

from benchmarks.speed import (
    deep,
    dense,
    differences,
    estimators,
    evolution,
    forward,
    machine,
    scales,
    start,
    steps,
    structured,
)

SECTIONS = {
    "dense": dense.print_tables,
    "deep": deep.print_tables,
    "structured": structured.print_tables,
    "forward": forward.print_tables,
    "differences": differences.print_tables,
    "estimators": estimators.print_tables,
    "evolution": evolution.print_tables,
    "scales": scales.print_table,
    "steps": steps.print_tables,
    "start": start.print_times,
}


def main(names: list[str]) -> None:
    """Print the sections named, in the order they are given."""
    if unknown := set(names) - set(SECTIONS):
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; allowed are {', '.join(SECTIONS)}.")
    machine.use_one_cpu()
    machine.print_libraries()
    for name in names or SECTIONS:
        SECTIONS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
