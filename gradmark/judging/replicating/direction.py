"""A method that claims a direction only: does its mean have a positive cosine with the gradient?"""

from collections.abc import Callable
from typing import Any

from gradmark.judging.replicating.declaration import Declaration
from gradmark.judging.replicating.replicates import Replicates, Sample
from gradmark.judging.verdict import Status
from gradmark.measuring.equivalence import FALSE_PASS
from gradmark.measuring.skew_corrected import FEWEST, RESERVE, mean_test
from gradmark.measuring.spending import anytime, at_look

_LOOKS = tuple(FEWEST * 2**k for k in range(7))


def shown_uphill(
    sample: Sample, gradient: Any, alpha: float, may_go_on: Callable[[], bool]
) -> tuple[Status, str, float | None]:
    """Status, reason and the p-value of "it is not downhill" (at most uniform over all looks).

    failed: the mean of <g_hat, g> is below zero, or all are zero; passed: it is shown to be above, with the
    false-pass probability shared over the looks; undecided: neither could be told.
    """
    found, past, p_value = Replicates(Declaration(gradient)), list[float](), None
    for look, until in enumerate(_LOOKS, start=1):
        found.extend(sample, until, may_go_on)
        if found.count < FEWEST:
            break
        tested = mean_test(found.column("scale"))
        past.append(tested.low)
        p_value = anytime(past)
        along = f"the mean of <g_hat, g>/|g|^2 is {tested.mean:.3g} +- {tested.error:.2g}"
        if p_value * RESERVE <= alpha:
            return "failed", f"on average it points away from the gradient: {along}.", p_value
        if tested.error == 0 and tested.mean == 0:
            return "failed", "it never points along the gradient: <g_hat, g> is always zero.", 0.0
        if tested.high * RESERVE <= at_look(FALSE_PASS, look):
            return "passed", f"on average it points along the gradient: {along}.", p_value
        if not may_go_on():
            break
    reason = f"{found.count} estimates do not tell whether it points along the gradient."
    return "undecided", reason, p_value
