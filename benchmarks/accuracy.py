"""How wrong a gradient is."""

import math

from benchmarks.common import Grid, grid


class Accuracy(Grid):
    """The relative error of one call with seed 0, in float64; larger is worse, as asv has it."""

    params = grid(("mlp", "rosenbrock"), (1_000,))
    unit = "relative error"

    def track_relative_error(self, method: str, problem: str, size: int, device: str) -> float:
        """Norm of the difference from the reference over the reference's norm; a NaN counts as infinite."""
        from gradmark.measuring.error import profile
        from gradmark.reference import best_reference

        judged = self.cell.problem
        reference = best_reference(judged, independent_of=self.cell.method.claims.reads)
        error = float(profile(self.cell.call().gradient, reference, judged.arrays.dtype).relative)
        # asv takes NaN for a skipped cell.
        return math.inf if math.isnan(error) else error
