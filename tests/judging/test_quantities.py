"""Whether jvp, vjp, Jacobian, hvp and Hessian are accepted where they are right, and only there."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark import passes
from gradmark.claims import Claims, Exact, Growth, Truncated, Want
from gradmark.judging.docket import trials_of
from gradmark.judging.judgement import ValidationReport
from gradmark.judging.validation import STAGES
from gradmark.method import Estimate, check_supported, unsupported
from gradmark.quantities import check_cotangent, check_direction
from gradmark.work import counting

PROBLEM = "mlp:data=synthetic,widths=3,3,2,batch=3,activation=tanh,loss=mse"
CLAIMS = Claims(
    family="reverse",
    exactness=Exact(),
    reads=frozenset({"loss", "pullback", "pushforward"}),
    growth=Growth(),
    backends=frozenset({"numpy"}),
    wants=frozenset({"jvp", "vjp", "jacobian", "hvp", "hessian"}),
)
_STEP = 1e-200
Change = Callable[[Any, Any], Any]


def jvp(problem: Any, x: Any, draw: Any, v: Any) -> Any:
    trace = passes.forward(problem, x, draw)
    moved = {name: array[None] for name, array in v.items()}
    return passes.outputs_pushforward(problem, x, draw, trace, moved)[0]


def vjp(problem: Any, x: Any, draw: Any, w: Any) -> Any:
    trace = passes.forward(problem, x, draw)
    return passes.outputs_pullback(problem, x, draw, trace, check_cotangent(trace.outputs, w))


def jacobian(problem: Any, x: Any, draw: Any, _: Any) -> Any:
    shape = problem.outputs(x, draw).shape
    rows = [vjp(problem, x, draw, row.reshape(shape)) for row in np.eye(int(np.prod(shape)))]
    return {n: np.stack([row[n] for row in rows]).reshape(*shape, *a.shape) for n, a in x.items()}


def hvp(problem: Any, x: Any, draw: Any, v: Any) -> Any:
    """The complex step of backpropagation."""
    moved = {name: array + 1j * _STEP * v[name] for name, array in x.items()}
    trace = passes.forward(problem, moved, draw)
    gradient = passes.pullback(problem, moved, draw, trace)
    return {name: gradient[name].imag / _STEP for name in x}


def hessian(problem: Any, x: Any, draw: Any, _: Any) -> Any:
    found: dict[str, dict[str, Any]] = {name: {} for name in x}
    for one, array in x.items():
        rows = []
        for index in np.ndindex(array.shape):
            v = {name: np.zeros_like(other) for name, other in x.items()}
            v[one][index] = 1
            rows.append(hvp(problem, x, draw, v))
        for other in x:
            found[one][other] = np.stack([r[other] for r in rows]).reshape(*array.shape, *x[other].shape)
    return found


RIGHT: dict[str, Callable[..., Any]] = {
    "jvp": jvp, "vjp": vjp, "jacobian": jacobian, "hvp": hvp, "hessian": hessian,
}  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Right quantities, of which `changed` may replace some."""

    changed: tuple[tuple[str, Callable[..., Any]], ...] = ()
    claims: Claims = CLAIMS
    checks: bool = True
    step: float | None = None

    def supports(self, problem: Any, want: Want = "gradient") -> str | None:
        return unsupported(self, problem, want)

    def prepare(self, problem: Any, want: Want = "gradient") -> Any:
        check_supported(self, problem, want)
        function = {**RIGHT, **dict(self.changed)}[want]

        def asked(
            x: Any, seed: int = 0, *, draw: Any = None, direction: Any = None, state: Any = None
        ) -> Estimate:
            given = check_direction(problem, want, direction) if self.checks else direction
            with counting() as work:
                result = function(problem, x, draw or problem.default_draw, given)
            return Estimate(result, None, work.total())

        return asked


