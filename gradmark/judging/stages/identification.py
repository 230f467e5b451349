"""Identification: from one call of 64 evaluations, what weights a random method has and what they mean.

For methods whose queries can be seen: those that read the loss alone, or that push tangents through layers.
A wrong scale of one percent, for which estimates alone take half a million evaluations, is seen at once, and
so are estimates that weight other moves than were made (`gradmark.judging.watching.identifying`).
"""

from collections.abc import Iterator, Sequence

from gradmark.claims import Claims, Unbiased
from gradmark.judging.hearing import Hearing
from gradmark.judging.verdict import Finding
from gradmark.judging.watching.identifying import checks, fresh
from gradmark.judging.watching.seeing import see
from gradmark.judging.watching.watched import Hidden, watched
from gradmark.random import generator

NAME = "identification"


def applies(claims: Claims) -> str | None:
    """Methods that claim to be unbiased."""
    return None if isinstance(claims.exactness, Unbiased) else "it claims no mean over seeds"


def examine(hearings: Sequence[Hearing]) -> Iterator[Finding]:
    """Findings for each problem on which the queries can be seen."""
    for hearing in hearings:
        yield from identified(hearing)


def identified(hearing: Hearing) -> Iterator[Finding]:
    """The findings on one problem, up to the first that fails: two calls, three more where weights mix."""
    seed = int(generator(hearing.seed, "judge").integers(2**30))
    try:
        watching = watched(hearing)
        seen = see(watching, seed)
        for found in checks(seen, NAME):
            yield found
            if found.status == "failed":
                return
        yield fresh(seen, see(watching, seed + 1), NAME)
    except Hidden as error:
        yield Finding(NAME, "skipped", f"{error}.", where=hearing.where, dtype=hearing.dtype)
