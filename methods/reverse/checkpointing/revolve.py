"""The binomial schedule for a given number of stored states (Griewank 1992; Griewank and Walther 2000).

With s stored states, of which the data are the first, and each step run forward at most r times before it is
reversed, l steps can be reversed if l <= C(s + r, s). The least number of forward steps, beside the one with
which each reversal begins, is then

    t(l, s) = r l - C(s + r, r - 1)      for C(s + r - 1, s) < l <= C(s + r, s),

all steps being taken to cost the same and all states to be of one size (ACM TOMS 26, Algorithm 799: revolve).
r is the repetition number.
"""

from math import comb

from methods.reverse.checkpointing.actions import Action, Advance, Restore, Reverse, Store


def repetition(steps: int, states: int) -> int:
    """r: how often a step is run forward at most, before the run with which its reversal begins.

    >>> repetition(21, 5), repetition(22, 5)
    (2, 3)
    """
    times = 0
    while comb(states + times, states) < steps:
        times += 1
    return times


def advances(steps: int, states: int) -> int:
    """t(l, s): the least number of forward steps, beside those with which reversals begin.

    >>> advances(50, 5)
    122
    """
    times = repetition(steps, states)
    return times * steps - comb(states + times, times - 1) if times else 0


def advance_by(steps: int, states: int) -> int:
    """How far to go before the next state is stored: m with t(l, s) = m + t(m, s) + t(l - m, s - 1).

    It is any m for which the left part can be reversed with r - 1 repetitions and the right one, with a state
    less, with r, neither being so short that fewer would do; the largest of them is taken.
    """
    left = repetition(steps, states) - 1
    return min(comb(states + left, states), steps - comb(states - 1 + left, states - 1))


def revolve(steps: int, states: int) -> list[Action]:
    """The schedule for `steps` steps with at most `states` states stored at once, the data among them.

    >>> revolve(3, 2)  # doctest: +NORMALIZE_WHITESPACE
    [Advance(start=0, stop=1), Store(state=1), Advance(start=1, stop=2), Reverse(start=2, stop=3),
     Restore(state=1), Reverse(start=1, stop=2), Restore(state=0), Reverse(start=0, stop=1)]
    """
    schedule: list[Action] = []
    pending, present = [(0, steps, min(states, steps))], 0
    while pending:
        start, length, free = pending.pop()
        if present != start:
            schedule.append(Restore(start))
        if length == 1:
            schedule.append(Reverse(start, start + 1))
            present = -1
            continue
        distance = advance_by(length, free)
        present = start + distance
        schedule.append(Advance(start, present))
        if length - distance > 1:
            schedule.append(Store(present))
        pending += [(start, distance, free), (present, length - distance, free - 1)]
    return schedule
