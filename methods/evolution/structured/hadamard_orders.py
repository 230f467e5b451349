"""Hadamard matrices of many orders, some rows at a time: Paley's, doubled as Sylvester does.

H of order n has entries +1 and -1, and H H^T = n I. Paley's has n = q + 1, divisible by 4, for a prime q:

    H = I + [[0, 1^T], [-1, Q]],   Q_ij = +1 where i - j is a square modulo q, -1 where it is none, 0 if i = j

(Paley, "On orthogonal matrices", 1933), and [[H, H], [H, -H]] has twice its order. Powers of two are
doublings of the order 1. From U = 300 on the next order is at most 4 % above U, and 1 % on average; the next
power of two may be twice as large.
"""

from functools import lru_cache
from itertools import count
from typing import Any

import numpy as np

from methods.evolution.hadamard import hadamard


@lru_cache(maxsize=256)
def order_from(size: int) -> int:
    """The least order known here that is not below `size`."""
    return next(n for n in count(max(1, size)) if _paley_order(n) is not None)


def rows_of(indices: Any, order: int) -> Any:
    """Rows `indices` of H of this order, from `order_from`: (len(indices), order), float64."""
    paley = _paley_order(order)
    assert paley is not None
    outer, inner = hadamard(indices // paley, order // paley), _paley(indices % paley, paley)
    return (outer[:, :, None] * inner[:, None, :]).reshape(len(indices), order)


def _paley(indices: Any, order: int) -> Any:
    if order == 1:
        return np.ones((len(indices), 1))
    # What stands before each row is -1, and the first row is of ones.
    signs, q = _squares(order - 1), order - 1
    rows = np.full((len(indices), order), -1.0)
    rows[:, 1:] = signs[(indices[:, None] - 1 - np.arange(q)) % q]
    rows[indices == 0] = 1.0
    return rows


@lru_cache(maxsize=8)
def _squares(q: int) -> Any:
    """+1 for 0, where I is added, and for squares modulo q; -1 elsewhere."""
    signs = np.full(q, -1.0)
    signs[np.arange(q) ** 2 % q] = 1.0
    return signs


@lru_cache(maxsize=4096)
def _paley_order(order: int) -> int | None:
    """The order of Paley's matrix, or 1, that doublings make this order of; None where there is none."""
    if order % 4 == 0 and _is_prime(order - 1):
        return order
    if order == 1:
        return 1
    return _paley_order(order // 2) if order % 2 == 0 else None


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % each for each in range(2, int(number**0.5) + 1))
