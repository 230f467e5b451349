"""Dual numbers: nested derivatives, problems, chunks, work, and what is refused; rules: test_dual_rules."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import epsilon, to_numpy
from gradmark.errors import UsageError
from gradmark.work import counting
from methods.forward.dual_numbers import DualArray, derivative, gradient, jvp
from tests.methods.cases import relative_error
from tests.methods.test_dual_rules import ROUNDINGS, assert_near, complex_step, differences, point

Function = Callable[[Any], Any]
M = np.array([[2.0, 1.0, 0.5], [0.25, 3.0, 1.0], [1.0, 0.5, 4.0]])


def test_what_jumps_carries_no_tangents() -> None:
    def looked_at(x: Any) -> Any:
        plain = (x > 0.5, x.argmax(), np.floor(x), x.astype(int), np.sign(x), np.argsort(x), np.round(x))
        assert not any(isinstance(each, DualArray) for each in plain)
        assert (x.shape, x.ndim, x.size, x.dtype, len(x)) == ((2, 3), 2, 6, np.float64, 2)
        return x.sum() if np.any(x > 0.5) and bool(x[0, 0] < 1) else -x.sum()

    np.testing.assert_array_equal(gradient(looked_at, point("float64")), np.ones((2, 3)))


def test_nested_derivatives_do_not_take_each_others_perturbations() -> None:
    """Siskind and Pearlmutter (2005): without tags the first is 2."""
    assert derivative(lambda x: x * derivative(lambda y: x + y, 1.0), 1.0) == 1
    assert derivative(lambda x: x * derivative(lambda y: x * y, 2.0), 3.0) == 6
    # The inner derivative does not depend on the outer variable, or the function not on the inner one.
    assert derivative(lambda x: derivative(lambda y: y * y, 3.0) + x, 1.0) == 1
    assert derivative(lambda x: derivative(lambda y: x * x, 3.0), 1.0) == 0
    # An inner derivative at a point that moves, within a function that moves too: d/dx (x * 2x * x^2).
    assert derivative(lambda x: x * derivative(lambda y: x * x * y * y, x), 2.0) == 2 * 4 * 2.0**3
    # Two derivatives side by side, and arrays within numbers: d/dx of sum of (2 x a)^2.
    found = derivative(
        lambda x: np.sum(gradient(lambda a: np.sum(x * a * a), np.array([1.0, 2.0])) ** 2), 3.0
    )
    assert found == 2 * 3 * 4 * (1 + 4)


def test_third_derivatives_are_had_by_nesting() -> None:
    def third(function: Function, at: float) -> Any:
        return derivative(lambda x: derivative(lambda y: derivative(function, y), x), at)

    x = 0.7
    product = -np.cos(x) * x**3 - 9 * np.sin(x) * x**2 + 18 * np.cos(x) * x + 6 * np.sin(x)
    assert third(lambda t: np.sin(t) * t**3, x) == pytest.approx(product, rel=ROUNDINGS * epsilon("float64"))
    assert third(lambda t: 1 / t, 2.0) == pytest.approx(-6 / 2**4, rel=ROUNDINGS * epsilon("float64"))
    tanh = (1 - np.tanh(x) ** 2) * (6 * np.tanh(x) ** 2 - 2)
    assert third(np.tanh, x) == pytest.approx(tanh, rel=ROUNDINGS * epsilon("float64"))


@pytest.mark.parametrize("name", ["rosenbrock", "mlp"])
def test_a_prepared_gradient_nests_inside_of_another_derivative(name: str) -> None:
    """A loss that contains a gradient: the derivative of the prepared function is the Hessian's product."""
    method = gradmark.get_method("dual_numbers", chunk=3)
    assert method.claims.nests
    sizes = {"size": 5} if name == "rosenbrock" else _mlp(batch=4, activation="silu")
    problem = gradmark.get_problem(name, **sizes)
    prepared, x = method.prepare(problem), problem.parameters
    v = {each: np.cos(np.arange(a.size)).reshape(a.shape) for each, a in x.items()}
    first, *others = x
    found = jvp(lambda a: prepared({**x, first: a}).gradient[first], x[first], v[first])[1]
    alone = {first: v[first], **{each: 0 * x[each] for each in others}}
    wanted = method.prepare(problem, "hvp")(x, direction=alone).result[first]
    assert_near(found, wanted, ROUNDINGS * epsilon("float64"))


