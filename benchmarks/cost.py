"""What a gradient costs in plain forward passes of the same backend."""

from benchmarks.common import Grid, grid

_SECONDS = 1.0
"""Time given to a cell: the two calls are interleaved, so that a busy machine slows both."""


class Cost(Grid):
    """The ratio of the medians of a gradient and a plain forward pass."""

    params = grid(("mlp",), (300, 1_000, 3_000, 10_000))
    unit = "forward passes"

    def track_forward_passes(self, method: str, problem: str, size: int, device: str) -> float:
        """Time of a gradient over the time of the fastest forward pass."""
        from gradmark.measuring.time import interleaved, time_ratio

        measured, forward = self.cell.problem, self.cell.problem.plain_forward()
        timings = interleaved(
            {
                "gradient": self.cell.call,
                "forward": lambda: forward(measured.parameters, measured.default_draw),
            },
            synchronize=measured.arrays.synchronize,
            budget=_SECONDS,
        )
        return float(time_ratio(timings["gradient"], timings["forward"]).value)
