"""Which cases belong into a figure, and where methods are compared by a single number."""

import pandas as pd

from reports.series import lines, main_place, of_several_sizes


def cases(*rows: tuple[str, str, str, float]) -> pd.DataFrame:
    """Cases of one scene in float64: method, family, place, P; each took a second."""
    found = pd.DataFrame(rows, columns=["name", "family", "place", "P"])
    return found.assign(scene="mlp", dtype="float64", variant=found["name"], time=1.0)


REVERSE = [("backprop", "reverse", "numpy", 1e3), ("backprop", "reverse", "numpy", 1e4)]
ONCE = ("path_sum", "reverse", "numpy", 1e4)


def test_a_method_of_one_size_is_left_out_where_others_have_several() -> None:
    assert set(of_several_sizes(cases(*REVERSE, ONCE))["name"]) == {"backprop"}
    assert [one.variant for one in lines(cases(*REVERSE, ONCE), "time", ("numpy", "float64"))] == ["backprop"]


def test_where_all_have_one_size_all_are_drawn() -> None:
    alone = cases(REVERSE[1], ONCE)
    assert set(of_several_sizes(alone)["name"]) == {"backprop", "path_sum"}
    drawn = lines(alone, "time", ("numpy", "float64"))
    assert [one.variant for one in drawn] == ["backprop", "path_sum"]


def test_the_main_place_has_most_families_and_only_then_most_methods() -> None:
    on_torch = [(name, "reverse", "torch", 1e3) for name in ("autograd", "backprop", "func_grad")]
    on_numpy = [
        ("backprop", "reverse", "numpy", 1e3),
        ("central_difference", "finite-difference", "numpy", 1e3),
    ]
    assert main_place(cases(*on_torch, *on_numpy)) == "numpy"
    assert main_place(cases(*on_torch, on_numpy[0])) == "torch"
