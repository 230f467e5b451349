"""`assert_gradient` and the pytest fixture: wrong gradients fail with the judge's whole text."""

import subprocess
import sys
from xml.etree import ElementTree as xml

import numpy as np
import pytest

from gradmark import UsageError, check_gradient
from gradmark.testing import assert_gradient
from gradmark.testing.gradient import asserted

AT = np.array([0.3, -1.2, 2.0])
pytest_plugins = ["pytester"]


def cubes(x):
    return np.sum(x**3)


def right(x):
    return 3 * x**2


def wrong(x):
    return 2.97 * x**2


def test_a_right_gradient_passes_and_the_check_comes_back() -> None:
    assert assert_gradient(cubes, right, AT).verdict == "correct"


def test_a_wrong_gradient_fails_with_the_text_of_the_check() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_gradient(cubes, wrong, AT)
    text = str(caught.value)
    assert text.startswith("wrong: cubes")
    assert text.split("evaluations")[0].count("\n") > 2  # where, how large, both numbers
    assert "gradmark.check_gradient(" in text


def test_an_undecided_check_fails_too_unless_it_is_allowed() -> None:
    at = np.array([0.0, 1.0])
    check = check_gradient(lambda x: np.sum(np.abs(x)), np.sign, at)
    assert check.verdict == "undecided"
    with pytest.raises(AssertionError, match=r"\Aundecided: "):
        assert_gradient(lambda x: np.sum(np.abs(x)), np.sign, at)
    assert asserted(check, allow_undecided=True) is check


def test_a_wrong_gradient_is_never_allowed() -> None:
    with pytest.raises(AssertionError, match=r"\Awrong: "):
        assert_gradient(cubes, wrong, AT, allow_undecided=True)


def test_options_are_those_of_check_gradient() -> None:
    assert assert_gradient(cubes, lambda x: 3.0001 * x**2, AT, digits=4.0).verdict == "correct"
    with pytest.raises(AssertionError):
        assert_gradient(cubes, lambda x: 3.0001 * x**2, AT)
    with pytest.raises(UsageError, match="digits"):
        assert_gradient(cubes, right, AT, digits=-1)
    with pytest.raises(TypeError, match="tolerance"):
        assert_gradient(cubes, right, AT, tolerance=1)


TESTS = """
import numpy as np

def test_right(gradient_check):
    check = gradient_check(lambda x: np.sum(x**3), lambda x: 3 * x**2, np.array([1.0, 2.0]))
    assert check.digits > 10

def test_wrong(gradient_check):
    gradient_check(lambda x: np.sum(x**3), lambda x: 2.9 * x**2, np.array([1.0, 2.0]))

def test_kink(gradient_check):
    gradient_check(lambda x: np.sum(np.abs(x)), np.sign, np.array([0.0, 1.0]), allow_undecided=True)
"""


def test_the_fixture_fails_a_test_and_records_the_verdict_for_junit(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_inprocess("--junitxml=junit.xml", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*AssertionError: wrong: *"])
    cases = xml.parse(pytester.path / "junit.xml").getroot().iter("testcase")
    properties = [{p.get("name"): p.get("value") for p in case.iter("property")} for case in cases]
    assert [found["gradmark.verdict"] for found in properties] == ["correct", "wrong", "undecided"]
    assert float(properties[0]["gradmark.digits"] or "nan") > 10
    assert properties[1]["gradmark.reason"]


def test_the_plug_in_and_the_assertions_load_nothing_heavy() -> None:
    code = (
        "import sys, gradmark.testing, gradmark.testing.pytest_plugin;"
        "print(*{'numpy', 'torch', 'jax', 'scipy', 'pandas', 'rich', 'jinja2'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.split() == []
