"""Work that no count shows: a method that takes far longer than the passes which it states.

At small sizes a pass is mostly fixed cost, so that P hidden passes take a time that looks linear. Beside the
time of one plain loss they do not hide: the time per stated pass grows with P.
"""

import math

from gradmark.judging.verdict import Evidence, Finding

CHECK = "cost.hidden"
FAR = 50.0
"""Losses' worth of time for each stated pass. A pullback is two, noise for a population some ten beside a
batch of 32 rows; a loop over P coordinates is P."""
_HALF = 0.5
"""The power of P by which it must grow besides: what is large and stays so is a slow method, not a loop."""


def judged(sizes: list[float], ratios: list[list[float]], allowed: float) -> Finding:
    """Whether the time per stated pass, in plain losses, betrays a hidden loop.

    `ratios` holds, for each measurement, the ratio at each of `sizes`; `allowed` is the power of P by which
    the claims let it grow. Failed where every measurement ends above `FAR` and grows by more than `allowed`
    plus a half.
    """
    powers = [math.log(each[-1] / each[0]) / math.log(sizes[-1] / sizes[0]) for each in ratios]
    last = min(each[-1] for each in ratios)
    if last > FAR and min(powers) > allowed + _HALF:
        reason = (
            f"a stated pass takes as long as {last:.0f} losses at P={sizes[-1]:g} and grows with "
            f"P^{min(powers):.2f}: it does work that it does not state."
        )
        evidence = Evidence("time of a stated pass over that of a loss", found=last, expected=1.0)
        return Finding(CHECK, "failed", reason, evidence=evidence)
    return Finding(CHECK, "passed", f"a stated pass takes as long as {last:.2g} losses at P={sizes[-1]:g}.")


def suspicious(sizes: list[float], ratios: list[float], allowed: float) -> bool:
    """Whether one measurement gives reason for another."""
    return judged(sizes, [ratios], allowed).status == "failed"
