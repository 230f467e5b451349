"""A problem unrolled in time, as methods see it that carry derivatives or noise from step to step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.parameters import Parameters


@dataclass(frozen=True)
class Unroll:
    """s_0 = initial(parameters, draw), s_{t+1} = step(parameters, s_t, draw, t), t = 0 .. horizon - 1.

    The problem's loss is ``loss(parameters, s_horizon, draw)``. It may be asked of every state: what a
    stretch of steps adds to the loss is a difference of two. A state is an array, or a tuple of arrays,
    with the rows of the draw as last-but-one axis; where parameters carry a population, so do all states,
    the initial one too. On JAX t may be an array: a loop inside of a program counts with one. None of the
    three functions counts passes: that is left to who calls them.
    """

    initial: Callable[[Parameters, Draw], Any]
    step: Callable[[Parameters, Any, Draw, int], Any]
    loss: Callable[[Parameters, Any, Draw], Array]
    horizon: int
