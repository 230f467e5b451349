"""Whether a random method is bound to a problem's structure alone, and not to the numbers it was built with.

Deterministic methods are compared with a reference at several points, and need not be asked.
"""

import copy
from dataclasses import is_dataclass, replace
from typing import Any

from gradmark.draw import Draw
from gradmark.judging.contracts.part import differing, fresh, listed, said, verdict_on
from gradmark.judging.hearing import Hearing, MethodError
from gradmark.judging.places.sites import Site
from gradmark.judging.process import watch
from gradmark.judging.verdict import Finding
from gradmark.measuring.norms import norm
from gradmark.parameters import Parameters
from gradmark.whole import prepared_whole


def rebound(hearing: Hearing, elsewhere: Site) -> Finding:
    """The same seed elsewhere gives what the method gives there when it is prepared there.

    Both calls do the same arithmetic, so that more than half of the digits are the same.
    """
    if not hearing.method.claims.stochastic:
        return said(hearing, "rebound", "skipped", "its answers elsewhere are compared with a reference.")
    site = fresh(hearing, elsewhere)
    here = hearing.call(site.parameters, hearing.seed, site.draw)
    problem = _built_at(hearing.problem, site.parameters, site.draw)
    try:
        with watch.calling(hearing.where):
            prepared = prepared_whole(hearing.method, problem)
    except Exception as error:  # a method may raise anything
        raise MethodError(error, hearing.where, hearing.dtype) from error
    there = hearing.call(site.parameters, hearing.seed, None, prepared=prepared)
    root, one, other = hearing.problem.arrays.epsilon**0.5, here.gradient, there.gradient
    names = [each for each in differing(one, other) if not _near(one.get(each), other.get(each), root)]
    fault = (
        f"prepared at another point, it gives another {listed(names)} there: it uses parameters or a draw "
        "that it was prepared with, instead of those it is given."
    )
    kept = "it uses the parameters and the draw that it is given, wherever it was prepared."
    return verdict_on(hearing, "rebound", fault if names else None, kept, here, there)


def _near(one: Any, other: Any, root: float) -> bool:
    if one is None or other is None or one.shape != other.shape:
        return False
    return bool(norm(one - other) <= root * norm(one))


def _built_at(problem: Any, parameters: Parameters, draw: Draw) -> Any:
    """The problem as if it had been built with these parameters and this draw."""
    numbers = {"parameters": dict(parameters), "default_draw": draw}
    if is_dataclass(problem) and not isinstance(problem, type):
        return replace(problem, **numbers)
    other = copy.copy(problem)
    for name, value in numbers.items():
        setattr(other, name, value)
    return other
