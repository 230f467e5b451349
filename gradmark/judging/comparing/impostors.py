"""Wrong gradients made from the reference, each wrong by a known amount and in a known way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradmark.measuring.norms import norm

FACTOR = 10.0
"""An impostor is wrong by so many times what is said to be the smallest fault that would be seen."""


@dataclass(frozen=True)
class Impostor:
    """A wrong gradient, and what is wrong with it."""

    fault: str
    gradient: Mapping[str, Any]


def impostors(
    truth: Mapping[str, Any], resolution: float, elsewhere: Mapping[str, Any] | None
) -> Iterator[Impostor]:
    """The impostors that are faults of at least `FACTOR` times the relative `resolution`.

    `elsewhere` is the gradient at the first point, which a frozen method goes on giving; None: not known.
    """
    size, least = length(truth), FACTOR * resolution
    yield Impostor(f"scaled by 1 + {least:.1g}", {name: (1 + least) * a for name, a in truth.items()})
    yield Impostor(f"one coordinate off by {least:.1g} of the norm", one_off(truth, least * size))
    if least <= 1:
        yield Impostor("zero", {name: np.zeros_like(array) for name, array in truth.items()})
        yield Impostor("sign flipped", {name: -array for name, array in truth.items()})
    if elsewhere is not None and length({n: elsewhere[n] - truth[n] for n in truth}) >= least * size:
        yield Impostor("frozen at the first point", elsewhere)


def length(named: Mapping[str, Any]) -> float:
    """The 2-norm of all arrays as one vector."""
    return norm(np.array([norm(array) for array in named.values()]))


def one_off(truth: Mapping[str, Any], amount: float) -> dict[str, Any]:
    """The entry that is nearest the root mean square, which no one would look at twice, moved by `amount`."""
    typical = length(truth) / sum(array.size for array in truth.values()) ** 0.5
    distance = {name: np.abs(np.abs(array) - typical) for name, array in truth.items()}
    chosen = min(distance, key=lambda name: float(np.min(distance[name])))
    moved = {name: np.array(array) for name, array in truth.items()}
    moved[chosen].ravel()[int(np.argmin(distance[chosen]))] += amount
    return moved
