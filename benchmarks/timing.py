"""Seconds that one gradient takes."""

from benchmarks.common import Grid, grid


class Timing(Grid):
    """The median of many calls, in two processes."""

    params = grid(("mlp",), (300, 1_000, 3_000, 10_000))
    rounds = 2
    repeat = (3, 50, 0.5)
    warmup_time = 0.1

    def setup(self, method: str, problem: str, size: int, device: str) -> None:
        """Prepare the method apart from what is timed."""
        super().setup(method, problem, size, device)
        self.gradient = self.cell.method.prepare(self.cell.problem)

    def time_gradient(self, method: str, problem: str, size: int, device: str) -> None:
        """One call, until the device has finished."""
        self.gradient(self.cell.problem.parameters)
        self.cell.problem.arrays.synchronize()
