"""Whether the sites are what their names say, and the references at them are shared and independent."""

from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import to_numpy
from gradmark.judging.places import references
from gradmark.judging.places.references import counts, reference_at
from gradmark.judging.places.sites import Site, sites
from gradmark.passes import forward
from gradmark.reference import Reference

SMALL: dict[str, Any] = {"data": "synthetic", "widths": (4, 6, 3), "batch": 6}


def named(problem: Any, name: str) -> Site:
    return next(site for site in sites(problem) if site.name == name)


def loss(problem: Any, site: Site, draw: Any = None) -> float:
    return float(to_numpy(problem.loss(site.parameters, draw or site.draw)))


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_there_are_five_sites_and_the_first_is_the_problem_as_built(backend: str, dtype: str) -> None:
    problem = gradmark.get_problem("mlp", **SMALL, backend=backend, dtype=dtype)
    found = sites(problem)
    assert [site.name for site in found] == ["as built", "after descent", "saturated", "nearby", "scales"]
    assert loss(problem, found[0]) == float(to_numpy(problem.loss(problem.parameters)))
    assert all(np.isfinite(loss(problem, site)) for site in found)


def test_every_later_site_has_other_parameters_and_another_draw() -> None:
    first, *later = sites(gradmark.get_problem("mlp", **SMALL))
    for site in later:
        assert not np.array_equal(site.parameters["layers.0.weight"], first.parameters["layers.0.weight"])
        assert not np.array_equal(site.draw.arrays["inputs"], first.draw.arrays["inputs"])


def test_the_same_problem_has_the_same_sites_and_a_built_one_the_same_numbers() -> None:
    one, other = (gradmark.get_problem("mlp", **SMALL) for _ in range(2))
    assert sites(one) is sites(one)
    for a, b in zip(sites(one), sites(other), strict=True):
        assert all(np.array_equal(a.parameters[name], b.parameters[name]) for name in a.parameters)
    assert sites(one, seed=1)[1].draw.seed != sites(one)[1].draw.seed


@pytest.mark.parametrize("name", ["quadratic", "rosenbrock", "log_sum_exp"])
def test_after_descent_the_loss_is_lower(name: str) -> None:
    problem = gradmark.get_problem(name, size=6)
    assert loss(problem, named(problem, "after descent")) < loss(problem, named(problem, "as built"))


def test_after_descent_the_loss_is_lower_on_the_rows_it_was_built_with() -> None:
    problem = gradmark.get_problem("mlp", **SMALL)
    descended = loss(problem, named(problem, "after descent"), problem.default_draw)
    assert descended < loss(problem, named(problem, "as built"))


def test_saturated_units_are_flat() -> None:
    problem = gradmark.get_problem("mlp", **SMALL)

    def flat(site: Site) -> float:
        _, (_, h), _ = forward(problem, site.parameters, site.draw).saved
        return float(np.mean(1 - h**2 < 0.1))

    assert flat(named(problem, "saturated")) > max(0.25, 2 * flat(named(problem, "as built")))


def test_units_inside_of_residual_blocks_are_not_flattened_further_than_others() -> None:
    """Frozen statistics do not follow the parameters: three doublings would leave no slope but rounding."""
    problem = gradmark.get_problem(
        "resnet_mlp",
        width=4,
        inputs=5,
        outputs=3,
        matrices=1,
        normalisation="batch",
        frozen=True,
        data="synthetic",
        batch=6,
    )
    doubled = (
        named(problem, "saturated").parameters["layers.0.weight"] / problem.parameters["layers.0.weight"]
    )
    assert set(np.unique(doubled)) == {2.0}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_near_a_kink_one_node_is_tiny_and_on_no_side_by_accident(dtype: str) -> None:
    problem = gradmark.get_problem("mlp", **SMALL, activation="relu", dtype=dtype)
    site = named(problem, "near a kink")
    first: Any = (problem.layers or ())[0]
    nodes, _ = first.layer.forward(first.own(site.parameters), site.draw.arrays["inputs"], site.draw)
    nearest, size = float(np.min(np.abs(nodes))), float(np.sqrt(np.mean(nodes**2)))
    assert problem.arrays.epsilon * 64 * size < nearest < 32 * problem.arrays.epsilon**0.5 * size


def test_scales_differ_between_arrays_and_within_a_single_one() -> None:
    network, function = gradmark.get_problem("mlp", **SMALL), gradmark.get_problem("quadratic", size=6)
    for problem, halves in ((network, None), (function, (slice(3), slice(3, 6)))):
        ratios = {
            name: np.abs(array / to_numpy(problem.parameters[name]))
            for name, array in named(problem, "scales").parameters.items()
            if np.any(to_numpy(problem.parameters[name]))
        }
        parts = [ratios["x"][half] for half in halves] if halves else list(ratios.values())
        assert {float(part.ravel()[0]) for part in parts} <= {2.0**-10, 4.0}
    assert len({float(part[0]) for part in parts}) == 2


def test_sites_stay_inside_the_bounds_of_the_domain() -> None:
    problem = gradmark.from_function(
        lambda x: np.sum(np.log(x) + np.log(2 - x)), np.array([0.1, 1.0, 1.9]), bounds=(0.0, 2.0)
    )
    for site in sites(problem):
        assert np.all((site.parameters["x"] > 0) & (site.parameters["x"] < 2))
        assert np.isfinite(loss(problem, site))


def test_a_reference_is_computed_once_and_shared_between_backends(monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [
        gradmark.get_problem("quadratic", size=7, seed=5, backend=backend) for backend in ("numpy", "torch")
    ]
    first = reference_at(problems[0], sites(problems[0])[0], frozenset({"loss"}))

    def refuse(*_: Any, **__: Any) -> Reference:
        raise AssertionError("computed again")

    monkeypatch.setattr(references, "best_reference", refuse)
    assert reference_at(problems[1], sites(problems[1])[0], frozenset({"loss"})) is first


def test_two_functions_of_one_name_do_not_share_a_reference() -> None:
    found = []
    for power in (2, 3):
        problem = gradmark.from_function(lambda x, power=power: np.sum(x**power), np.ones(2))
        found.append(reference_at(problem, sites(problem)[0], frozenset({"loss"})).gradient["x"][0])
    assert [float(value) for value in found] == [2.0, 3.0]


def test_a_reference_that_shares_its_formula_counts_only_with_a_voucher() -> None:
    pullback: dict[str, Any] = {"name": "pullback", "reads": frozenset({"pullback"})}
    alone = Reference({"x": np.ones(1)}, {"x": 0.0}, **pullback)
    vouched = Reference({"x": np.ones(1)}, {"x": 0.0}, **pullback, vouched_by=("differences",))
    assert not counts(alone, frozenset({"loss", "pullback"}))
    assert counts(vouched, frozenset({"loss", "pullback"}))
    assert counts(alone, frozenset({"loss", "pushforward"}))
