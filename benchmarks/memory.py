"""How much memory a gradient takes."""

from benchmarks.common import Grid, grid, measured


class Memory(Grid):
    """asv's own peakmem is that of the whole process, torch included; gradmark measures the call alone."""

    params = grid(("mlp",), (300, 3_000))
    unit = "bytes"

    def track_peak_bytes(self, method: str, problem: str, size: int, device: str) -> float:
        """Peak bytes of preparing and one call, above what the problem itself holds."""
        return measured(self.cell, "memory", "peak_bytes")
