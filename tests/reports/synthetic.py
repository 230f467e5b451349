"""A made-up run whose every number follows a known law, so that a report on it can be checked by hand."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

EPSILON = {"float64": 2.0**-52, "float32": 2.0**-23}
FORWARD_SECONDS = {"numpy": (4e-6, 2e-9), "torch": (4e-5, 2.5e-9), "jax": (2e-5, 1.6e-9)}
"""Seconds of one forward pass are a + b P."""

Law = Callable[[int, int], float]
"""A number for P parameters and M samples."""

FAMILY = {
    "backprop": "reverse", "autograd": "reverse", "jax_grad": "reverse",
    "tangent": "forward", "jvp": "forward", "forward_gradient": "forward",
    "forward_difference": "finite-difference", "central_difference": "finite-difference",
    "complex_step": "finite-difference", "gaussian_es": "evolution",
}  # fmt: skip
RATIO: dict[str, Law] = {
    "backprop": lambda P, M: 2.6,
    "autograd": lambda P, M: 3.1,
    "jax_grad": lambda P, M: 2.7,
    "tangent": lambda P, M: 0.6 * P,
    "jvp": lambda P, M: 1.9 * P,
    "forward_gradient": lambda P, M: 2.2 * M,
    "forward_difference": lambda P, M: 1.0 * P + 1,
    "central_difference": lambda P, M: 2.0 * P,
    "complex_step": lambda P, M: 3.7 * P,
    "gaussian_es": lambda P, M: 2.0 * M,
}
EVALUATIONS: dict[str, Law] = {
    "backprop": lambda P, M: 1,
    "autograd": lambda P, M: 1,
    "jax_grad": lambda P, M: 1,
    "tangent": lambda P, M: P + 1,
    "jvp": lambda P, M: P,
    "forward_gradient": lambda P, M: M,
    "forward_difference": lambda P, M: P + 1,
    "central_difference": lambda P, M: 2 * P,
    "complex_step": lambda P, M: P,
    "gaussian_es": lambda P, M: 2 * M,
}
BACKENDS = {"autograd": {"torch"}, "jvp": {"torch"}, "jax_grad": {"jax"}, "complex_step": {"numpy"}}
ORDER = {"forward_difference": 1, "central_difference": 2}
SAMPLES = {"gaussian_es": "pairs", "forward_gradient": "directions"}
BLACK_BOX = {"forward_difference", "central_difference", "gaussian_es"}


def relative_error(method: str, P: int, dtype: str, step: float, samples: int) -> float:
    """The law of the error: rounding, the V of differences (C h^p + R u / h), sqrt((P + 1) / M)."""
    u = EPSILON[dtype]
    if order := ORDER.get(method):
        return 0.3 * step**order + 4 * u * (P / 1e3) ** 0.5 / step
    return ((P + 1) / samples) ** 0.5 if method in SAMPLES else 1.5 * u


def _exactness(method: str) -> str:
    if method in SAMPLES:
        return f"unbiased over {SAMPLES[method]}"
    return f"order {ORDER[method]} in step" if method in ORDER else "exact"


class SyntheticRun:
    """A run folder in the making; `write` ends it."""

    def __init__(self, seed: int = 0) -> None:
        self.records: list[dict[str, Any]] = []
        self.random = np.random.default_rng(seed)
        self.noise = 0.02

    def key(self, problem: str, sizes: dict[str, Any], method: str, **more: Any) -> dict[str, Any]:
        """A key with the usual defaults."""
        usual = {"want": "gradient", "point": "initial", "draw": None, "state": None, "seed": 0}
        place = {"backend": "numpy", "device": "cpu", "dtype": "float64", "threads": 1, "version": 1}
        return {"problem": problem, "sizes": sizes, "method": method, "hyper": {}} | usual | place | more

    def add(self, key: dict[str, Any], quantity: str, value: float | None, study: str, **more: Any) -> None:
        """One record."""
        usual = {"unit": None, "low": None, "high": None, "status": "done", "reason": None, "detail": {}}
        record = {"key": key, "quantity": quantity, "value": value, "study": study}
        self.records.append(record | usual | more)

    def case(self, key: dict[str, Any], study: str, P: int, depth: int | None, **more: Any) -> None:
        """The claims of a case; `more` gives status and reason."""
        method = key["method"]
        passes = 1.0 if FAMILY.get(method) in ("forward", "finite-difference") else 0.0
        passes = 0.0 if method in SAMPLES else passes
        samples = key["hyper"].get(SAMPLES.get(method, ""), None)
        detail = {
            "family": FAMILY.get(method), "exactness": _exactness(method), "order": ORDER.get(method),
            "step_field": "step" if method in ORDER else None, "target": "gradient", "reads": ["loss"],
            "black_box": method in BLACK_BOX, "stochastic": method in SAMPLES,
            "growth": {"passes": passes, "time": {"parameters": 1 + passes}, "memory": {"depth": 1}},
            "P": P, "rows": 256 if depth else None, "depth": depth, "forward_flops": 512.0 * P,
            "samples_field": SAMPLES.get(method), "samples": samples,
            "predicted_cosine": (samples / (samples + P + 1)) ** 0.5 if samples else None,
            "declared_evaluations": EVALUATIONS[method](P, samples or 0) if method in EVALUATIONS else None,
        }  # fmt: skip
        self.add(key, "case", None, study, detail=detail, **more)

    def measure(
        self,
        key: dict[str, Any],
        study: str,
        P: int,
        depth: int | None = 2,
        what: str = "time error work memory",
    ) -> None:
        """All the quantities of a case, by the laws above."""
        self.case(key, study, P, depth)
        method, samples = key["method"], key["hyper"].get(SAMPLES.get(key["method"], ""), 0)
        if "time" in what:
            self._time(key, study, P, RATIO[method](P, samples))
        if "work" in what:
            evaluations = EVALUATIONS[method](P, samples)
            self.add(key, "evaluations", evaluations, study, unit="evaluations")
            detail = {"forward": evaluations, "tangent": 0, "pullback": 0, "declared": False}
            self.add(key, "passes", evaluations, study, unit="passes", detail=detail)
        if "memory" in what:
            per_layer = 8.0 * 256 * 64 * (depth or 1) if FAMILY[method] == "reverse" else 8.0 * 256 * 64
            self.add(key, "peak_bytes", per_layer + 8 * P, study, unit="B", detail={"resolution": 4096})
        if "error" in what:
            self._error(key, study, P, samples)

    def _time(self, key: dict[str, Any], study: str, P: int, ratio: float) -> None:
        overhead, per_parameter = FORWARD_SECONDS[key["backend"]]
        ratio *= float(np.exp(self.noise * self.random.standard_normal()))
        seconds = (overhead + per_parameter * P) * ratio
        self.add(key, "time", seconds, study, unit="s", low=seconds * 0.98, high=seconds * 1.03)
        self.add(key, "prepare_time", 1e-3, study, unit="s")
        self.add(key, "ratio", ratio, study, unit="forward passes", low=ratio * 0.97, high=ratio * 1.02)

    def _error(self, key: dict[str, Any], study: str, P: int, samples: int) -> None:
        method, dtype = key["method"], key["dtype"]
        error = relative_error(method, P, dtype, key["hyper"].get("step") or 1e-5, samples or 1)
        random = {"low": error * 0.9, "high": error * 1.1} if method in SAMPLES else {}
        detail = {"reference": "longdouble backprop", "uncertainty": 1e-18, "vouched_by": ["complex step"]}
        self.add(key, "error", error, study, unit="relative", detail=detail, **random)
        self.add(key, "digits", -float(np.log10(error)), study, unit="digits", detail={"float_class": "good"})
        cosine = (samples / (samples + P + 1)) ** 0.5 if method in SAMPLES else 1.0
        interval = {"low": cosine * 0.95, "high": cosine * 1.05} if method in SAMPLES else {}
        self.add(key, "cosine", cosine, study, unit="1", **interval)

    def write(self, folder: Path) -> Path:
        """Write records.jsonl and environment.json."""
        folder.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(record) for record in self.records]
        (folder / "records.jsonl").write_text("".join(line + "\n" for line in lines))
        (folder / "environment.json").write_text(json.dumps(ENVIRONMENT))
        return folder


ENVIRONMENT = {
    "started": "2025-01-02T03:04:05+00:00", "command": "gradmark run --profile quick", "profile": "quick",
    "commit": "0123456789abcdef0123456789abcdef01234567", "dirty": False, "gradmark": "0.1.0",
    "python": "3.11.7", "platform": "Linux-6.1-x86_64", "cpu": "AMD EPYC 9005", "cores": 2,
    "memory_bytes": 24_000_000_000, "versions": {"numpy": "2.4.6", "torch": "2.13.0"},
    "blas": [{"internal_api": "openblas", "architecture": "SkylakeX", "version": "0.3.31", "num_threads": 1}],
    "threads": 1, "variables": {"OMP_NUM_THREADS": "1"}, "devices": ["cpu"], "tf32": False,
    "warnings": ["OPENBLAS_CORETYPE=Haswell pins slower kernels than this CPU has"],
}  # fmt: skip
