"""Functions that choose between arrays number by number: the derivative is that of what is chosen."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from methods.forward.dual_numbers.level import Level
from methods.forward.dual_numbers.rules import UFUNCS, plain, rule


@rule(np.where)
def where(condition: Any, *branches: Any) -> Any:
    """y = a where the condition holds, else b; of a condition alone the indices."""
    condition = plain(condition)
    if not any(hasattr(x, "tangents") for x in branches):
        return np.where(condition, *branches)
    level = Level(branches)
    y = np.where(condition, *map(level.value, branches))
    a, b = branches
    return level.dual(y, _chosen(level, condition, a, b, y.ndim))


def _chosen(level: Level, condition: Any, a: Any, b: Any, ndim: int) -> Any:
    """Tangents of what is chosen; a branch that does not move has the number 0."""
    tangents = [level.lifted(x, ndim) if level.moves(x) else 0 for x in (a, b)]
    return np.where(condition, *tangents)


def _extreme(first_wins: Callable[[Any, Any, Level], Any]) -> Callable[..., Any]:
    def chosen(ufunc: Any, a: Any, b: Any, **options: Any) -> Any:
        level = Level((a, b))
        y = ufunc(level.value(a), level.value(b), **options)
        return level.dual(y, _chosen(level, first_wins(a, b, level), a, b, y.ndim))

    return chosen


def _larger_first(a: Any, b: Any, level: Level) -> Any:
    """Where both are equal, what does not move is taken: max(x, c) is c to the left of c."""
    return plain(a) > plain(b) if level.moves(a) else plain(a) >= plain(b)


def _smaller_first(a: Any, b: Any, level: Level) -> Any:
    """Where both are equal, what moves is taken: min(x, c) is x to the left of c."""
    return plain(a) <= plain(b) if level.moves(a) else plain(a) < plain(b)


UFUNCS.update({name: _extreme(_larger_first) for name in ("maximum", "fmax")})
UFUNCS.update({name: _extreme(_smaller_first) for name in ("minimum", "fmin")})


@rule(np.clip)
def clip(
    a: Any, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None, casting: Any = None
) -> Any:
    """min(max(x, low), high)."""
    low, high = a_min if a_min is not None else min, a_max if a_max is not None else max
    x = a if low is None else np.maximum(a, low)
    return x if high is None else np.minimum(x, high)


@rule(np.select)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """The first choice whose condition holds."""
    y = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        y = np.where(plain(condition), choice, y)
    return y
