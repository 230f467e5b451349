"""Correct gradient methods that look wrong: heavy variance, few samples, truncation."""

from collections.abc import Callable, Iterator
from typing import Any

from reports.scorecard.battery.case import Case, MethodQuestion, correct
from reports.scorecard.battery.orders import declared
from reports.scorecard.battery.strategy import PAIRS, Strategy, less_mean, method, signs

_N = 2 * PAIRS


def _mirrored() -> Any:
    """Its error is as large as the gradient, sqrt((P + 1) / M), and its mean is right."""
    return method(Strategy())


def _one_sided() -> Any:
    return method(
        Strategy(shaped=less_mean, scale=lambda pairs: 1 / ((2 * pairs - 1) * 0.01)),
        one_sided=True,
        factor=lambda size: (size + 1) * PAIRS / (_N - 1),
    )


def _signs() -> Any:
    return method(Strategy(move=signs), factor=lambda size: size - 1, law="rademacher")


def _central() -> Any:
    return declared({1.0: 0.5, -1.0: -0.5}, 2, 2)


def _forward() -> Any:
    return declared({1.0: 1.0, 0.0: -1.0}, 1, 2)


def _fourth() -> Any:
    return declared({1.0: 2 / 3, -1.0: -2 / 3, 2.0: -1 / 12, -2.0: 1 / 12}, 4, 4, step=1e-2)


_CASES: dict[str, tuple[str, Callable[[], Any]]] = {
    "mirrored": ("32 normal pairs: an error as large as the gradient", _mirrored),
    "one-sided": ("one-sided with a leave-one-out baseline", _one_sided),
    "signs": ("32 pairs of signs", _signs),
    "central": ("a central difference, truncated", _central),
    "forward": ("a forward difference, truncated", _forward),
    "fourth-order": ("a difference of fourth order", _fourth),
}


def cases() -> Iterator[Case]:
    """Methods that declare what they are."""
    for name, (what, make) in _CASES.items():
        yield correct(f"awkward-method:{name}", what, _asked(make))


def _asked(make: Callable[[], Any]) -> Callable[[], MethodQuestion]:
    return lambda: MethodQuestion(make(), 0.0)
