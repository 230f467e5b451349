"""What every method keeps to: work as claimed, parameters untouched, draws and seeds respected."""

from typing import Any, get_args

import numpy as np
import pytest
import torch

import gradmark
from gradmark.arrays import Arrays, epsilon, installed, to_numpy
from gradmark.claims import Claims, Estimated, Unbiased, Want
from gradmark.method import Method, Prepared
from gradmark.problem import Problem, at_draw
from gradmark.work import Work, counting
from tests.methods.cases import (
    APART,
    CASES,
    COMPILED,
    FEW,
    ROWS,
    assert_like,
    flat,
    relative_error,
    stating_its_work,
)

METHODS = [n for n in gradmark.list_methods() if "gradient" in gradmark.get_method(n).claims.wants]
# By what a call may differ from a like one, where other rows go through other products: differences divide a
# rounding of the loss by a step of at least 1e-9 of the loss's scale.
LIKE = {"forward_difference": 1e-5, "backward_difference": 1e-5, "central_difference": 1e-7}

# Differences on both sides of the point, which never ask for the loss there; or which keep it to themselves.
# Black-box evolution strategies do either.
UNQUERIED = ("central_difference", "stencil_difference", "numdifftools_gradient", "scipy_jacobian")


@pytest.fixture(scope="module", params=METHODS)
def name(request: pytest.FixtureRequest) -> str:
    """Each method; all that is asked of one comes together."""
    return str(request.param)


@pytest.fixture(scope="module")
def ready(name: str) -> dict[str, tuple[Problem, Prepared]]:
    """The problems that it supports, and what it prepared for each: to be called by several tests."""
    method, problems = gradmark.get_method(name), supported(name)
    return {case: (problem, method.prepare(problem)) for case, problem in problems.items()}


def place(name: str) -> Arrays:
    """Float64 arrays on a backend that the method has."""
    backends = gradmark.get_method(name).claims.backends
    backend = next(each for each in ("numpy", "torch", "jax") if each in backends)
    for package in (backend, APART.get(name, backend)):
        if not installed(package):
            pytest.skip(f"{package} is not installed here")
    return Arrays(backend)


def network(name: str, loss: str = "mse") -> Problem:
    """A network that the method is for: one unrolled in time where it takes no other."""
    problem, method = CASES[f"mlp tanh {loss}"](place(name)), gradmark.get_method(name)
    if "unroll" not in method.claims.reads:
        return problem
    return gradmark.get_problem(
        "rnn", length=3, hidden=3, batch=ROWS, backend=problem.arrays.backend, dtype=problem.arrays.dtype
    )


def supported(name: str) -> dict[str, Problem]:
    method, arrays = gradmark.get_method(name), place(name)
    built = {case: CASES[case](arrays) for case in (FEW if name != "compiled" else COMPILED["float64"])}
    if "unroll" in method.claims.reads:
        built = {"rnn": network(name)}
    return {case: problem for case, problem in built.items() if method.supports(problem) is None}


def copied(problem: Problem) -> dict[str, Any]:
    return {name: np.array(to_numpy(array)) for name, array in problem.parameters.items()}


def same_bits(one: Any, other: Any) -> bool:
    return bool(np.array_equal(flat(one), flat(other)))


def leaves_nothing_to_chance(method: Method, problem: Problem, gradient: dict[str, Any]) -> bool:
    """Whether a random method takes all directions that there are: then seeds differ in rounding at most."""
    claimed = method.claims.exactness
    return isinstance(claimed, Unbiased) and claimed.factor(problem, gradient) == 0


def test_work_is_what_the_problem_counted_and_exactly_what_is_claimed(name: str, ready: Any) -> None:
    method = stating_its_work(name)
    stated = method.claims.work is not None
    assert stated or method.claims.exactness == Estimated()
    for case, (problem, prepared) in ready.items():
        with counting() as counted:
            work = prepared(problem.parameters).work
        assert counted.total() == Work(work.forward, work.tangent, work.pullback), case
        if method != gradmark.get_method(name):
            work = method.prepare(problem)(problem.parameters).work
        claimed = method.claims.work(problem) if stated else work
        for passes in ("forward", "tangent", "pullback"):
            assert getattr(work, passes) == getattr(claimed, passes), f"{case}: {passes}"