def _mlp(**sizes: Any) -> dict[str, Any]:
    return {"widths": (3, 4, 2), "data": "synthetic", **sizes}


SMALL: dict[str, Any] = {"data": "synthetic", "inputs": 4, "outputs": 3, "batch": 4}
NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    "convnet": ("convnet", {"data": "synthetic", "channels": (2, 3), "size": 4, "outputs": 2, "batch": 2}),
    "rnn": ("rnn", {"batch": 3, "hidden": 4}),
    "lstm": ("lstm", {"batch": 3, "hidden": 3}),
    "transformer": ("transformer", {"width": 4, "heads": 2, "positions": 3, "hidden": 1, "batch": 2}),
    "resnet_mlp": ("resnet_mlp", {**SMALL, "width": 4, "normalisation": "layer", "dropout": 0.2}),
    "reversible_mlp": ("reversible_mlp", {**SMALL, "width": 4}),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_differentiated_and_its_pullback_again(name: str) -> None:
    """Beside the layers' pullback, and torch's own derivative of its own gradient."""
    problem = _built(name)
    method, x = gradmark.get_method("dual_numbers"), problem.parameters
    reverse = gradmark.get_method("backprop").prepare(problem)(x).gradient
    assert relative_error(method.prepare(problem)(x).gradient, reverse) <= 512 * epsilon("float64")
    there = problem.to(backend="torch")
    v = {each: np.cos(np.arange(a.size)).reshape(a.shape) for each, a in x.items()}
    for want in ("hvp", "jvp"):
        found = method.prepare(problem, want)(x, direction=v).result
        along = {each: there.arrays.array(a) for each, a in v.items()}
        other = gradmark.get_method("jvp").prepare(there, want)(there.parameters, direction=along).result
        named = [one if want == "hvp" else {"": one} for one in (found, other)]
        wanted = {each: to_numpy(a) for each, a in named[1].items()}
        assert relative_error(named[0], wanted) <= 2048 * epsilon("float64")


def _built(name: str) -> Any:
    problem, sizes = NETWORKS[name]
    return gradmark.get_problem(problem, **sizes)


def test_a_users_plain_function_is_differentiated_twice() -> None:
    """With loops, branches, closures, and linear algebra in the middle."""
    design, target = M @ M, np.array([1.0, 2.0, 3.0])

    def loss(p: Any) -> Any:
        w, total = p["w"], 0.0
        fitted = np.linalg.solve(design + np.outer(w, w), target)
        for step in range(3):
            total += np.sum(fitted * w**step) if w[0] > 0 else 0.0
        return total + math.pi * np.linalg.norm(w)

    problem = gradmark.from_function(loss, {"w": np.array([0.5, -1.0, 2.0])})
    method, x = gradmark.get_method("dual_numbers"), problem.parameters
    found = method.prepare(problem, "hessian")(x).result["w"]["w"]
    first = complex_step(lambda w: _analytic_loss(design, target, w), x["w"])
    assert_near(method.prepare(problem)(x).gradient["w"], first, ROUNDINGS * epsilon("float64"))
    wanted = differences(
        lambda w: complex_step(lambda at: _analytic_loss(design, target, at), w), x["w"], 1e-5
    )
    assert_near(found, wanted, 1e3 * (1e-10 + epsilon("float64") / 1e-5))


def _analytic_loss(design: Any, target: Any, w: Any) -> Any:
    fitted = np.linalg.solve(design + np.outer(w, w), target)
    return sum(np.sum(fitted * w**step) for step in range(3)) + np.pi * np.sqrt(np.sum(w * w))


def test_chunks_change_the_number_of_forward_passes_and_nothing_else() -> None:
    problem = gradmark.get_problem("mlp", **_mlp(batch=4))
    x, gradients = problem.parameters, {}
    for chunk, forward in ((1, 26), (5, 3 + 1 + 2 + 1), (1000, 4), (None, 4)):
        method = gradmark.get_method("dual_numbers", chunk=chunk)
        with counting() as work:
            found = method.prepare(problem)(x)
        assert (work.total().forward, work.total().tangent) == (forward, 26)
        assert (found.work.forward, found.work.tangent) == (forward, 26)
        gradients[chunk] = found.gradient
    for each in gradients.values():
        assert relative_error(each, gradients[1]) <= ROUNDINGS * epsilon("float64")
    with pytest.raises(UsageError, match="chunk"):
        gradmark.get_method("dual_numbers", chunk=0)