def judged(want: Want, change: Callable[..., Any] | None = None, **fields: Any) -> ValidationReport:
    claims = fields.pop("claims", CLAIMS)
    changed = () if change is None else ((want, change),)
    method = Wanted(changed, replace(claims, wants=frozenset({want})), **fields)
    return gradmark.validate(method, problems=_problem())


@cache
def _problem() -> Any:
    """Built once, so that references are computed once."""
    return gradmark.get_problem(
        "mlp", data="synthetic", widths=(3, 3, 2), batch=3, activation="tanh", loss="mse"
    )


def failed(report: ValidationReport) -> set[str]:
    return {found.check for found in report.findings if found.status == "failed"}


def test_right_quantities_are_correct_and_the_stages_of_a_gradient_say_why_they_are_left_out() -> None:
    report = gradmark.validate(Wanted(), problems=_problem())
    assert report.verdict == "correct", report.reason
    assert report.smallest_detectable is not None and report.smallest_detectable < 1e-12
    values = [f for f in report.findings if f.check.endswith(".values")]
    assert len(values) == 13 and {f.status for f in values} == {
        "passed"
    }  # three directions; two matrices twice
    left_out = {f.check: f.reason for f in report.findings if f.check in STAGES}
    assert "no gradient" in left_out["contract"] and "`quantities`" in left_out["contract"]


def transposed_direction(problem: Any, x: Any, draw: Any, v: Any) -> Any:
    return jvp(problem, x, draw, {**v, "layers.0.weight": v["layers.0.weight"].T})


def gauss_newton(problem: Any, x: Any, draw: Any, v: Any) -> Any:
    """J^T (2 / n) J v for a mean of squares over n outputs."""
    along = jvp(problem, x, draw, v)
    return vjp(problem, x, draw, 2 * along / along.size)


def swapped(problem: Any, x: Any, draw: Any, _: Any) -> Any:
    return {name: array[:, ::-1] for name, array in jacobian(problem, x, draw, None).items()}


def lopsided(problem: Any, x: Any, draw: Any, _: Any) -> Any:
    found = hessian(problem, x, draw, None)
    found["layers.0.weight"]["layers.0.bias"] = found["layers.0.weight"]["layers.0.bias"] * (1 + 1e-9)
    return found


