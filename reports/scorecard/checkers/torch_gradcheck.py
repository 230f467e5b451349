"""How both modes of ``torch.autograd.gradcheck`` are asked: the gradient as the backward of a function."""

import importlib
import traceback
import warnings
from typing import Any

from reports.scorecard.battery.case import MethodQuestion, Question
from reports.scorecard.checkers.arguments import METHOD, spread
from reports.scorecard.checkers.said import Said, first_line
from reports.scorecard.counting import TooSlow

_FULL_AFTER_FAILURE = "_run_slow_mode_and_get_error"
"""Where fast mode, after it has failed, computes the full Jacobian for its message."""


def refuses(question: Question | MethodQuestion) -> str | None:
    """Methods."""
    return METHOD if isinstance(question, MethodQuestion) else None


def check(question: Question, *, fast: bool) -> Said:
    """``gradcheck`` with its default tolerances, in double precision where the question is."""
    # By its attribute, torch.autograd.gradcheck is the function.
    checking = importlib.import_module("torch.autograd.gradcheck")
    function = _as_torch(question)
    inputs = tuple(_tensor(array).requires_grad_() for array in spread(question).arrays)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            checking.gradcheck(function, inputs, fast_mode=fast)
    except checking.GradcheckError as error:
        return Said("wrong", first_line(error))
    except TooSlow as error:
        if any(frame.name == _FULL_AFTER_FAILURE for frame in traceback.extract_tb(error.__traceback__)):
            return Said("wrong", "it failed, and its message took too long")
        raise
    return Said("correct")


def _tensor(array: Any) -> Any:
    import torch

    return torch.from_numpy(array.copy()) if not hasattr(array, "detach") else array.detach().clone()


def _as_torch(question: Question) -> Any:
    """A ``torch.autograd.Function`` that calls the function, and on its way back the gradient."""
    import torch

    asked = spread(question)
    native = hasattr(asked.arrays[0], "detach")

    def given(tensors: Any) -> list[Any]:
        return [tensor.detach() if native else tensor.detach().numpy() for tensor in tensors]

    class Asked(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, *tensors: Any) -> Any:
            context.save_for_backward(*tensors)
            value = asked.function(*given(tensors))
            return value.detach() if native else torch.as_tensor(value, dtype=tensors[0].dtype)

        @staticmethod
        def backward(context: Any, dy: Any) -> Any:
            found = asked.gradient(*given(context.saved_tensors))
            return tuple(None if array is None else dy * torch.as_tensor(array) for array in found)

    return Asked.apply
