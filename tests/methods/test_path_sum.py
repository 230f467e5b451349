"""The sum over paths: against an enumeration of the paths themselves, and its multiplications, exactly."""

import itertools
import math
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.problem import Problem
from gradmark.work import counting
from methods.reverse.path_sum import MOST
from methods.reverse.paths import Paths, from_every_node, from_one_node

# n_0 to n_L: equal widths, others, one layer, one unit between.
WIDTHS = [(3, 3, 3, 3), (2, 3, 1, 4), (3, 5, 4, 2), (4, 2), (1, 1, 3, 2, 2)]
FORMS = pytest.mark.parametrize("memoise", [False, True])


def network(widths: tuple[int, ...], rows: int = 1, **more: Any) -> Problem:
    return gradmark.get_problem("mlp", widths=widths, data="synthetic", batch=rows, loss="mse", **more)


def graph(widths: tuple[int, ...], memoise: bool) -> tuple[Paths, list[Any], Any]:
    """A graph of nodes on two rows, its factors as matrices (k, j, rows), and the ends."""
    random = np.random.default_rng(1)
    matrices = [random.normal(size=(m, n, 2)) for n, m in itertools.pairwise(widths)]
    ends = random.normal(size=(widths[-1], 2))
    factors = [[[one[k, j] for k in range(one.shape[0])] for j in range(one.shape[1])] for one in matrices]
    return Paths(factors, list(ends), memoise), matrices, ends


def edges_from(widths: tuple[int, ...], layer: int) -> int:
    """How many prefixes the paths from one node of `layer` have, listed: each ends in an edge."""
    behind = [range(width) for width in widths[layer + 1 :]]
    return sum(len(list(itertools.product(*behind[:length]))) for length in range(1, len(behind) + 1))


@FORMS
@pytest.mark.parametrize("widths", WIDTHS)
def test_the_derivative_is_the_sum_over_all_paths(widths: tuple[int, ...], memoise: bool) -> None:
    """Every path is listed by its nodes, and its factors are multiplied."""
    paths, matrices, ends = graph(widths, memoise)
    for start in range(widths[0]):
        total = np.zeros(2)
        for nodes in itertools.product([start], *map(range, widths[1:])):
            product = ends[nodes[-1]]
            for matrix, (j, k) in zip(matrices, itertools.pairwise(nodes), strict=True):
                product = product * matrix[k, j]
            total = total + product
        roundings = math.prod(widths) * len(widths)
        np.testing.assert_allclose(
            paths.derivative(0, start), total, rtol=0, atol=roundings * 2.0**-52 * np.max(np.abs(total) + 1)
        )


@pytest.mark.parametrize("widths", WIDTHS)
def test_multiplications_are_those_of_the_formula_and_of_an_enumeration(widths: tuple[int, ...]) -> None:
    naive, memoised = (graph(widths, memoise)[0] for memoise in (False, True))
    for paths in (naive, memoised):
        paths.derivative(0, 0)
    assert naive.multiplications == from_one_node(widths, memoise=False) == edges_from(widths, 0)
    edges = {
        (layer, j, k)
        for layer, (n, m) in enumerate(itertools.pairwise(widths))
        for j in (range(n) if layer else [0])
        for k in range(m)
    }
    assert memoised.multiplications == from_one_node(widths, memoise=True) == len(edges)


def test_a_node_before_eight_layers_of_four_takes_87380_multiplications_and_116_with_a_memory() -> None:
    widths, n, depth = (1, *[4] * 8), 4, 8
    assert from_one_node(widths, memoise=False) == (n ** (depth + 1) - n) // (n - 1) == 87380
    assert from_one_node(widths, memoise=True) == n * n * (depth - 1) + n == 116
    found = {memoise: graph(widths, memoise)[0] for memoise in (False, True)}
    values = [paths.derivative(0, 0) for paths in found.values()]
    assert [found[memoise].multiplications for memoise in (False, True)] == [87380, 116]
    np.testing.assert_array_equal(*values)  # the same sums in the same order


@FORMS
@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("widths", WIDTHS)
def test_the_work_of_a_call_is_what_is_claimed(widths: tuple[int, ...], rows: int, memoise: bool) -> None:
    problem, method = network(widths, rows), gradmark.get_method("path_sum", memoise=memoise)
    nodes = widths[1:]
    each = (
        sum(n * m for n, m in itertools.pairwise(nodes))
        if memoise
        else sum(n * edges_from(nodes, layer) for layer, n in enumerate(nodes))
    )
    assert from_every_node(nodes, memoise=memoise) == each
    with counting() as seen:
        work = method.prepare(problem)(problem.parameters).work
    assert work.multiplications == rows * each
    assert work == method.claims.work(problem)
    assert (seen.forward, seen.pullback) == (1, work.pullback)
    if memoise:
        assert work.pullback == 1


@FORMS
@pytest.mark.parametrize("activation", ["tanh", "gelu", "identity"])
def test_the_gradient_is_that_of_backpropagation(activation: str, memoise: bool) -> None:
    problem = network((3, 5, 4, 2), rows=7, activation=activation)
    found = gradmark.get_method("path_sum", memoise=memoise).prepare(problem)(problem.parameters)
    wanted = gradmark.get_method("backprop").prepare(problem)(problem.parameters)
    for name, array in wanted.gradient.items():
        scale = 7 * 5 * 4 * 2 * 2.0**-52 * np.max(np.abs(array))
        np.testing.assert_allclose(found.gradient[name], array, rtol=0, atol=scale)
    assert found.value == pytest.approx(wanted.value, rel=2.0**-48)


def test_too_many_paths_are_refused_with_their_number_and_pass_with_a_memory() -> None:
    problem = network((4, *[4] * 9))
    number = from_every_node((4,) * 9, memoise=False)
    assert number > MOST
    reason = gradmark.get_method("path_sum").supports(problem)
    assert reason is not None and f"{number:.3g}" in reason and f"{MOST}" in reason
    assert gradmark.get_method("path_sum", memoise=True).supports(problem) is None


def test_what_has_no_nodes_is_refused() -> None:
    method = gradmark.get_method("path_sum")
    assert "no layers" in method.supports(gradmark.get_problem("rosenbrock"))
    opened = network((3, 2)).opened("nodes")
    assert "(Offset) is neither affine nor elementwise" in method.supports(opened)
