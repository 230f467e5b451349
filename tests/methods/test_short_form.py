"""The short form: a function and its claims are a method like any other, and impostors are turned away."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays
from gradmark.claims import Biased, Exact, Target, Truncated, Unbiased
from gradmark.problem import Problem
from tests.methods.cases import CASES, ROWS, assert_like, flat, reference, relative_error, rounding

FILE = """
import numpy as np
import gradmark

@gradmark.gradient_method(family="finite-difference", order=2, evaluations=lambda size: 2 * size)
def two_sided(problem, parameters, seed, step=1e-5):
    '''Central differences as one would write them.'''
    gradient = {}
    for name, x in parameters.items():
        gradient[name] = np.empty_like(x)
        for i in np.ndindex(x.shape):
            h = np.zeros_like(x)
            h[i] = step
            above = problem.loss({**parameters, name: x + h})
            gradient[name][i] = (above - problem.loss({**parameters, name: x - h})) / (2 * step)
    return gradient
"""


@pytest.fixture
def two_sided(tmp_path: Path) -> str:
    (tmp_path / "mine.py").write_text(FILE, encoding="utf-8")
    return f"{tmp_path / 'mine.py'}:two_sided"


def test_a_function_in_a_file_is_a_method_by_name(two_sided: str) -> None:
    method, problem = gradmark.get_method(two_sided, step=1e-4), CASES["mlp tanh mse"](Arrays())
    estimate = method.prepare(problem)(problem.parameters)
    assert method.step == 1e-4 and gradmark.get_method(two_sided).step == 1e-5
    assert_like(estimate.gradient, problem.parameters)
    # Truncation h^2 |f'''| and rounding u / h, both about 1e-8.
    assert relative_error(estimate.gradient, reference(problem)) <= 1e-6
    assert estimate.work.forward == method.claims.work(problem).forward == 2 * flat(problem.parameters).size
    assert method.claims.exactness == Truncated(2, "step") and method.claims.growth.passes == 1


def test_it_says_its_name_and_its_documentation(two_sided: str) -> None:
    method = gradmark.get_method(two_sided)
    assert type(method).__name__ == "two_sided" and repr(method) == "two_sided(step=1e-05)"
    assert type(method).__doc__ == "Central differences as one would write them."
    assert method == gradmark.get_method(two_sided) and hash(method) == hash(gradmark.get_method(two_sided))


def test_an_unknown_hyper_parameter_is_answered_with_the_known_ones(two_sided: str) -> None:
    with pytest.raises(gradmark.UsageError, match="unknown argument `stepp`: did you mean `step`"):
        gradmark.get_method(two_sided, stepp=1e-3)


def test_it_sees_the_draw_it_is_called_with(two_sided: str) -> None:
    problem = CASES["mlp tanh mse"](Arrays())
    prepared, part = gradmark.get_method(two_sided).prepare(problem), problem.default_draw.rows(0, 3)
    estimate = prepared(problem.parameters, draw=part)
    assert relative_error(estimate.gradient, reference(problem, part)) <= 1e-6
    assert estimate.work.forward == pytest.approx(2 * flat(problem.parameters).size * 3 / ROWS)


def test_it_runs_on_numpy_unless_it_says_otherwise(two_sided: str) -> None:
    method = gradmark.get_method(two_sided)
    for backend in ("torch", "array_api_strict"):
        pytest.importorskip(backend, reason=f"{backend} is not installed here")
        reason = method.supports(CASES["rosenbrock"](Arrays(backend)))
        assert reason == f"it runs on numpy, not on the {backend} backend"
    assert method.claims.devices == {"cpu"}


def test_a_function_for_torch_runs_on_torch() -> None:
    @gradmark.gradient_method(family="reverse", exact=True, reads=["loss", "torch graph"], backends=["torch"])
    def backward(problem: Problem, parameters: Any, seed: int) -> Any:
        leaves = {name: array.clone().requires_grad_() for name, array in parameters.items()}
        problem.loss(leaves).backward()
        return {name: leaf.grad for name, leaf in leaves.items()}

    problem = CASES["module"](Arrays("torch"))
    gradient = backward().prepare(problem)(problem.parameters).gradient
    assert relative_error(gradient, reference(problem)) <= rounding("float64")
    claims = backward().claims
    assert claims.exactness == Exact() and not claims.black_box and claims.work is None
    assert claims.devices == {"cpu", "cuda"}


def test_hyper_parameters_reach_the_function_and_the_claimed_work() -> None:
    @gradmark.gradient_method(
        family="evolution",
        samples="pairs",
        variance_factor=lambda size: size + 1,
        target=Target("smoothed gradient", "gaussian", 0.1),
        evaluations=lambda size, pairs: 2 * pairs,
    )
    def es(problem: Problem, parameters: Any, seed: int, pairs: int = 4, sigma: float = 0.1) -> Any:
        e = np.random.default_rng(seed).standard_normal((pairs, parameters["x"].size))
        f = [problem.loss({"x": parameters["x"] + s * sigma * v}) for v in e for s in (1, -1)]
        return {"x": np.reshape(f, (pairs, 2)) @ [1, -1] @ e / (2 * pairs * sigma)}

    problem = CASES["quadratic"](Arrays())
    method = es(pairs=3)
    estimate = method.prepare(problem)(problem.parameters, 1)
    assert estimate.work.forward == method.claims.work(problem).forward == 6
    assert isinstance(method.claims.exactness, Unbiased) and method.claims.stochastic
    assert method.claims.growth.passes == 0
    assert str(method.claims.target) == "smoothed gradient (gaussian, sigma=0.1)"


def test_a_method_that_is_neither_exact_nor_unbiased_says_what_is_missing() -> None:
    @gradmark.gradient_method(family="reverse", biased="only the last layer")
    def last_layer(problem: Problem, parameters: Any, seed: int) -> Any:
        return dict(parameters)

    assert last_layer().claims.exactness == Biased("only the last layer")


def test_the_function_stays_at_hand() -> None:
    def zero(problem: Problem, parameters: Any, seed: int) -> Any:
        return {"x": 0 * parameters["x"]}

    method = gradmark.gradient_method(family="reverse", exact=True)(zero)
    assert method.function is zero and method().function is zero


# Impostors: what a function returns instead of a gradient, and what is said of it.
RETURNS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "nothing": (lambda x: None, "returned a NoneType: return a dict"),
    "an array": (lambda x: x, "returned a ndarray: return a dict"),
    "another name": (lambda x: {"y": x}, "a gradient of y: return one array for each of x"),
    "one name more": (lambda x: {"x": x, "y": x}, "a gradient of x, y: return one array for each of x"),
    "no name": (lambda x: {}, "a gradient of nothing: return one array for each of x"),
    "a number": (
        lambda x: {"x": 1.0},
        "for `x` a float: return a numpy array of shape (6,) and dtype float64",
    ),
    "a list": (lambda x: {"x": list(x)}, "for `x` a list: return a numpy array"),
    "another shape": (lambda x: {"x": x[None]}, "a numpy array of shape (1, 6) and dtype float64: return"),
    "another dtype": (lambda x: {"x": x.astype("float32")}, "shape (6,) and dtype float32: return"),
    "another library": (
        lambda x: {"x": Arrays("torch").array(x)},
        "a torch array of shape (6,) and dtype float64",
    ),
}


@pytest.mark.parametrize("kind", RETURNS)
def test_what_is_no_gradient_is_refused_in_one_sentence(kind: str) -> None:
    make, said = RETURNS[kind]

    @gradmark.gradient_method(family="reverse", exact=True)
    def impostor(problem: Problem, parameters: Any, seed: int) -> Any:
        return make(parameters["x"])

    problem = CASES["quadratic"](Arrays())
    with pytest.raises(gradmark.UsageError) as refusal:
        impostor().prepare(problem)(problem.parameters)
    assert str(refusal.value).startswith("impostor returned") and said in str(refusal.value)


def test_numbers_that_are_not_finite_are_a_gradient_all_the_same() -> None:
    @gradmark.gradient_method(family="reverse", exact=True)
    def diverged(problem: Problem, parameters: Any, seed: int) -> Any:
        return {"x": parameters["x"] * np.nan}

    problem = CASES["quadratic"](Arrays())
    assert np.all(np.isnan(diverged().prepare(problem)(problem.parameters).gradient["x"]))


def test_a_gradient_comes_back_in_the_order_of_the_parameters() -> None:
    @gradmark.gradient_method(family="reverse", exact=True)
    def backwards(problem: Problem, parameters: Any, seed: int) -> Any:
        return dict(reversed(parameters.items()))

    problem = CASES["mlp tanh mse"](Arrays())
    assert list(backwards().prepare(problem)(problem.parameters).gradient) == list(problem.parameters)


def plain(problem: Problem, parameters: Any, seed: int) -> Any: ...
def stepped(problem: Problem, parameters: Any, seed: int, step: float = 1e-3) -> Any: ...
def without_seed(problem: Problem, parameters: Any) -> Any: ...
def in_other_order(parameters: Any, problem: Problem, seed: int) -> Any: ...
def without_default(problem: Problem, parameters: Any, seed: int, step: float) -> Any: ...
def with_anything(problem: Problem, parameters: Any, seed: int, **more: Any) -> Any: ...
def with_a_list(problem: Problem, parameters: Any, seed: int, steps: Any = [1]) -> Any: ...  # noqa: B006
def with_a_taken_name(problem: Problem, parameters: Any, seed: int, claims: int = 1) -> Any: ...


DECLARATIONS: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (plain, {}, "declare one of exact=True, order=..., samples=... or biased=..."),
    (stepped, {"exact": True, "order": 1}, "declare one of"),
    (plain, {"order": 2}, "needs the hyper-parameter `step`"),
    (plain, {"samples": "pairs", "variance_factor": lambda size: size}, "needs the hyper-parameter `pairs`"),
    (stepped, {"samples": "step"}, "`samples` needs variance_factor"),
    (plain, {"exact": True, "family": "magic"}, "unknown family `magic`"),
    (plain, {"exact": True, "backends": ["tensorflow"]}, "unknown backend `tensorflow`"),
    (plain, {"exact": True, "reads": ["tape"]}, "`tape`"),
    (plain, {"exact": True, "evaluations": lambda size, pairs: pairs}, "`evaluations` takes `pairs`"),
    (without_seed, {"exact": True}, "a function of (problem, parameters, seed, ...)"),
    (in_other_order, {"exact": True}, "a function of (problem, parameters, seed, ...)"),
    (without_default, {"order": 1}, "must be a named parameter with a default"),
    (with_anything, {"exact": True}, "must be a named parameter with a default"),
    (with_a_list, {"exact": True}, "can be changed: use a number, a word or a tuple"),
    (with_a_taken_name, {"exact": True}, "cannot be called `claims`"),
]


@pytest.mark.parametrize(("function", "declared", "said"), DECLARATIONS)
def test_a_declaration_that_does_not_fit_is_refused(
    function: Callable[..., Any], declared: dict[str, Any], said: str
) -> None:
    with pytest.raises(gradmark.UsageError) as refusal:
        gradmark.gradient_method(**{"family": "reverse", **declared})(function)
    assert said in str(refusal.value)


def test_the_sigma_of_the_target_follows_the_hyper_parameter_whose_default_it_is() -> None:
    target = Target("smoothed gradient", "gaussian", 0.01)
    declare = gradmark.gradient_method(family="evolution", biased="a test", target=target)

    @declare
    def moving(problem: Any, parameters: Any, seed: int, sigma: float = 0.01) -> Any:
        return parameters

    @declare
    def other(problem: Any, parameters: Any, seed: int, sigma: float = 0.02) -> Any:
        return parameters

    assert moving(sigma=0.5).claims.target.sigma == 0.5
    assert other(sigma=0.5).claims.target.sigma == 0.01
