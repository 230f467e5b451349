"""How often a gradient evaluates the problem."""

from benchmarks.common import Grid, grid, measured


class Evaluations(Grid):
    """Counted, not timed: the same on every machine."""

    params = grid(("mlp",), (300, 1_000))
    unit = "evaluations"

    def track_evaluations(self, method: str, problem: str, size: int, device: str) -> float:
        """Forward and tangent passes of one call."""
        return measured(self.cell, "work", "evaluations")
