"""What a method claims of its growth, read from the record of a case."""

import pandas as pd


def claimed(case: pd.Series, *path: str) -> float | None:
    """A number of the method's claimed growth, such as ``("time", "parameters")``; None: not claimed."""
    value = (case["detail"] or {}).get("growth") or {}
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return float(value) if isinstance(value, int | float) else None
