"""What `gradmark.validate` is asked for and cannot be: one sentence, at the door."""

from pathlib import Path
from typing import Any

import pytest

import gradmark
from gradmark.judging.trial import Trial
from tests.judging.fakes import Fake, fake, with_claims


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"method": "backprp"}, "did you mean `backprop`"),
        ({"method": 3}, "not a gradient method"),
        ({"problems": []}, "empty"),
        ({"problems": 7}, "list of names"),
        ({"problems": [7]}, "not a problem"),
        ({"problems": ["mlp:widths=64,3,10,batch=4", "nope"]}, "unknown problem `nope`"),
        ({"problems": "rosenbrock:size=x"}, "size"),
        ({"problems": "mlp:widths=1,backend=torch"}, "mlp"),
        ({"problems": "mlp:dtype=float99"}, "float99"),
        ({"profile": "quick"}, "unknown profile `quick`"),
        ({"budget": 0}, "budget"),
        ({"seed": -1}, "`seed=-1` must be an integer"),
        ({"seed": "a"}, "`seed=a` must be an integer"),
        ({"false_alarm": 2}, "a probability between 0 and 1"),
        ({"expected_failures": {"speed": "slow"}}, "unknown check"),
        ({"expected_failures": {"accuracy": ""}}, "needs a reason"),
        ({"expected_failures": ["accuracy"]}, "must map the name of a check"),
        ({"on_finding": 3}, "must be a function"),
    ],
)
def test_bad_input_is_answered_in_one_sentence(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(gradmark.UsageError) as raised:
        gradmark.validate(**{"method": "backprop", **arguments})
    assert said in str(raised.value)


def test_claims_that_cannot_be_read_are_answered_in_one_sentence() -> None:
    class Claimless(Fake):
        pass

    with pytest.raises(gradmark.UsageError, match="its claims are a str"):
        gradmark.validate(Claimless(lambda problem: lambda *_: {}, claims="exact"))  # type: ignore[arg-type]


def test_a_problem_that_cannot_be_built_is_said_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "odd.py"
    file.write_text("number = 3\ndef broken():\n    return 1 / 0\n", encoding="utf-8")
    told = {"number": "is a int, not a function", "broken": "could not be made: ZeroDivisionError"}
    for name, words in told.items():
        with pytest.raises(gradmark.UsageError, match=words):
            Trial(f"{file}:{name}").build()


def test_a_precision_that_does_not_exist_is_answered_in_one_sentence() -> None:
    with pytest.raises(gradmark.UsageError, match="precision `float33`: allowed are bfloat16, "):
        gradmark.validate(fake(lambda g: None, claims=with_claims(precision="float33")))
