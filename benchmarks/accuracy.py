"""How wrong a gradient is."""

from benchmarks.common import Grid, grid, measured


class Accuracy(Grid):
    """The error of one call with seed 0, in float64; larger is worse, as asv has it."""

    params = grid(("mlp", "rosenbrock"), (1_000,))
    unit = "relative error"

    def track_relative_error(self, method: str, problem: str, size: int, device: str) -> float:
        """Norm of the difference from the best reference, over the reference's norm."""
        return measured(self.cell, "error", "error")
