"""The comparisons of the study of parallel."""

from gradmark.run.plan import Comparison


def quick() -> list[Comparison]:
    """Seconds to a minute."""
    return []


def full() -> list[Comparison]:
    """More sizes."""
    return []
