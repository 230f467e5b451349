"""A question as peers want it: a function of several arrays, in place of one of a dict."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.scorecard.battery.case import MethodQuestion, Question, arrays_of

METHOD = "it checks gradients, not gradient methods"


@dataclass(frozen=True)
class Spread:
    """`function(*arrays)` and `gradient(*arrays)`, a sequence of arrays, at `arrays`."""

    function: Callable[..., Any]
    gradient: Callable[..., Sequence[Any]]
    arrays: tuple[Any, ...]


def spread(question: Question) -> Spread:
    """The question with the entries of a dict as arguments."""
    at = question.at
    if not isinstance(at, Mapping):
        return Spread(question.function, lambda x: (question.gradient(x),), (at,))
    names = list(at)

    def together(arrays: Sequence[Any]) -> dict[str, Any]:
        return dict(zip(names, arrays, strict=True))

    def gradient(*arrays: Any) -> Sequence[Any]:
        found = question.gradient(together(arrays))
        return [found[name] for name in names]

    return Spread(lambda *arrays: question.function(together(arrays)), gradient, tuple(at.values()))


def on_numpy(question: Question | MethodQuestion) -> str | None:
    """The reason why a checker of NumPy functions cannot be asked."""
    if isinstance(question, MethodQuestion):
        return METHOD
    if not all(isinstance(array, np.ndarray) for array in arrays_of(question.at)):
        return "it cannot call a function of torch tensors"
    return None
