"""What check_gradient asks of a gradient besides its values, and what it says to a person who misuses it."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from gradmark import UsageError, check_gradient, check_jvp, check_vjp
from gradmark.judging.check import CHECKS

AT = np.array([0.5, 1.5, 2.5])


def cubes(x: Any) -> Any:
    return np.sum(x**3)


def slopes(x: Any) -> Any:
    return 3 * x**2


def changing(x: Any) -> Any:
    x[0] += 1
    return slopes(x)


def raising(x: Any) -> Any:
    raise RuntimeError("no gradient today\nand a long story")


def contiguous_only(x: Any) -> Any:
    return slopes(np.frombuffer(x.base if x.base is not None else x, x.dtype, x.size))


class Remembered:
    """A gradient that is computed once: for all, or for each argument object."""

    def __init__(self, key: Callable[[Any], int]) -> None:
        self.key, self.known = key, {}  # type: ignore[var-annotated]

    def __call__(self, x: Any) -> Any:
        return self.known.setdefault(self.key(x), slopes(x))


class Drifting:
    """A gradient that is larger with each call."""

    calls = 0

    def __call__(self, x: Any) -> Any:
        self.calls += 1
        return slopes(x) * (1 + 0.1 * self.calls)


@pytest.mark.parametrize(
    ("gradient", "part", "said"),
    [
        (lambda x: slopes(x)[:2], "contract.shape", "returned shape (2,) for x where (3,) is wanted"),
        (lambda x: {"x": slopes(x)}, "contract.structure", "returned dict"),
        (lambda x: None, "contract.structure", "returned None where an array is wanted"),
        (lambda x: slopes(x).astype(np.float32), "contract.dtype", "returned numpy cpu float32"),
        (lambda x: torch.tensor(slopes(x)), "contract.dtype", "returned torch cpu float64"),
        (lambda x: slopes(x) * 1j, "contract.dtype", "returned complex128"),
        (lambda x: "words", "contract", "`gradient`"),
        (lambda x: slopes(x) + np.array([0, np.nan, 0]), "contract.finite", "is nan at x[1]"),
        (raising, "contract.raises", "raised RuntimeError: no gradient today"),
        (changing, "contract.argument", "changes its argument"),
        (contiguous_only, "contract.strides", "not contiguous"),
        (Drifting(), "contract.repeat", "a second call"),
    ],
)
def test_a_broken_contract_is_wrong_in_one_sentence(gradient: Any, part: str, said: str) -> None:
    check = check_gradient(cubes, gradient, AT)
    failed = [finding for finding in check.findings if finding.status == "failed"]
    assert check.verdict == "wrong" and len(failed) == 1
    assert failed[0].check.startswith(part) and said in failed[0].reason and "\n" not in failed[0].reason


@pytest.mark.parametrize("key", [lambda x: 0, id], ids=["first call", "argument object"])
def test_a_gradient_that_is_remembered_is_found_out(key: Callable[[Any], int]) -> None:
    check = check_gradient(cubes, Remembered(key), AT)
    assert check.verdict == "wrong"
    assert [finding.where for finding in check.findings if finding.check == "value"][-1] != "as given"


def test_structures_of_arrays_keep_their_names() -> None:
    at = {"w": [np.ones((2, 2)), np.array(2.0)], "b": (np.arange(3.0),)}

    def function(p: Any) -> Any:
        return np.sum(p["w"][0] ** 2) * p["w"][1] + np.sum(np.sin(p["b"][0]))

    def gradient(p: Any) -> Any:
        return {
            "w": [2 * p["w"][0] * p["w"][1], np.sum(p["w"][0] ** 2)],
            "b": (np.cos(p["b"][0]) * np.array([1, 1, 1.001]),),
        }

    check = check_gradient(function, gradient, at)
    assert check.verdict == "wrong"
    assert check.evidence is not None
    assert (check.evidence.array, check.evidence.index) == ("b.0", (2,))
    assert check.evidence.error == pytest.approx(1e-3, rel=1e-6)


def test_a_torch_backward_that_marks_its_argument_is_welcome() -> None:
    def backward(x: Any) -> Any:
        x.requires_grad_()
        torch.sum(x**3).backward()
        return x.grad

    assert check_gradient(lambda x: torch.sum(x**3), backward, torch.tensor(AT)).verdict == "correct"


def failing(x: Any) -> Any:
    raise ValueError("negative")


def spoiling(x: Any) -> Any:
    x *= 2
    return np.sum(x)


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        ((failing, slopes, AT), {}, "`function` has no value at the point (it raised ValueError: negative)"),
        ((failing, slopes, AT), {}, "mend it, or choose another point"),
        ((lambda x: x, slopes, AT), {}, "returned shape (3,) where one number is wanted"),
        ((lambda x: x, slopes, AT), {}, "must return one real number; for several outputs use `check_vjp`."),
        ((lambda x: "1", slopes, AT), {}, "`function` returned str where a number is wanted: it must return"),
        ((lambda x: [[1], [1, 2]], slopes, AT), {}, "`function` returned list where a number is wanted"),
        ((lambda x, y: x, slopes, AT), {}, "raised TypeError"),
        ((cubes, slopes, AT.astype(np.float16)), {}, "convert it to float32, float64 or longdouble."),
        ((cubes, slopes, AT * 1j), {}, "not complex128: convert it to float32, float64 or longdouble."),
        ((lambda x: np.nan, slopes, AT), {}, "`function` returned nan at the point"),
        ((lambda x: np.sum(x) * 1j, slopes, AT), {}, "must return a real one"),
        ((spoiling, slopes, AT), {}, "`function` changes its argument"),
        ((3, slopes, AT), {}, "`function=3` must be a function"),
        ((cubes, 3, AT), {}, "`gradient=3` must be a function"),
        ((cubes, slopes, np.array([1.0, np.inf])), {}, "only finite ones"),
        ((cubes, slopes, np.zeros(0)), {}, "at least one number"),
        ((cubes, slopes, AT), {"seed": -1}, "`seed=-1`"),
        ((cubes, slopes, AT), {"digits": 0}, "`digits=0` must be a number above 0"),
        ((cubes, slopes, AT), {"seconds": "soon"}, "`seconds=soon`"),
        ((cubes, slopes, AT), {"bounds": (0, 1)}, "hold every entry of `at`"),
        ((cubes, slopes, AT), {"bounds": 3}, "must be two numbers"),
        ((cubes, slopes, AT), {"bounds": (0, None)}, "math.inf where there is none"),
        ((cubes, slopes, AT), {"bounds": np.ones((2, 2))}, "must be two numbers"),
        ((cubes, slopes, AT), {"points": []}, "`points` holds no point"),
        ((cubes, slopes, AT), {"points": np.array(1.0)}, "`points=array(1.)` must be a list"),
        ((cubes, slopes, AT), {"points": {"x": AT}}, "must be a list of points like `at`"),
        ((cubes, slopes, AT), {"points": [np.ones(2)]}, "`points[0]` must be built like `at`"),
        ((cubes, slopes, AT), {"points": 7}, "`points=7` must be a list"),
        ((cubes, slopes, AT), {"expected_failures": {"values": "why"}}, "did you mean `value`?"),
        ((cubes, slopes, AT), {"expected_failures": {"value": ""}}, "needs a reason"),
        (
            (cubes, slopes, AT),
            {"expected_failures": ["points"]},
            "must map the name of a check to the reason",
        ),
        ((cubes, slopes, AT), {"expected_failures": []}, "must map the name of a check to the reason"),
        ((cubes, slopes, AT), {"expected_failures": {"foo": "why"}}, "unknown check `foo`: known checks:"),
    ],
)
def test_misuse_is_one_clear_sentence(arguments: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_gradient(*arguments, **options)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_expected_failures_are_marked_and_those_that_pass_are_told() -> None:
    expected = {"value": "the solver stops early"}
    check = check_gradient(cubes, lambda x: slopes(x) * 1.01, AT, expected_failures=expected)
    assert [finding.status for finding in check.findings if finding.check == "value"] == ["expected"]
    assert check_gradient(cubes, slopes, AT, expected_failures=expected).verdict == "undecided"


def test_findings_carry_the_names_that_expectations_use() -> None:
    check = check_gradient(cubes, slopes, AT)
    assert {finding.check.split(".")[0] for finding in check.findings} <= set(CHECKS)
    values = [finding for finding in check.findings if finding.check == "value"]
    assert len(values) == 5
    assert all(finding.digits and finding.smallest_detectable for finding in values)
    assert check.record["versions"]["numpy"] == np.__version__


def test_when_the_seconds_are_over_the_check_is_undecided() -> None:
    check = check_gradient(cubes, slopes, AT, seconds=1e-9)
    assert check.verdict == "undecided" and "seconds were over" in check.reason


def test_points_stay_inside_the_bounds() -> None:
    seen: list[Any] = []

    def logarithms(x: Any) -> Any:
        seen.append(np.real(x).astype(float))
        return np.sum(np.log(x) + np.log(1 - x))

    at = np.array([0.1, 0.5, 0.99])
    check = check_gradient(logarithms, lambda x: 1 / x - 1 / (1 - x), at, bounds=(0.0, 1.0))
    assert check.verdict == "correct"
    assert np.min(seen) > 0 and np.max(seen) < 1


def test_the_points_that_are_given_are_the_points() -> None:
    check = check_gradient(cubes, slopes, AT, points=[AT + 1, AT - 3])
    assert [finding.where for finding in check.findings if finding.check == "value"] == [
        "as given",
        "points[0]",
        "points[1]",
    ]
    assert check.verdict == "correct"


def test_a_gradient_right_to_eight_digits_is_acceptable_as_such() -> None:
    def solved(x: Any) -> Any:
        return slopes(x) * (1 + 1e-9 * np.sin(1e4 * x))

    assert check_gradient(cubes, solved, AT).verdict == "wrong"
    assert check_gradient(cubes, solved, AT, digits=8).verdict == "correct"
    assert check_gradient(cubes, lambda x: slopes(x) * (1 + 1e-6), AT, digits=8).verdict == "wrong"


def test_a_function_that_is_finite_at_one_point_only_leaves_it_undecided() -> None:
    def there(x: Any) -> Any:
        return np.sum(x**2) if np.max(np.abs(np.real(x) - AT)) < 1e-4 else x.dtype.type(np.nan)

    check = check_gradient(there, lambda x: 2 * x, AT)
    assert check.verdict == "undecided" and "points=" in check.reason


def test_an_approximation_is_told_how_to_say_so() -> None:
    at = np.linspace(0.1, 2.0, 9)

    def rough(x: Any) -> Any:
        return np.cos(x) + 1e-7 * np.sin(7 * x)

    found = check_gradient(lambda x: np.sum(np.sin(x)), rough, at)
    assert (found.verdict, "say `digits=6`" in found.reason) == ("wrong", True)
    assert check_gradient(lambda x: np.sum(np.sin(x)), rough, at, digits=6).verdict == "correct"


def test_a_vjp_whose_function_is_no_good_is_told_so() -> None:
    with pytest.raises(UsageError, match="mend it, or choose another point"):
        check_vjp(failing, lambda x, cotangent: x, AT)


@pytest.mark.parametrize(
    ("jvp", "said"),
    [
        (lambda x, tangent: tangent[:2], "`jvp` returned shape (2,) for output where (3,) is wanted."),
        (lambda x, tangent: tangent.astype(np.float32), "returned numpy cpu float32 for output, where"),
        (lambda x, tangent: tangent * np.array([1, np.nan, 1]), "`jvp` is nan at output[1]."),
    ],
)
def test_a_single_output_is_not_called_by_the_name_of_the_point(jvp: Any, said: str) -> None:
    assert said in check_jvp(np.sin, jvp, AT).reason


@pytest.mark.parametrize(
    "points",
    [np.stack([AT + 1, AT - 3]), torch.tensor(np.stack([AT + 1, AT - 3])), (AT + shift for shift in (1, -3))],
    ids=["array", "tensor", "generator"],
)
def test_points_may_be_whatever_yields_points(points: Any) -> None:
    found = check_gradient(cubes, slopes, AT, points=points).findings
    assert [each.where for each in found if each.check == "value"] == ["as given", "points[0]", "points[1]"]


@pytest.mark.parametrize("bounds", [np.array([0.0, 3.0]), [0, 3], (np.float32(0), 3)])
def test_bounds_may_be_any_two_numbers(bounds: Any) -> None:
    def inside(x: Any) -> Any:
        assert np.all((np.real(x) >= 0) & (np.real(x) <= 3))
        return cubes(x)

    assert check_gradient(inside, slopes, AT, bounds=bounds).verdict == "correct"


def test_the_line_that_repeats_a_check_has_its_options() -> None:
    options: dict[str, Any] = {"digits": 2.5, "bounds": (0, math.inf), "points": [AT + 1], "seed": 3}
    check = check_gradient(cubes, lambda x: slopes(x) * 1.1, AT, **options)
    assert check.evidence is not None
    code = check.evidence.code
    assert code is not None and code.endswith("at, seed=3, digits=2.5, bounds=(0, math.inf), points=points)")
    names = {"function": cubes, "gradient": lambda x: slopes(x) * 1.1, "at": AT, "points": [AT + 1]}
    import gradmark

    again = eval(code, {"gradmark": gradmark, "math": math, **names})
    assert again.evidence == check.evidence
