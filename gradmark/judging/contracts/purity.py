"""What a call leaves behind, and what it depends on: nothing but its arguments."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradmark.claims import Unbiased
from gradmark.judging.contracts.part import bits, differing, fresh, listed, verdict_on
from gradmark.judging.hearing import Answer, Hearing
from gradmark.judging.places.sites import Site
from gradmark.judging.verdict import Finding
from gradmark.measuring.norms import norm
from gradmark.problem import at_draw

_SEEDS = 3
"""Other seeds: a random method that gives the same answer for all of them is not random."""
_SPREAD = 64.0
"""Epsilons of the norm by which repeats may differ on an accelerator, whose sums have no fixed order."""


def unchanged(hearing: Hearing, site: Site) -> tuple[Answer, Finding]:
    """The first answer, and whether parameters and draw are as they were, to the bit."""
    given, problem = fresh(hearing, site), hearing.problem
    watched: dict[str, Mapping[str, Any]] = {
        "the parameters it is given": given.parameters,
        "the draw it is given": given.draw.arrays,
        "the problem's own parameters": problem.parameters,
        "the problem's own draw": problem.default_draw.arrays,
    }
    before = {what: bits(named) for what, named in watched.items()}
    answer = hearing.call(given.parameters, hearing.seed, given.draw)
    changed = {
        what: [name for name, stored in bits(named).items() if stored != before[what][name]]
        for what, named in watched.items()
    }
    faults = [f"{what} ({listed(names)})" for what, names in changed.items() if names]
    fault = f"it changes {' and '.join(faults)}." if faults else None
    kept = "parameters and draw are as they were, to the bit."
    return answer, verdict_on(hearing, "unchanged", fault, kept, answer)


def repeatable(hearing: Hearing, first: Answer, here: Site, elsewhere: Site) -> Finding:
    """The same arguments, the same answer: at once, and after a call elsewhere."""
    again = _call(hearing, here)
    between = _call(hearing, elsewhere)
    last = _call(hearing, here)
    fault = None
    if names := _changed(hearing, first, again):
        fault = f"two calls with the same arguments and seed differ, in {listed(names)}."
    elif names := _changed(hearing, first, last):
        fault = f"after a call at another point it gives another {listed(names)} here: it keeps hidden state."
    kept = "the same arguments give the same answer, at once and after a call elsewhere."
    return verdict_on(hearing, "repeatable", fault, kept, again, between, last)


def seeded(hearing: Hearing, first: Answer, site: Site) -> Finding:
    """Another seed gives another answer if, and only if, the method claims to be random here.

    A variance that is declared for this point may be zero.
    """
    others = [_call(hearing, site, hearing.seed + 1 + number) for number in range(_SEEDS)]
    changed = [_changed(hearing, first, other) for other in others]
    random, fault = hearing.method.claims.stochastic, None
    same = not any(changed) and any(np.any(array) for array in first.gradient.values())
    if random and same and _varies(hearing, first, site):
        fault = f"it claims to be random, and {1 + _SEEDS} seeds give the same answer."
    if not random and any(changed):
        names = next(names for names in changed if names)
        fault = f"another seed gives another {listed(names)}, and it does not claim to be random."
    kept = "another seed gives another answer." if random and not same else "the seed changes nothing."
    return verdict_on(hearing, "seed", fault, kept, *others)


def purity(hearing: Hearing, first: Answer, here: Site, elsewhere: Site) -> Iterator[Finding]:
    """repeatable and seed."""
    yield repeatable(hearing, first, here, elsewhere)
    yield seeded(hearing, first, here)


def _varies(hearing: Hearing, first: Answer, site: Site) -> bool:
    """Whether the method declares no variance of zero here."""
    claimed = hearing.method.claims.exactness
    if not isinstance(claimed, Unbiased) or claimed.factor_at is None:
        return True
    here = at_draw(hearing.problem, site.draw, site.parameters)
    return claimed.factor(here, {name: first.gradient[name] for name in site.parameters}) != 0


def _call(hearing: Hearing, site: Site, seed: int | None = None) -> Answer:
    given = fresh(hearing, site)
    return hearing.call(given.parameters, hearing.seed if seed is None else seed, given.draw)


def _changed(hearing: Hearing, one: Answer, other: Answer) -> list[str]:
    """The arrays that differ: to the bit on a CPU, else by more than an accelerator's order of summing."""
    names = differing(one.gradient, other.gradient)
    if hearing.problem.arrays.device == "cpu":
        return names
    spread = _SPREAD * hearing.problem.arrays.epsilon
    return [
        name
        for name in names
        if not norm(one.gradient[name] - other.gradient[name]) <= spread * norm(one.gradient[name])
    ]
