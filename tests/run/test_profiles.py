"""The profiles plan what a report needs, with every registered method that they can be measured with."""

import itertools
import math
from collections import Counter

import pytest

import gradmark
from gradmark.arrays import installed
from gradmark.registry import load
from gradmark.run.execute import prepared
from gradmark.run.plan import Comparison
from gradmark.run.records import digest

PROFILES = {name: load("profile", name)() for name in ("quick", "full")}
both = pytest.mark.parametrize("plan", PROFILES.values(), ids=PROFILES.keys())


def of(plan: list[Comparison], study: str) -> list[Comparison]:
    return [comparison for comparison in plan if comparison.study == study]


def parameters(comparison: Comparison) -> int:
    widths = comparison.sizes["widths"]
    return sum((before + 1) * after for before, after in itertools.pairwise(widths))


@both
def test_every_method_is_measured_where_it_runs(plan: list[Comparison]) -> None:
    planned = {call.name for comparison in of(plan, "cost") for call in comparison.methods}
    known = {name: gradmark.get_method(name).claims for name in gradmark.list_methods()}
    assert all("gradient" in known[name].wants for name in planned)
    missing = {name for name, claims in known.items() if "gradient" in claims.wants} - planned
    assert all(not installed("jax") for name in missing), f"{missing} are in no cost comparison"


@both
def test_no_case_is_planned_twice_in_one_study(plan: list[Comparison]) -> None:
    cases = Counter(
        (task.comparison.study, digest(part.key)) for task in prepared(plan) for part in task.methods
    )
    assert max(cases.values()) == 1


@both
def test_costs_go_from_a_thousand_parameters_to_a_hundred_thousand_and_reverse_mode_to_a_million(
    plan: list[Comparison],
) -> None:
    sizes = {
        call.name: sorted(
            parameters(comparison)
            for comparison in of(plan, "cost")
            if comparison.dtype == "float64" and call in comparison.methods and comparison.backend == "numpy"
        )
        for comparison in of(plan, "cost")
        for call in comparison.methods
    }
    for name in ("backprop", "central_difference", "gaussian_es", "tangent"):
        # Equal hidden widths come within 5 % of the number that was asked for.
        assert sizes[name][0] == pytest.approx(1e3, rel=0.05)
        largest = 1e6 if gradmark.get_method(name).claims.family == "reverse" else 1e5
        assert max(sizes[name]) >= 0.95 * largest


@both
def test_steps_are_spread_evenly_over_eleven_decades_in_both_precisions(plan: list[Comparison]) -> None:
    for dtype in ("float64", "float32"):
        comparison = next(one for one in of(plan, "steps") if one.dtype == dtype)
        steps = [call.hyper["step"] for call in comparison.methods if call.name == "central_difference"]
        assert (min(steps), max(steps)) == (1e-12, 1e-1)
        gaps = [math.log10(later / earlier) for earlier, later in itertools.pairwise(steps)]
        assert max(gaps) < 0.53


@both
def test_samples_double_from_4_to_2048_with_sixteen_seeds_or_more(plan: list[Comparison]) -> None:
    for comparison in of(plan, "samples"):
        assert comparison.repetitions >= 16
        pairs = [call.hyper["pairs"] for call in comparison.methods if call.name == "gaussian_es"]
        assert pairs == [2**power for power in range(2, 12)]


@both
def test_depth_compares_a_method_of_every_family(plan: list[Comparison]) -> None:
    for comparison in of(plan, "depth"):
        families = {gradmark.get_method(call.name).claims.family for call in comparison.methods}
        assert families == {"reverse", "forward", "finite-difference", "evolution"}
    depths = sorted({len(comparison.sizes["widths"]) - 1 for comparison in of(plan, "depth")})
    assert (depths[0], depths[-1]) == (2, 32)
    assert len(depths) >= 4  # what a fitted power law needs


def test_functions_start_at_a_hundred_parameters() -> None:
    sizes = {comparison.sizes["size"] for comparison in of(PROFILES["quick"], "functions")}
    assert (min(sizes), max(sizes)) == (100, 5_000)
    assert len(sizes) >= 4  # what a fitted power law needs
