"""check_vjp and check_jvp: products with the Jacobian of functions of several outputs."""

from typing import Any

import numpy as np
import pytest
import torch

from gradmark import UsageError, check_jvp, check_vjp

WEIGHTS = np.random.default_rng(0).normal(size=(4, 3))
AT = np.array([0.1, 0.2, 0.3])


def layer(x: Any) -> Any:
    return np.tanh(WEIGHTS @ x)


def pullback(x: Any, cotangent: Any) -> Any:
    return WEIGHTS.T @ (cotangent * (1 - np.tanh(WEIGHTS @ x) ** 2))


def pushforward(x: Any, tangent: Any) -> Any:
    return (1 - np.tanh(WEIGHTS @ x) ** 2) * (WEIGHTS @ tangent)


def in_parts(p: Any) -> Any:
    return {"waves": torch.sin(p[0]) * p[1], "square": [p[1] ** 2]}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_products_of_structures_are_checked(dtype: Any) -> None:
    at = [torch.tensor([1.0, 2.0], dtype=dtype), torch.tensor(3.0, dtype=dtype)]
    vjp = check_vjp(in_parts, lambda p, cotangent: torch.func.vjp(in_parts, p)[1](cotangent)[0], at)
    jvp = check_jvp(in_parts, lambda p, tangent: torch.func.jvp(in_parts, (p,), (tangent,))[1], at)
    assert (vjp.verdict, jvp.verdict) == ("correct", "correct"), (vjp.reason, jvp.reason)


def test_right_products_are_correct() -> None:
    for check in (check_vjp(layer, pullback, AT), check_jvp(layer, pushforward, AT)):
        assert check.verdict == "correct" and check.digits is not None and check.digits > 14


@pytest.mark.parametrize(
    "wrong",
    [
        lambda x, c: pullback(x, c) * (1 + 1e-7),
        lambda x, c: pullback(x, np.abs(c)),
        lambda x, c: pullback(AT, c),
        lambda x, c: WEIGHTS.T @ c,
    ],
    ids=["scaled", "signs of the cotangent", "frozen", "derivative of tanh dropped"],
)
def test_wrong_vjps_are_caught(wrong: Any) -> None:
    check = check_vjp(layer, wrong, AT)
    assert check.verdict == "wrong"
    assert check.evidence is not None and check.evidence.array == "x"


@pytest.mark.parametrize(
    ("wrong", "check_name"),
    [
        (lambda x, t: pushforward(x, t) * (1 + 1e-7), "value"),
        (lambda x, t: pushforward(AT, t), "value"),
        (lambda x, t: pushforward(x, t) + 1e-7 * np.sum(t**2), "contract.linear"),
        (lambda x, t: pushforward(x, t)[:3], "contract.shape"),
    ],
    ids=["scaled", "frozen", "not linear", "an output missing"],
)
def test_wrong_jvps_are_caught(wrong: Any, check_name: str) -> None:
    check = check_jvp(layer, wrong, AT)
    assert check.verdict == "wrong"
    assert [finding.check for finding in check.findings if finding.status == "failed"] == [check_name]


def test_a_vjp_remembered_from_its_first_cotangent_is_caught() -> None:
    known: dict[int, Any] = {}

    def remembered(x: Any, cotangent: Any) -> Any:
        return pullback(x, known.setdefault(0, cotangent))

    assert check_vjp(layer, remembered, AT).verdict == "wrong"


def test_digits_are_granted_to_products_too() -> None:
    assert check_jvp(layer, lambda x, t: pushforward(x, t) * (1 + 1e-9), AT, digits=8).verdict == "correct"
    assert check_vjp(layer, lambda x, c: pullback(x, c) * (1 + 1e-9), AT, digits=8).verdict == "correct"


@pytest.mark.parametrize("function", [lambda x: "words", lambda x: x * 1j, lambda x: x / 0, lambda x: None])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_outputs_that_are_none_are_one_clear_sentence(function: Any) -> None:
    with pytest.raises(UsageError) as caught:
        check_vjp(function, pullback, AT)
    assert "`function` must return" in str(caught.value) and "\n" not in str(caught.value)
