"""Faults of a backward pass written by hand: a wrong piece, or something remembered that should not be."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from reports.scorecard.battery.backward_pieces import PIECES
from reports.scorecard.battery.case import Case, Gradient, Question, Value, wrong
from reports.scorecard.battery.network import Backward, Data, Layers


def cases() -> Iterator[Case]:
    """Faults by pieces, and those that remember something."""
    for name, (what, faulty) in PIECES.items():
        yield wrong(f"backward:{name}", what, _asked(faulty))
    for name in ("slope-dropped", "weight-untransposed", "bias-mean", "layer-negated"):
        what, faulty = PIECES[name]
        yield wrong(f"backward:{name}:float32", f"{what}, in float32", _asked(faulty, "float32"))
    yield wrong("backward:buffer-not-zeroed", "added to what the last call left", _remembering(1.0))
    yield wrong("backward:buffer-one-percent", "a hundredth of the last call left over", _remembering(1e-2))
    yield wrong("backward:stale-cache", "activations saved at the first call", _stale)


def _asked(faulty: Backward, dtype: str = "float64") -> Callable[[], Question]:
    def ask() -> Question:
        data = Data.drawn(dtype=dtype)
        truth = Backward().gradient(data)
        return Question(data.loss, faulty.gradient(data), data.start, truth=truth)

    return ask


def _remembering(share: float) -> Callable[[], Question]:
    def ask() -> Question:
        data = Data.drawn()
        truth = Backward().gradient(data)
        left: dict[str, Any] = {}

        def gradient(p: Value) -> Value:
            for name, array in truth(p).items():
                left[name] = array + share * left.get(name, 0.0)
            return {name: np.array(array) for name, array in left.items()}

        return Question(data.loss, gradient, data.start, truth=truth, seen_at=_elsewhere(data))

    return ask


def _stale() -> Question:
    data, kept = Data.drawn(), []

    def saved(layers: Layers) -> Layers:
        kept.append(layers)
        return kept[0]

    faulty: Gradient = Backward(saved=saved).gradient(data)
    return Question(data.loss, faulty, data.start, truth=Backward().gradient(data), seen_at=_elsewhere(data))


def _elsewhere(data: Data) -> Value:
    return {name: 0.7 * array for name, array in data.start.items()}
