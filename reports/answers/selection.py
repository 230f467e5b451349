"""Where the answers are read off: the scene with most cases, at the largest size most methods reached."""

import pandas as pd

from reports.run import Run
from reports.series import reference_size, scenes


def first_scene(run: Run) -> pd.DataFrame:
    """The main cases of the scene with most cases."""
    return run.main[run.main["scene"].isin(scenes(run.main)[:1])]


def reference(run: Run) -> float | None:
    """The largest size of that scene which most methods reached, in time or else in error, if any."""
    cases = first_scene(run)
    for quantity in ("time", "error"):
        if cases[quantity].notna().any():
            return reference_size(cases, quantity)
    return None
