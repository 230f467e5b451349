"""What a report keeps so that it can be repeated, and the claims it is about, in words."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from gradmark.claims import Claims, Growth
from gradmark.judging.hearing import Hearing
from gradmark.run.environment import commit, in_this_process
from gradmark.run.kernels import VARIABLES
from gradmark.run.records import plain

_PRIVATE = ("host",)
"""What a report that is passed on has no business with."""


def record(hearings: Sequence[Hearing], threads: int, **settings: Any) -> dict[str, Any]:
    """Settings, versions, threads, devices, commit, and variables that change libraries; for JSON."""
    machine = {key: value for key, value in in_this_process((), threads).items() if key not in _PRIVATE}
    return {
        **{key: plain(value) for key, value in settings.items()},
        "problems": list(dict.fromkeys(hearing.where for hearing in hearings)),
        "device": sorted({hearing.problem.arrays.device for hearing in hearings}),
        **commit(),
        **machine,
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


def claims_in_words(claims: Claims) -> Mapping[str, str]:
    """Each claim in a few words."""
    return {
        "family": claims.family,
        "exactness": str(claims.exactness),
        "target": str(claims.target),
        "computes": ", ".join(sorted(claims.wants)),
        "reads": ", ".join(sorted(claims.reads)),
        "work": "stated" if claims.work is not None else "not stated",
        "growth": _growth(claims.growth),
        "precision": "that of the problem" if claims.precision == "problem" else claims.precision,
        "backends": ", ".join(sorted(claims.backends)),
        "devices": ", ".join(sorted(claims.devices)),
        **({"calls": "several make one estimate"} if claims.calls is not None else {}),
        **({"compiles": "for seconds for each shape"} if claims.compiles else {}),
    }


def _growth(growth: Growth) -> str:
    laws = [f"passes with parameters^{growth.passes:g}"]
    for what, exponents in (("time", growth.time), ("memory", growth.memory)):
        laws += [f"{what} with {name}^{exponent:g}" for name, exponent in exponents.items()]
    return ", ".join(laws)
