"""How a probability of a false alarm is spent: over parts, and over looks whose number is not known
beforehand."""


def share(alpha: float, parts: int) -> float:
    """An equal share of `alpha` for each of `parts` tests (Bonferroni).

    >>> share(0.25, 5)
    0.05
    """
    return alpha / max(parts, 1)


def at_look(alpha: float, look: int) -> float:
    """What the look number `look` (1, 2, ...) may spend: alpha / (k (k + 1)), which add up to alpha.

    >>> round(sum(at_look(0.01, look) for look in range(1, 10_000)), 5)
    0.01
    """
    return alpha / (look * (look + 1))


def anytime(p_values: list[float]) -> float:
    """One p-value of looks 1, 2, ...: min over looks of p k (k + 1), at most 1; it is at most uniform.

    It is below alpha exactly if some look is below what it may spend of alpha.

    >>> anytime([0.3, 0.01])
    0.06
    """
    return min(1.0, *(value * look * (look + 1) for look, value in enumerate(p_values, start=1)))
