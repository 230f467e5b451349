"""The cases of the study: what each holds, how many forward passes it makes, and in how many steps."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from gradmark import dtypes
from gradmark.run.plan import called
from reports.run import Run
from reports.series import main_dtype, main_place
from reports.style import Look
from reports.theory import epsilon

NONE, AUTOGRAD, UNIFORM, REVOLVE = "backprop", "autograd", "checkpointed", "revolve"
TORCH, REVERSIBLE = "torch_checkpoint", "reversible"
LOOKS = {
    NONE: Look("#0072B2", "o"),
    AUTOGRAD: Look("#555555", "v"),
    UNIFORM: Look("#D55E00", "s"),
    TORCH: Look("#E69F00", "P"),
    REVOLVE: Look("#009E73", "D"),
    REVERSIBLE: Look("#AA4499", "^"),
}
"""The kinds in the order of tables, with colours as far apart as those of families."""

_METHODS = {
    "backprop": NONE, "autograd": AUTOGRAD, "torch_checkpoint": TORCH, "reversible_backprop": REVERSIBLE,
}  # fmt: skip
_USUAL = {
    "gain", "initialisation", "data", "loss", "dropout", "frozen", "normalisation", "outputs", "inputs",
    "kernel", "pool", "size", "forget_bias", "heads",
}  # fmt: skip
"""Arguments of problems that a name leaves out."""


def of_run(run: Run) -> pd.DataFrame:
    """The finished cases of the kinds of `LOOKS`, in their order, with the columns

    ``kind``, ``label`` (with segments or states), ``default`` (without hyper-parameters of one's own),
    ``sizes``, ``network`` (in words), ``itemsize``, ``beside`` (peak less the gradient's bytes), ``held``
    (what the method says that it keeps, NaN: nothing), ``forward`` (passes counted) and ``recomputed``; of
    the problem ``forward_flops``, ``pullback_flops``, ``first_layer_share`` and ``layers``; and where all
    steps are alike ``steps``, ``width`` and ``state_bytes``, else NaN.
    """
    cases = run.cases[run.cases["status"] == "done"].copy()
    described = [_described(row) for row in cases.to_dict("records")]
    cases = cases.join(pd.DataFrame(described, cases.index, _COLUMNS))
    cases = cases[cases["kind"].isin(LOOKS) & cases["itemsize"].notna()]
    order = cases["kind"].map(list(LOOKS).index)
    return cases.assign(order=order.astype(float)).sort_values(["order", "P"], kind="stable")


_COLUMNS = pd.Index(
    [
        "kind", "label", "default", "count", "sizes", "network", "itemsize", "beside", "held", "forward",
        "recomputed", "forward_flops", "pullback_flops", "first_layer_share", "layers", "steps", "width",
        "state_bytes",
    ]
)  # fmt: skip


def _described(row: Mapping[Any, Any]) -> dict[str, Any]:
    key, detail = json.loads(row["key"]), row["detail"] or {}
    hyper, sizes = key.get("hyper") or {}, key.get("sizes") or {}
    kind, count = _kind(key["method"], hyper)
    itemsize = dtypes.itemsize(row["dtype"]) if epsilon(row["dtype"]) else np.nan
    saved = (row["peak_bytes_detail"] or {}).get("saved")
    forward = (row["passes_detail"] or {}).get("forward", np.nan)
    steps = _steps(row["problem"], sizes)
    width = float(sizes["width"]) if steps else np.nan
    problem = {name: detail.get(name) for name in ("forward_flops", "pullback_flops", "first_layer_share")}
    return {
        "kind": kind,
        "label": _label(kind, count),
        "default": count is None,
        "count": np.nan if count is None else float(count),
        "sizes": sizes,
        "network": called(row["problem"], {name: v for name, v in sizes.items() if name not in _USUAL}),
        "itemsize": itemsize,
        "beside": row["peak_bytes"] - itemsize * row["P"],
        "held": float(sum(saved.values())) if saved else np.nan,
        "forward": forward,
        "recomputed": forward - 1,
        **{name: np.nan if value is None else float(value) for name, value in problem.items()},
        "layers": detail.get("layers") or [],
        "steps": steps or np.nan,
        "width": width,
        "state_bytes": itemsize * row["rows"] * width,
    }


def _kind(method: str, hyper: Mapping[str, Any]) -> tuple[str, int | None]:
    """The kind, and the number of segments or states where it is given."""
    if method == "checkpointed_backprop":
        revolve = hyper.get("schedule") == "revolve"
        return (REVOLVE, hyper.get("states")) if revolve else (UNIFORM, hyper.get("segments"))
    return _METHODS.get(method, ""), hyper.get("segments")


def _label(kind: str, count: int | None) -> str:
    if kind in (UNIFORM, TORCH):
        return f"{kind}, {'√L' if count is None else f'k = {count}'}"
    return f"{kind}, s = {'√L' if count is None else count}" if kind == REVOLVE else kind


def _steps(problem: str, sizes: Mapping[str, Any]) -> float:
    """How many steps of equal layers or blocks there are; 0 where they are not alike."""
    if len({sizes.get(name) for name in ("width", "inputs", "outputs")}) != 1:
        return 0
    if problem == "deep_mlp" and sizes.get("normalisation") == "none":
        return float(sizes["depth"] + 1)
    return float(sizes["blocks"] + 2) if problem == "reversible_mlp" else 0


def alike(cases: pd.DataFrame) -> pd.DataFrame:
    """The cases of networks with equal steps; of one width, batch, dtype and place: that with most cases."""
    equal = cases[cases["steps"].notna()]
    if equal.empty:
        return equal
    equal = equal[equal["place"] == main_place(equal)]
    equal = equal[equal["dtype"] == main_dtype(equal)]
    size = equal.groupby(["width", "rows"])["case"].transform("count")
    first = equal[size == size.max()].iloc[0]
    chosen: pd.DataFrame = equal[(equal["width"] == first["width"]) & (equal["rows"] == first["rows"])]
    return chosen


def words(equal: pd.DataFrame) -> str:
    """Where and on what the cases of `alike` were measured."""
    first = equal.iloc[0]
    return f"width {first['width']:.0f}, {first['rows']:.0f} rows, {first['dtype']} on {first['place']}"