def test_tangents_of_tangents_are_counted() -> None:
    """Forward over forward: of one pass with k tangents inside and K outside, k + K (1 + k) are tangents."""
    problem = gradmark.get_problem("rosenbrock", size=6)
    hessian = gradmark.get_method("dual_numbers", chunk=3).prepare(problem, "hessian")(problem.parameters)
    assert (hessian.work.forward, hessian.work.tangent) == (4, 4 * (3 + 3 * 4))


REFUSED: dict[str, tuple[Function, str]] = {
    "float": (lambda x: float(x[0, 0]), "lose its derivative"),
    "math": (lambda x: math.sin(x[0, 0]), "np.sin for math.sin"),
    "asarray": (np.asarray, "lose its derivative"),
    "array of some": (lambda x: np.array([x[0, 0], x[1, 1]]), "np.stack for np.array"),
    "writing": (lambda x: x.__setitem__(0, 1.0), "instead of writing into one"),
    "writing into another": (lambda x: np.zeros(3).__setitem__(0, x[0, 0]), "instead of writing"),
    "adding in place": (lambda x: x.__iadd__(1), "such as `x = x \\+ y` for"),
    "adding to another": (lambda x: np.zeros((2, 3)).__iadd__(x), "cannot write into an array that is there"),
    "out": (lambda x: np.exp(x, out=np.zeros((2, 3))), "cannot write into an array"),
    "sum into": (lambda x: np.sum(x, out=np.zeros(())), "np.sum of dual numbers cannot write"),
    "unknown function": (lambda x: np.linalg.eigvalsh(x @ x.T), "no rule for np.linalg.eigvalsh"),
    "unknown ufunc": (lambda x: np.frexp(x), "no rule for np.frexp"),
    "unknown option": (lambda x: np.sum(x, where=x > 0), "no rule for np.sum with where"),
    "unknown option of a ufunc": (lambda x: np.exp(x, where=x > 0), "no rule for np.exp with where"),
    "unknown method of a ufunc": (lambda x: np.add.outer(x, x), "no rule for np.add.outer"),
    "unknown norm": (lambda x: np.linalg.norm(x, "nuc"), "no rule for np.linalg.norm with ord=nuc"),
    "no array": (lambda x: lambda y: x, "no array of numbers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_lose_a_derivative_or_has_no_rule_is_said_in_one_sentence(name: str) -> None:
    function, message = REFUSED[name]
    with pytest.raises(UsageError, match=message) as said:
        gradient(function, point("float64"))
    assert "\n" not in str(said.value)


def test_derivatives_of_the_wrong_form_are_refused() -> None:
    kept: list[Any] = []

    def keeping(y: Any) -> Any:
        kept.append(y)
        return y

    with pytest.raises(UsageError, match="of an inner derivative, which has ended"):
        derivative(lambda x: (derivative(keeping, x), kept[0])[1], 1.0)
    with pytest.raises(UsageError, match="at one number, not at shape"):
        derivative(np.sum, [1.0])
    with pytest.raises(UsageError, match="`along` has shape"):
        jvp(np.sum, [1.0], [1.0, 2.0])
    with pytest.raises(UsageError, match="do not fit a value"):
        DualArray(np.zeros(2), np.zeros((1, 3)), 1)


def test_numbers_may_be_added_up_in_place_and_arrays_may_not() -> None:
    """A number's += makes a new number, and others that name the old one keep it, as in NumPy."""

    def summed(x: Any) -> Any:
        total = first = x[0]
        for each in x[1:]:
            total += each * each
        return total * first

    np.testing.assert_array_equal(gradient(summed, [2.0, 3.0]), [2 * 2 + 9, 2 * 2 * 3])


def test_a_loss_without_a_rule_is_not_supported_and_says_what_is_missing() -> None:
    problem = gradmark.from_function(lambda x: np.linalg.eigvalsh(np.outer(x, x)).sum(), np.array([1.0, 2.0]))
    method = gradmark.get_method("dual_numbers")
    for want in ("gradient", "jacobian", "hessian"):
        reason = method.supports(problem, want)
        assert reason is not None and "no rule for np.linalg.eigvalsh" in reason and "\n" not in reason
    torch = gradmark.get_problem("rosenbrock", size=2, backend="torch")
    assert "numpy, not on the torch" in method.supports(torch)
