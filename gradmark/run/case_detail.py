"""What the record "case" says beside how the case ended: the method's claims and the problem's size."""

import platform
from dataclasses import replace
from typing import Any

from gradmark.claims import Biased, Claims, Exact, Growth, Target, Truncated, Unbiased, Want
from gradmark.layer import Affine
from gradmark.measuring.flops import first_layer_share, pullback_flops
from gradmark.method import Method
from gradmark.parameters import size
from gradmark.problem import Problem
from gradmark.quantities import DIRECTED
from gradmark.run.direction import IN_WORDS
from gradmark.structure import flattened


def of_problem(problem: Problem) -> dict[str, Any]:
    """P, rows, number of affine layers, FLOPs of a forward pass and a pullback (null: unknown), and where.

    And what the gradient of the data, which nobody needs, would cost in forward passes; the layers' kinds.
    """
    depth = None
    if problem.layers is not None:
        depth = sum(isinstance(named.layer, Affine) for named in flattened(problem.layers))
    return {
        "P": size(problem.parameters),
        "rows": problem.default_draw.count,
        "depth": depth,
        "forward_flops": problem.flops,
        "pullback_flops": pullback_flops(problem),
        "first_layer_share": first_layer_share(problem),
        "layers": [type(named.layer).__name__ for named in problem.layers or ()],
        "smoothness": problem.smoothness,
        "host": platform.node(),
    }


def of_method(
    method: Method, problem: Problem, want: Want = "gradient", *, declined: bool = False
) -> dict[str, Any]:
    """All that the method claims, in JSON's own types, at this problem's size.

    Of a problem that it has `declined` it need not know how many passes it would take.

    Its passes and their growth are claimed for a gradient: of another quantity there is no such claim.
    """
    claims = method.claims
    if want != "gradient":
        claims = replace(claims, work=None, growth=Growth())
    if declined:
        claims = replace(claims, work=None)
    more: dict[str, Any] = {"direction": IN_WORDS} if want in DIRECTED else {}
    return {
        **more,
        "family": claims.family,
        "exactness": _in_words(claims),
        "target": str(claims.target) if want == "gradient" else want,
        "reads": sorted(claims.reads),
        "black_box": claims.black_box,
        "stochastic": claims.stochastic,
        "growth": {
            "passes": claims.growth.passes,
            "time": dict(claims.growth.time),
            "memory": dict(claims.growth.memory),
        },
        **_of_exactness(method, claims, size(problem.parameters)),
        **_of_work(claims, problem),
    }


def _in_words(claims: Claims) -> str:
    """The claim, and what it is exact in and of where that is not the problem's own dtype and gradient."""
    words = str(claims.exactness)
    if not isinstance(claims.exactness, Exact):
        return words
    inside = "" if claims.precision == "problem" else f" in {claims.precision}"
    return words + inside + ("" if claims.target == Target() else f", of the {claims.target}")


def _of_exactness(method: Method, claims: Claims, parameters: int) -> dict[str, Any]:
    exactness = claims.exactness
    detail: dict[str, Any] = {"order": None, "step_field": None, "samples_field": None, "samples": None}
    detail |= {"predicted_cosine": None, "bias": None}
    if isinstance(exactness, Truncated):
        detail |= {"order": exactness.order, "step_field": exactness.parameter}
    if isinstance(exactness, Unbiased):
        samples = getattr(method, exactness.samples, None)
        detail |= {"samples_field": exactness.samples, "samples": samples}
        # A claim about this problem takes its gradient: the record "error" has what follows from it.
        if isinstance(samples, int | float) and exactness.factor_at is None and exactness.declares_variance:
            detail["predicted_cosine"] = exactness.cosine(samples, parameters)
    if isinstance(exactness, Biased):
        detail["bias"] = exactness.reason
    return detail


def _of_work(claims: Claims, problem: Problem) -> dict[str, Any]:
    work = None if claims.work is None else claims.work(problem)
    return {
        "declared_evaluations": None if work is None else work.evaluations,
        "declared_passes": None if work is None else work.passes,
    }
