"""HIPS autograd's check_grads in reverse mode: the gradient as the rule of a primitive."""

import importlib
import importlib.util
from typing import Any

import numpy as np

from reports.scorecard.battery.case import Question
from reports.scorecard.checkers.arguments import on_numpy as refuses
from reports.scorecard.checkers.arguments import spread
from reports.scorecard.checkers.said import Said, first_line

__all__ = ["REJECTIONS", "TITLE", "check", "installed", "refuses"]

TITLE = "HIPS check_grads"
REJECTIONS = (Exception,)
SEED = 0
"""It draws its direction from NumPy's global generator, which is seeded so that the table can be repeated."""


def installed() -> bool:
    """Whether autograd is."""
    return importlib.util.find_spec("autograd") is not None


def check(question: Question) -> Said:
    """``check_grads`` of order 1: a rule that is a plain function has no derivative of its own."""
    check_grads = importlib.import_module("autograd.test_util").check_grads

    function, state = _as_primitive(question), np.random.get_state()  # noqa: NPY002  # the one it uses
    np.random.seed(SEED)  # noqa: NPY002
    arrays = spread(question).arrays
    # By itself it would check the first argument alone.
    every = 0 if len(arrays) == 1 else tuple(range(len(arrays)))
    try:
        check_grads(function, every, modes=["rev"], order=1)(*arrays)
    except AssertionError as error:
        return Said("wrong", first_line(error))
    finally:
        np.random.set_state(state)  # noqa: NPY002
    return Said("correct")


def _as_primitive(question: Question) -> Any:
    extend = importlib.import_module("autograd.extend")

    asked = spread(question)
    function = extend.primitive(asked.function)

    def rule(numbers: Any, value: Any, arrays: Any, options: Any) -> Any:
        def pulled(dy: Any) -> Any:
            found = asked.gradient(*arrays)
            return tuple(dy * found[number] for number in numbers)

        return pulled

    extend.defvjp_argnums(function, rule)
    return function
