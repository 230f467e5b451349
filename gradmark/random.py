"""Random numbers: one case seed, and a stream of its own for each role.

Numbers are drawn by NumPy in float64, whatever the case's backend and dtype, and rounded once. So every
backend sees the same numbers, and weights and search noise are never the same numbers.
"""

from typing import Literal, get_args

import numpy as np

from gradmark.errors import UsageError, shown

Role = Literal["weights", "data", "draw", "noise", "judge", "bootstrap", "mask", "direction", "subspace"]
_ROLES = get_args(Role)


def generator(seed: int, role: Role, *more: int) -> np.random.Generator:
    """The generator of one `role` of a case: ``default_rng([seed, role, *more])``, roles counted from 1.

    `more` are further non-negative integers, such as the index of a repetition. Raises `UsageError` for a
    seed that is not an integer of at least 0.

    >>> generator(3, "noise").normal() == generator(3, "noise").normal()
    True
    >>> generator(3, "noise").normal() == generator(3, "weights").normal()
    False
    """
    return np.random.default_rng(_key(seed, role, more))


def stream(seed: int, role: Role, *more: int) -> np.random.Generator:
    """The same, of the fastest bits there are (SFC64): for noise, of which there is much."""
    return np.random.Generator(np.random.SFC64(_key(seed, role, more)))


def check_seed(seed: int) -> None:
    """Raise `UsageError` for a seed that is not an integer of at least 0."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(f"`seed={shown(seed)}` must be an integer of at least 0.")


def _key(seed: int, role: Role, more: tuple[int, ...]) -> list[int]:
    check_seed(seed)
    # Zeros at the end of a seed sequence change nothing: [seed, 0] is [seed], so nothing counts from 0.
    return [int(seed), 1 + _ROLES.index(role), *(1 + each for each in more)]
