"""Who still takes part in a round, when a budget of seconds is shared between functions of unequal cost."""

from collections.abc import Mapping


def affordable(costs: Mapping[str, float], rounds: int, budget: float) -> set[str]:
    """The functions whose next sample fits into their share of `budget` seconds.

    `costs` are seconds a sample, `rounds` how many samples each still wants. Shares are max-min fair (water
    filling): cheap functions get all they want, and what they leave is divided equally between the dear ones.
    Where the dearest does not fit, the others share the budget without it.

    >>> sorted(affordable({"loss": 0.01, "reverse": 0.5, "differences": 60.0}, rounds=10, budget=20.0))
    ['loss', 'reverse']
    """
    names = sorted(costs, key=lambda name: costs[name])
    while names and not _dearest_fits([costs[name] for name in names], rounds, budget):
        names.pop()
    return set(names)


def _dearest_fits(costs: list[float], rounds: int, budget: float) -> bool:
    """Whether the last of ascending `costs` fits into what the others leave; then so do the others."""
    left = budget
    for place, cost in enumerate(costs[:-1]):
        share = left / (len(costs) - place)
        left -= cost * min(share // cost, rounds)
    return left >= costs[-1]
