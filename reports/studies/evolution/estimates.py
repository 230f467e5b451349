"""The cases of the study, with what was measured of random estimates and what their claims predict."""

import json
import math
from typing import Any

import numpy as np
import pandas as pd

from reports.run import Run

LEFT_OUT = ("pairs", "sigma")
"""Hyper-parameters that the study varies: a method's name here is what is left of them."""


def of_run(run: Run) -> pd.DataFrame:
    """The finished cases, with columns ``who``, ``pairs``, ``sigma``, ``seeds``, ``evaluations`` and

    - ``variance``, E|g_hat - g|^2 / |g|^2, with ``_low`` and ``_high``, and ``variance_law`` as claimed;
    - ``scale``, E<g_hat, g>/|g|^2, with its ends; ``cosine_law``, the predicted cosine;
    - ``shrunk`` and ``shrunk_law``: the relative error of the estimate times M / (M + v), v as claimed.
    """
    cases = run.cases[run.cases["error"].notna()].copy()
    hyper = [json.loads(key).get("hyper") or {} for key in cases["key"]]
    cases["who"] = [_who(name, own) for name, own in zip(cases["name"], hyper, strict=True)]
    for field in LEFT_OUT:
        cases[field] = pd.Series([own.get(field) for own in hyper], cases.index, dtype=float)
    details = [detail or {} for detail in cases["error_detail"]]
    cases["seeds"] = pd.Series([each.get("repetitions") for each in details], cases.index, dtype=float)
    for end, part in (("", "value"), ("_low", "low"), ("_high", "high")):
        cases[f"variance{end}"] = cases[f"error{end}"] ** 2
        told = [(each.get("scale") or {}).get(part) for each in details]
        cases[f"scale{end}"] = pd.Series(told, cases.index, dtype=float)
    for column, key in (("variance_law", "predicted_error"), ("cosine_law", "predicted_cosine")):
        cases[column] = pd.Series([each.get(key) for each in details], cases.index, dtype=float)
    cases["variance_law"] **= 2
    return _with_shrunk(cases).sort_values(["P", "dtype", "who", "pairs", "sigma"], kind="stable")


def _with_shrunk(cases: pd.DataFrame) -> pd.DataFrame:
    """E|c g_hat - g|^2 = c^2 (e + 2 s - 1) - 2 c s + 1 from variance e and scale s, c = 1/(1 + v/M)."""
    c = 1 / (1 + cases["variance_law"])
    square = c**2 * (cases["variance"] + 2 * cases["scale"] - 1) - 2 * c * cases["scale"] + 1
    cases["shrunk"] = np.sqrt(np.maximum(square, 0.0))
    cases["shrunk_law"] = np.sqrt(cases["variance_law"] * c)
    return cases


def _who(name: str, hyper: dict[str, Any]) -> str:
    """The method with what sets it apart here.

    >>> _who("orthogonal_es", {"pairs": 4, "frame": "qr", "shaping": "identity"})
    'orthogonal_es, qr'
    """
    said = []
    if hyper.get("antithetic") is False:
        said.append("one-sided")
    said += [str(hyper[field]) for field in ("frame", "law") if hyper.get(field, "hadamard") != "hadamard"]
    return ", ".join([name, *said])


def linear(cases: pd.DataFrame) -> pd.DataFrame:
    """Those of the linear loss, where the laws are exact."""
    return cases[cases["problem"].str.startswith("polynomial")]


def network(cases: pd.DataFrame, moved: bool) -> pd.DataFrame:
    """Those of networks: at many sigmas (`moved`), or at one with a cost in evaluations."""
    own = cases[~cases["problem"].str.startswith("polynomial")]
    return own[own["evaluations"].isna()] if moved else own[own["evaluations"].notna()]


def evaluations_for(cosine: float, variance_of_one: float, evaluations_of_one: float) -> float:
    """Evaluations for an expected cosine c: M = v c^2 / (1 - c^2) samples of so many each, one at least.

    >>> round(evaluations_for(0.5, 300.0, 2.0))
    200
    """
    if not math.isfinite(variance_of_one):
        return math.nan
    return evaluations_of_one * max(1.0, variance_of_one * cosine**2 / (1 - cosine**2))