def times(factor: float, right: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *given: {name: factor * array for name, array in right(*given).items()}


def writing(problem: Any, x: Any, draw: Any, w: Any) -> Any:
    found = vjp(problem, x, draw, w)
    w *= 0.5
    return found


def at_the_built_point(problem: Any, x: Any, draw: Any, w: Any) -> Any:
    return vjp(problem, problem.parameters, draw, w)


def of_length_one(problem: Any, x: Any, draw: Any, v: Any) -> Any:
    return jvp(problem, x, draw, v) / np.sqrt(sum(np.sum(a**2) for a in v.values()))


def twice(problem: Any, x: Any, draw: Any, v: Any) -> Any:
    with counting():
        passes.forward(problem, x, draw)
    return jvp(problem, x, draw, v)


WRONG: dict[str, tuple[Want, Callable[..., Any], str, str]] = {
    "direction transposed": ("jvp", transposed_direction, "jvp.values", "the array is off by"),
    "without the length": ("jvp", of_length_one, "jvp.linear", "not linear"),
    "of the point it was built at": ("vjp", at_the_built_point, "vjp.values", "off by"),
    "writes": ("vjp", writing, "vjp.unchanged", "changes the direction"),
    "outputs swapped": ("jacobian", swapped, "jacobian.values", "off by"),
    "factor 2 missing": ("hvp", times(0.5, hvp), "hvp.values", "the hvp times 0.5"),
    "Gauss-Newton": ("hvp", gauss_newton, "hvp.values", "off by"),
    "not symmetric": ("hessian", lopsided, "hessian.symmetric", "not symmetric"),
    "flat": ("vjp", lambda *a: {n: x.ravel() for n, x in vjp(*a).items()}, "vjp.form", "has shape"),
    "in float32": ("jvp", lambda *a: jvp(*a).astype(np.float32), "jvp.form", "float32"),
    "NaN": ("hvp", times(np.nan, hvp), "hvp.form", "not finite"),
    "of a dict": ("jvp", lambda *a: {"y": jvp(*a)}, "jvp.form", "`y`"),
}  # fmt: skip


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_quantity_is_rejected_for_the_right_reason(fault: str) -> None:
    want, change, check, word = WRONG[fault]
    report = judged(want, change)
    assert report.verdict == "wrong"
    reasons = {found.check: found.reason for found in report.findings if found.status == "failed"}
    assert word in reasons[f"quantities.{check}"], reasons


def test_a_jvp_and_a_vjp_that_are_not_each_others_transpose_are_told_apart() -> None:
    claims = replace(CLAIMS, wants=frozenset({"jvp", "vjp"}))
    report = gradmark.validate(Wanted((("vjp", times(2.0, vjp)),), claims), problems=_problem())
    assert failed(report) == {"quantities.vjp.values", "quantities.jvp.transpose"}


def test_a_direction_of_another_shape_must_be_refused() -> None:
    def unasked(problem: Any, x: Any, draw: Any, v: Any) -> Any:
        return jvp(problem, x, draw, v if isinstance(v, dict) else {n: 0 * a for n, a in x.items()})

    assert "quantities.jvp.direction" in failed(judged("jvp", unasked, checks=False))


def test_work_that_is_not_counted_is_found() -> None:
    @dataclass(frozen=True)
    class Hiding(Wanted):
        def prepare(self, problem: Any, want: Want = "gradient") -> Any:
            function = super().prepare(problem, want)
            return lambda *a, **k: replace(function(*a, **k), work=gradmark.work.Work(forward=1))

    claims = replace(CLAIMS, wants=frozenset({"jvp"}))
    assert failed(gradmark.validate(Hiding((), claims), problems=_problem())) == {"quantities.jvp.work"}


def differenced(factor: float = 1.0, order: int = 2, step: float | None = None) -> Callable[..., Any]:
    """Differences of backpropagation along v; step None: the best."""

    def function(problem: Any, x: Any, draw: Any, v: Any) -> Any:
        h = step or np.finfo(float).eps ** (1 / (order + 1))

        def at(distance: float) -> Any:
            there = {name: array + distance * v[name] for name, array in x.items()}
            return passes.pullback(problem, there, draw, passes.forward(problem, there, draw))

        right, left = at(h), at(-h if order == 2 else 0.0)
        return {n: factor * (right[n] - left[n]) / (h * order) for n in x}

    return function


@pytest.mark.parametrize("order", [1, 2])
def test_differences_of_gradients_are_right_to_their_order_and_a_thousandth_more_is_not(order: int) -> None:
    claims = replace(CLAIMS, exactness=Truncated(order))
    assert judged("hvp", differenced(order=order), claims=claims).verdict == "correct"
    assert judged("hvp", differenced(1.001, order), claims=claims).verdict == "wrong"


def test_a_first_order_hvp_does_not_pass_for_one_of_second_order() -> None:
    claims = replace(CLAIMS, exactness=Truncated(2))
    for order, verdict in ((2, "correct"), (1, "wrong")):
        assert judged("hvp", differenced(1.0, order, 1e-4), claims=claims, step=1e-4).verdict == verdict


def test_every_backend_of_the_profiles_has_a_trial_that_only_methods_with_more_than_a_gradient_see() -> None:
    for profile in ("ci", "full"):
        own = trials_of(None, profile, ["quantities"])
        assert {trial.backend for trial in own} == {"numpy", "torch", "jax"}
        assert not any("contract" in trial.roles for trial in own)
    assert not any("quantities" in trial.roles for trial in trials_of(None, "ci", ["contract", "cost"]))
