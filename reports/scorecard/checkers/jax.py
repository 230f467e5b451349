"""jax.test_util.check_grads in reverse mode: the gradient as the rule of a ``jax.custom_vjp``."""

import importlib
from typing import Any

import numpy as np

from gradmark.arrays import installed as has
from gradmark.backends import namespace
from reports.scorecard.battery.case import Question
from reports.scorecard.checkers.arguments import on_numpy as refuses
from reports.scorecard.checkers.arguments import spread
from reports.scorecard.checkers.said import Said, first_line

__all__ = ["REJECTIONS", "TITLE", "check", "installed", "refuses"]

TITLE = "jax check_grads"
REJECTIONS = (Exception,)


def installed() -> bool:
    """Whether JAX is."""
    return has("jax")


def check(question: Question) -> Said:
    """``check_grads`` of order 1 with its default tolerances."""
    namespace("jax")  # which switches JAX to 64 bits
    check_grads = importlib.import_module("jax.test_util").check_grads

    try:
        check_grads(_as_jax(question), spread(question).arrays, order=1, modes=["rev"])
    except AssertionError as error:
        return Said("wrong", first_line(error))
    return Said("correct")


def _as_jax(question: Question) -> Any:
    """A function with a rule of its own; outside `jit` both are called with numbers."""
    import jax
    import jax.numpy as jnp

    asked = spread(question)

    def given(arrays: Any) -> list[Any]:
        return [np.array(array) for array in arrays]

    @jax.custom_vjp
    def function(*arrays: Any) -> Any:
        return jnp.asarray(asked.function(*given(arrays)), dtype=arrays[0].dtype)

    def forward(*arrays: Any) -> Any:
        return function(*arrays), arrays

    def backward(arrays: Any, dy: Any) -> Any:
        found = asked.gradient(*given(arrays))
        return tuple(dy * jnp.asarray(array) for array in found)

    function.defvjp(forward, backward)
    return function
