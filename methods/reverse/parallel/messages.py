"""What a worker is told, beside pickled programs."""

from typing import NamedTuple

from methods.reverse.parallel.region import Place


class Hello(NamedTuple):
    """The first message: who the worker is, where to find the others, and who started it."""

    rank: int
    workers: int
    backend: str
    store: str
    states: str
    parent: int


class Sheet(NamedTuple):
    """Where the arrays of the calls to come are: all in one region."""

    path: str
    parameters: dict[str, Place]
    draw: dict[str, Place]
    out: Place
