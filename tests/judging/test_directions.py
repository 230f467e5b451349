"""Methods that claim a direction, or 16 bits: a wrong one is caught, and a right one is not accused."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.claims import Biased, Exact, Target
from gradmark.judging.comparing.aimed import aimed
from gradmark.judging.comparing.range import out_of_range
from gradmark.judging.contracts.work import work
from gradmark.judging.places.sites import sites
from gradmark.judging.stages import accuracy, controls
from gradmark.measuring.norms import norm
from gradmark.reference import Reference, best_reference
from tests.judging.fakes import Fake, fake, heard_on, moved, right, with_claims

NETWORK = gradmark.get_problem("mlp", data="synthetic", widths=(4, 5, 3), batch=6)
LIMIT = 0.01
BY_NORM, BY_VALUE = Target("direction", longest=LIMIT), Target("direction", largest=LIMIT)


def length(g: Mapping[str, Any]) -> float:
    return norm(np.array([norm(array) for array in g.values()]))


def by_norm(g: dict[str, Any]) -> dict[str, Any]:
    return {name: array * min(1.0, LIMIT / length(g)) for name, array in g.items()}


def by_value(g: dict[str, Any]) -> dict[str, Any]:
    return {name: np.clip(array, -LIMIT, LIMIT) for name, array in g.items()}


def turned(g: dict[str, Any]) -> dict[str, Any]:
    return moved(g, "layers.0.weight", (0, 0), LIMIT * 1e-6)


def statuses(stage: Any, change: Any, target: Target, exactness: Any = None) -> set[str]:
    method = fake(change, claims=with_claims(exactness=exactness or Exact(), target=target))
    assert stage.applies(method.claims) is None
    return {found.status for found in stage.examine([heard_on(method, NETWORK)])}


@pytest.mark.parametrize(("clip", "target"), [(by_norm, BY_NORM), (by_value, BY_VALUE)])
def test_an_exactly_clipped_gradient_passes_and_others_fail(clip: Any, target: Target) -> None:
    assert statuses(accuracy, clip, target) == {"passed"}
    assert statuses(controls, clip, target) == {"passed"}
    for wrong in (
        lambda g: g,
        lambda g: turned(clip(g)),
        lambda g: {name: -array for name, array in clip(g).items()},
        lambda g: {name: 0.5 * array for name, array in clip(g).items()},
        lambda g: {name: 0 * array for name, array in g.items()},
        by_value if clip is by_norm else by_norm,
    ):
        assert statuses(accuracy, wrong, target) == {"failed"}


def test_a_mere_direction_must_point_along_the_gradient_and_keep_to_its_size() -> None:
    fixed = Biased("signs", random=False)
    signs = lambda g: {name: LIMIT * np.sign(array) for name, array in g.items()}  # noqa: E731
    assert statuses(accuracy, signs, Target("direction"), fixed) == {"passed"}
    assert statuses(accuracy, signs, BY_VALUE, fixed) == {"passed"}
    for wrong, target in (
        (lambda g: {name: -array for name, array in g.items()}, Target("direction")),
        (lambda g: {name: 0 * array for name, array in g.items()}, Target("direction")),
        (lambda g: {name: np.nan * array for name, array in g.items()}, Target("direction")),
        (lambda g: {name: 2 * array for name, array in signs(g).items()}, BY_VALUE),
        (signs, BY_NORM),
    ):
        assert statuses(accuracy, wrong, target, fixed) == {"failed"}


@pytest.mark.parametrize("target", [BY_NORM, BY_VALUE, Target("direction", longest=1e9), Target()])
def test_an_error_of_the_reference_stays_within_what_clipping_leaves_of_its_bound(target: Target) -> None:
    """Gradients anywhere within the bounds, clipped, are within the bounds of the clipped reference."""
    exact, random = best_reference(NETWORK), np.random.default_rng(0)
    bounds = {name: 0.1 * norm(array) for name, array in exact.gradient.items()}
    wide: Reference = replace(exact, uncertainty=bounds)
    clipped = aimed(wide, target)
    for _ in range(50):
        noise = {name: random.standard_normal(array.shape) for name, array in exact.gradient.items()}
        near = {
            name: a + bounds[name] * noise[name] / norm(noise[name]) for name, a in exact.gradient.items()
        }
        other = aimed(replace(wide, gradient=near), target)
        for name, bound in clipped.uncertainty.items():
            # Of second order beside the bound, which is that of the first: the tenth of a tenth.
            assert norm(other.gradient[name] - clipped.gradient[name]) <= 1.1 * bound + 1e-15


def narrow(change: Any, value: Any = None) -> Fake:
    """Float64 arithmetic that claims float16."""

    def bind(problem: Any) -> Any:
        return lambda parameters, seed, draw: change(right(problem, parameters, draw))

    fields = {} if value is None else {"value": value}
    return Fake(bind, claims=with_claims(precision="float16"), **fields)


def test_a_fault_is_seen_through_the_tolerance_of_float16() -> None:
    coarse = heard_on(
        narrow(lambda g: {n: a.astype(np.float16).astype(a.dtype) for n, a in g.items()}), NETWORK
    )
    assert "failed" not in {found.status for found in accuracy.examine([coarse])}
    wrong = heard_on(narrow(lambda g: {name: 1.3 * array for name, array in g.items()}), NETWORK)
    assert "failed" in {found.status for found in accuracy.examine([wrong])}


def test_nothing_is_asked_of_float16_beyond_its_range() -> None:
    hearing = heard_on(narrow(dict), NETWORK)
    site = sites(NETWORK)[0]
    assert out_of_range(hearing, site) is None
    far = {name: 1e6 * array for name, array in site.parameters.items()}
    assert "`layers.0` gives" in str(out_of_range(hearing, replace(site, parameters=far)))
    near = {name: 1e-8 * array for name, array in site.parameters.items()}
    assert "float16 is whole to 2^-14" in str(out_of_range(hearing, replace(site, parameters=near)))
    assert out_of_range(heard_on(fake(dict), NETWORK), replace(site, parameters=far)) is None


@pytest.mark.parametrize(("factor", "status"), [(1 + 2.0**-9, "passed"), (1.1, "failed")])
def test_the_loss_of_16_bit_outputs_is_known_to_some_epsilons(factor: float, status: str) -> None:
    loss = factor * NETWORK.loss(NETWORK.parameters)
    hearing = heard_on(narrow(dict, value=lambda problem: loss), NETWORK)
    site = sites(NETWORK)[0]
    found = list(work(hearing, hearing.call(site.parameters, 0, site.draw), site))
    assert [each.status for each in found if each.check == "contract.value"] == [status]
