"""What a gradient costs in plain forward passes of the same backend."""

from benchmarks.common import Grid, grid, measured

_SECONDS = 1.0
"""Time given to a cell: gradients and forward passes are interleaved, so that a busy machine slows both."""


class Cost(Grid):
    """The ratio of the medians of a gradient and the fastest plain forward pass."""

    params = grid(("mlp",), (300, 1_000, 3_000, 10_000))
    unit = "forward passes"

    def track_forward_passes(self, method: str, problem: str, size: int, device: str) -> float:
        """Time of a gradient over that of a forward pass."""
        return measured(self.cell, "time", "ratio", budget=_SECONDS)
