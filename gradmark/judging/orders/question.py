"""What a measured order says about the declared one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from gradmark.judging.orders.fit import Order, fit_order
from gradmark.judging.orders.ladder import TOTAL, Errors

Answer = Literal["agrees", "lower", "higher", "unclear"]
_MARGIN = 0.05
"""How far an interval may end from the declared order and still hold it: what the next orders of the series
leave in a slope over two decades (a finite difference keeps its 1, 2 or 4 to +- .05)."""
_HALFWAY = 0.25
"""Orders differ by one, and those of odd designs by a half: what is farther away than half of that is another
order, and an interval that reaches farther cannot tell."""
_FAR_LESS = 0.1
"""The judge's own difference has no part in an error ten times as large as its own."""


@dataclass(frozen=True)
class Suspect:
    """An order that is not the declared one, of one array (`TOTAL`: of all)."""

    array: str
    order: Order
    answer: Answer


def compare_order(order: Order | None, declared: float) -> Answer:
    """A fitted order against the declared one.

    It agrees when its interval, +- `_MARGIN`, holds the declared order and is narrower than +- `_HALFWAY`;
    it is lower or higher when the interval lies wholly beside it and the value by more than `_HALFWAY`.
    """
    if order is None:
        return "unclear"
    away = order.value - declared
    if order.high + _MARGIN < declared and away < -_HALFWAY:
        return "lower"
    if order.low - _MARGIN > declared and away > _HALFWAY:
        return "higher"
    inside = order.low - _MARGIN <= declared <= order.high + _MARGIN
    return "agrees" if inside and order.high - order.low <= 2 * _HALFWAY else "unclear"


def orders(errors: Errors) -> dict[str, Order | None]:
    """The order of each array's error, and of the whole under `TOTAL`."""
    return {name: fit_order(errors.steps, errors.errors[name], errors.noises[name]) for name in errors.errors}


def suspect(found: Mapping[str, Order | None], declared: float) -> Suspect | None:
    """The array of the lowest order, where one is lower than declared; all arrays, where they are higher.

    One array may well show a higher order: its leading term may vanish.
    """
    low = {name: order for name, order in found.items() if compare_order(order, declared) == "lower"}
    if low:
        name = min(low, key=lambda each: getattr(low[each], "value", declared))
        order = low[name]
        assert order is not None
        return Suspect(name, order, "lower")
    whole = found[TOTAL]
    if whole is not None and compare_order(whole, declared) == "higher":
        return Suspect(TOTAL, whole, "higher")
    return None


def confirmed(suspicion: Suspect, control: Errors, declared: float) -> bool:
    """Whether the judge's own difference, at the same steps, shows that it is the method and not the problem.

    A method of higher order is told by a control that has the declared one. For one of lower order the
    control must not be lower itself, or have far less error at the finest of the steps.
    """
    name, steps = suspicion.array, suspicion.order.steps
    own = fit_order(control.steps, control.errors[name], control.noises[name])
    if suspicion.answer == "higher":
        return compare_order(own, declared) == "agrees"
    finest = dict(zip(control.steps, control.errors[name], strict=True))[steps[0]]
    if finest < _FAR_LESS * suspicion.order.errors[0]:
        return True
    return compare_order(own, declared) in ("agrees", "higher")
