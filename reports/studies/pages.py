"""The pages of the studies that a run holds."""

from collections.abc import Callable

from reports.page import Page
from reports.run import Run, of_study
from reports.studies import NAMES
from reports.studies.differences import page as differences
from reports.studies.evolution import page as evolution
from reports.studies.jacobians import page as jacobians
from reports.studies.memory import page as memory
from reports.studies.parallel import page as parallel
from reports.studies.precision import page as precision
from reports.studies.structure import page as structure
from reports.studies.variance import page as variance
from reports.style import house_style, settle

_MAKERS: dict[str, Callable[[Run], Page]] = {
    "memory": memory.make,
    "precision": precision.make,
    "parallel": parallel.make,
    "differences": differences.make,
    "structure": structure.make,
    "jacobians": jacobians.make,
    "variance": variance.make,
    "evolution": evolution.make,
}


def of_run(run: Run) -> dict[str, Page]:
    """The page of each study by its name, which is that of its file."""
    found = {}
    for name in NAMES:
        study = of_study(run, name)
        if study is not None:
            with house_style():
                page = _MAKERS[name](study)
                for figure in page.figures:
                    settle(figure.canvas)
            found[name] = page
    return found