@pytest.mark.skipif(not installed("jax"), reason="jax is not installed here")
@pytest.mark.parametrize("name", ["tangent", "forward_gradient", "central_difference", "gaussian_es"])
def test_what_jax_compiles_is_counted_once_in_every_call(name: str) -> None:
    for case in ("mlp tanh cross_entropy", "rosenbrock"):
        method, problem = gradmark.get_method(name), CASES[case](Arrays("jax"))
        if method.supports(problem) is None:
            prepared, claimed = method.prepare(problem), method.claims.work(problem)
            for _ in ("traced and compiled", "compiled before"):
                with counting() as counted:
                    work = prepared(problem.parameters).work
                assert counted.total() == Work(claimed.forward, claimed.tangent, claimed.pullback)
                assert work.passes == claimed.passes


@pytest.mark.parametrize("chunk", [1, 3, 1000])
def test_a_chunk_of_torch_jvps_is_one_forward_pass(chunk: int) -> None:
    problem, method = CASES["mlp tanh mse"](Arrays("torch")), gradmark.get_method("jvp", chunk=chunk)
    numbers = [array.numel() for array in problem.parameters.values()]
    chunks = sum(-(-number // chunk) for number in numbers)
    assert method.prepare(problem)(problem.parameters).work == Work(chunks, sum(numbers), 0, declared=True)


def test_parameters_come_back_bit_for_bit_and_the_gradient_is_like_them(ready: Any) -> None:
    for case, (problem, prepared) in ready.items():
        before = copied(problem)
        gradient = prepared(problem.parameters).gradient
        assert same_bits(problem.parameters, before), case
        assert_like(gradient, problem.parameters)


def test_the_seed_decides_the_answer(name: str, ready: Any) -> None:
    method = gradmark.get_method(name)
    for case, (problem, prepared) in ready.items():
        first, other, again = (
            {key: np.array(to_numpy(array)) for key, array in call(problem.parameters, seed).gradient.items()}
            for call, seed in ((prepared, 1), (prepared, 2), (method.prepare(problem), 1))
        )
        assert same_bits(first, again), case
        if not leaves_nothing_to_chance(method, problem, first):
            assert same_bits(first, other) != method.claims.stochastic, case


def test_a_draw_of_other_rows_is_used_and_counted_by_its_rows(name: str) -> None:
    method, problem = stating_its_work(name), network(name, "cross_entropy")
    prepared = method.prepare(problem)
    usual = {
        key: np.array(to_numpy(array)) for key, array in prepared(problem.parameters, 5).gradient.items()
    }
    for draw in (problem.default_draw.rows(2, 5), problem.draw(11)):
        there = at_draw(problem, draw)
        expected = method.prepare(there)(there.parameters, 5).gradient
        estimate = prepared(problem.parameters, 5, draw=draw)
        assert relative_error(estimate.gradient, expected) <= LIKE.get(name, 1e-9)
        assert relative_error(estimate.gradient, usual) > 0.01
        claimed = None if method.claims.work is None else method.claims.work(problem)
        for passes in ("forward", "tangent", "pullback") if claimed else ():
            share = draw.count / ROWS
            assert getattr(estimate.work, passes) == pytest.approx(share * getattr(claimed, passes))


def test_nothing_of_the_first_point_is_kept(name: str) -> None:
    method, problem = gradmark.get_method(name), network(name)
    prepared = method.prepare(problem)
    prepared(problem.parameters)
    moved = {key: array * 1.5 + 0.125 for key, array in problem.parameters.items()}
    expected = {
        key: np.array(to_numpy(array)) for key, array in method.prepare(problem)(moved).gradient.items()
    }
    assert same_bits(prepared(moved).gradient, expected)


def test_the_value_is_the_loss_at_the_point_or_none(name: str, ready: Any) -> None:
    method, (problem, prepared) = gradmark.get_method(name), next(iter(ready.values()))
    value = prepared(problem.parameters).value
    around = method.claims.family == "evolution" and "layers" not in method.claims.reads
    queried = name not in UNQUERIED and not around
    assert (value is not None) == queried
    if queried:
        exact, inside = float(to_numpy(problem.loss(problem.parameters))), method.claims.precision
        unit = epsilon("float64" if inside == "problem" else inside)
        assert float(to_numpy(value)) == pytest.approx(exact, rel=64 * unit)


@pytest.mark.parametrize("name", [n for n in METHODS if "torch" in gradmark.get_method(n).claims.backends])
def test_parameters_that_record_a_graph_give_a_gradient_that_does_not(name: str) -> None:
    problem = network(name).to(backend="torch")
    recording = {key: torch.nn.Parameter(array.clone()) for key, array in problem.parameters.items()}
    gradient = gradmark.get_method(name).prepare(problem)(recording).gradient
    assert not any(array.requires_grad for array in gradient.values())
    assert all(array.grad is None for array in recording.values())


def test_layers_that_do_not_work_in_buffers_record_no_graph_either() -> None:
    problem = gradmark.get_problem("rnn", length=2, hidden=2, backend="torch")
    recording = {key: torch.nn.Parameter(array.clone()) for key, array in problem.parameters.items()}
    found = gradmark.get_method("backprop").prepare(problem)(recording)
    assert not any(array.requires_grad for array in (found.value, *found.gradient.values()))


def test_what_cannot_be_done_has_a_reason_and_preparing_it_says_the_same(name: str) -> None:
    method, problem = gradmark.get_method(name), network(name)
    refused = next(want for want in get_args(Want) if want not in method.claims.wants)
    reason = method.supports(problem, refused)
    assert reason == f"it computes {', '.join(sorted(method.claims.wants))}, not {refused}"
    with pytest.raises(gradmark.UsageError, match=reason):
        method.prepare(problem, refused)


@pytest.mark.parametrize("name", ["backprop", "tangent", "path_sum"])
def test_methods_for_layers_say_that_a_function_has_none(name: str) -> None:
    reason = gradmark.get_method(name).supports(CASES["rosenbrock"](Arrays()))
    assert reason is not None and reason.startswith("rosenbrock has no layers")


@pytest.mark.parametrize(
    ("name", "backend"),
    [(name, "torch") for name in ("jvp", "autograd", "func_grad", "compiled")] + [("jax_grad", "jax")],
)
def test_methods_of_one_library_say_which(name: str, backend: str) -> None:
    reason = gradmark.get_method(name).supports(CASES["rosenbrock"](Arrays()))
    assert reason == f"it runs on {backend}, not on the numpy backend"


def test_what_traces_numpy_says_so() -> None:
    reason = gradmark.get_method("hips_autograd").supports(CASES["rosenbrock"](Arrays("torch")))
    assert reason == "it runs on numpy, not on the torch backend"


def test_claims_are_data_that_prints(name: str) -> None:
    claims = gradmark.get_method(name).claims
    assert isinstance(claims, Claims)
    assert str(claims.exactness) and str(claims.target) and claims.reads and claims.backends
    for device in ("cpu", "cuda"):
        listed = name in gradmark.list_methods(family=claims.family, device=device)
        assert listed == (device in claims.devices)


BAD: list[tuple[str, str, list[Any]]] = [
    ("forward_difference", "step", [0, -1e-3, float("nan"), float("inf"), "1e-3", True]),
    ("central_difference", "step", [0, -1e-3, float("nan"), "small"]),
    ("complex_step", "step", [0, float("inf")]),
    ("stencil_difference", "order", [0, 3, 58, 4.0, "4"]),
    ("backward_difference", "rule", ["best", None, 3]),
    ("central_difference", "accumulate", ["float32", None]),
    ("gaussian_es", "pairs", [0, -1, 1.5, "8", True]),
    ("gaussian_es", "sigma", [0, -0.1, float("nan"), None]),
    ("forward_gradient", "directions", [0, 2.5, None]),
    ("jvp", "chunk", [0, -3, 1.5]),
]


@pytest.mark.parametrize(
    ("name", "hyper", "value"), [(name, hyper, value) for name, hyper, values in BAD for value in values]
)
def test_a_hyper_parameter_that_makes_no_sense_is_refused_by_name(name: str, hyper: str, value: Any) -> None:
    with pytest.raises(gradmark.UsageError) as refusal:
        gradmark.get_method(name, **{hyper: value})
    assert str(refusal.value).startswith(f"{name}: `{hyper}=") and "must be" in str(refusal.value)
