"""The measured curves of error over step, with the prediction of each: the table of best steps."""

import json
import warnings
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from reports import numbers
from reports.cells import NOTHING
from reports.run import Run
from reports.studies.differences.prediction import Curve, Prediction
from reports.table import Cell, Table

_CAPTION = (
    "The step with the least measured error beside the predicted one h*, and the error there beside the "
    "predicted floor. Predicted from the problem alone: the derivatives of order p + 1 along each parameter, "
    "by integrals over circles in the complex plane, and the noise e of the loss, its deviation "
    "from the same "
    "loss in a wider dtype ({noise}). The error is sqrt((c h^p |D|)² + P (w e/h)²) / |g| with the "
    "stencil's c "
    "and w. Weight differences are central differences. Methods without a prediction have no one stencil, or "
    "lose nothing to rounding. Below each prediction: the measured "
    "number in it. A sweep knows a step to a factor of {factor}."
)
_DATA = ["case", "label", "dtype", "P", "step", "error", "predicted_step", "predicted_floor"]


def of_run(run: Run) -> pd.DataFrame:
    """The cases with an error: ``step`` (NaN: the method's own), ``label`` and ``arguments``."""
    cases = run.cases[run.cases["error"].notna() & (run.cases["error"] > 0)].copy()
    keys = [json.loads(key) for key in cases["key"]]
    hyper = [key.get("hyper") or {} for key in keys]
    steps = [own.get("step") for own in hyper]
    cases["step"] = pd.to_numeric(pd.Series(steps, cases.index, dtype=object)).astype(float)
    names = zip(cases["name"], hyper, strict=True)
    cases["label"] = [
        f"{name}, order {own['order']}" if name == "stencil_difference" and "order" in own else name
        for name, own in names
    ]
    cases["arguments"] = [json.dumps(key.get("sizes") or {}, sort_keys=True) for key in keys]
    return cases


def swept(found: pd.DataFrame) -> pd.DataFrame:
    """The cases with a step of their own, at the size with most, by step."""
    steps = found[found["step"].notna()]
    if steps.empty:
        return steps
    most = steps["arguments"].value_counts().index[0]
    own: pd.DataFrame = steps[steps["arguments"] == most].sort_values(["label", "step"], kind="stable")
    return own


def curve(label: str, case: Any) -> Curve | None:
    """The prediction for a method at the problem of a case; None where there is none."""
    from methods.finite_difference.stencils.weights import central, one_sided

    order = {"central_difference": 2, "weight_difference": 2}.get(label)
    if label.startswith("stencil_difference, order "):
        order = int(label.rpartition(" ")[2])
    if label in ("forward_difference", "backward_difference"):
        stencil = one_sided()
    elif order in (2, 4, 6):
        stencil = central(order)
    else:
        return None
    known = prediction(case["problem"], case["arguments"], case["dtype"], int(case["seed"]))
    return None if known is None else known.curve(stencil)


@cache
def prediction(problem: str, arguments: str, dtype: str, seed: int) -> Prediction | None:
    """Of the problem of a key; None where it cannot be built here, or carries no complex numbers."""
    from gradmark.registry import get_problem

    try:
        found = Prediction(get_problem(problem, **json.loads(arguments), dtype=dtype, seed=seed))
        return found if np.isfinite(found.noise) and found.noise > 0 else None
    except Exception as error:
        warnings.warn(f"no step is predicted for `{problem}` in {dtype}: {error}", stacklevel=2)
        return None


def best(found: pd.DataFrame) -> pd.DataFrame:
    """For each method and dtype of the sweep the case with the least error, and what was predicted."""
    rows = swept(found)
    lowest = rows.loc[rows.groupby(["label", "dtype"], sort=False)["error"].idxmin()]
    curves = [curve(row["label"], row) for row in lowest.to_dict("records")]
    steps = [np.nan if one is None else one.best_step for one in curves]
    floors = [np.nan if one is None else one.floor for one in curves]
    return lowest.assign(predicted_step=steps, predicted_floor=floors)


def build(found: pd.DataFrame) -> list[Table]:
    """One table, or none without a sweep."""
    if swept(found).empty:
        return []
    lowest = best(found)
    dtypes = sorted(set(lowest["dtype"]), reverse=True)
    heads = ("best step", "predicted h*", "least error", "predicted floor")
    columns = ["method", *(f"{dtype}|{head}" for dtype in dtypes for head in heads)]
    labels = list(dict.fromkeys(lowest["label"]))
    rows = [
        [Cell(label), *(cell for dtype in dtypes for cell in _cells(lowest, label, dtype))]
        for label in labels
    ]
    known = [prediction(*_problem(lowest, dtype)) for dtype in dtypes]
    noise = ", ".join(
        f"{numbers.three(one.noise)} in {dtype}" for one, dtype in zip(known, dtypes, strict=True) if one
    )
    caption = _CAPTION.format(noise=noise or "not known here", factor=numbers.three(_factor(found)))
    title = f"Best steps, measured and predicted: P = {numbers.count(lowest['P'].iloc[0])}"
    return [Table("differences-steps", title, caption, columns, rows, lowest[_DATA])]


def _problem(lowest: pd.DataFrame, dtype: str) -> tuple[str, str, str, int]:
    first = lowest[lowest["dtype"] == dtype].iloc[0]
    return first["problem"], first["arguments"], dtype, int(first["seed"])


def _factor(found: pd.DataFrame) -> float:
    steps = np.array(sorted(set(swept(found)["step"])))
    return float(np.median(steps[1:] / steps[:-1])) if len(steps) > 1 else float("nan")


def _cells(lowest: pd.DataFrame, label: str, dtype: str) -> list[Cell]:
    here = lowest[(lowest["label"] == label) & (lowest["dtype"] == dtype)]
    if here.empty:
        return [NOTHING] * 4
    row = here.iloc[0]
    pairs = (("step", "predicted_step"), ("error", "predicted_floor"))
    return [
        cell
        for measured, predicted in pairs
        for cell in (
            Cell(numbers.three(row[measured]), "", row["case"], kind="number"),
            NOTHING if pd.isna(row[predicted]) else
            Cell(numbers.three(row[predicted]), f"× {row[measured] / row[predicted]:.2f}", kind="number"),
        )
    ]  # fmt: skip
