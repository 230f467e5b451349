"""All the studies with a page of their own, and the plans of those of one kind alone."""

from typing import Literal

from gradmark.run.plan import Comparison
from problems.studies import (
    differences,
    evolution,
    jacobians,
    memory,
    parallel,
    precision,
    structure,
    variance,
)

_OF_REVERSE = (memory, precision, parallel)
_OF_FORWARD = (differences, structure, jacobians, variance)
_OF_EVOLUTION = (evolution,)


def reverse() -> list[Comparison]:
    """The pages on memory, precision and parallel work alone: some minutes."""
    return [each for study in _OF_REVERSE for each in study.full()]


def forward() -> list[Comparison]:
    """The pages on differences, structure, Jacobians and variance alone: some ten minutes."""
    return [each for study in _OF_FORWARD for each in study.full()]


def strategies() -> list[Comparison]:
    """The page on evolution strategies alone: some ten minutes."""
    return [each for study in _OF_EVOLUTION for each in study.full()]


def every(size: Literal["quick", "full"]) -> list[Comparison]:
    """Those of all studies."""
    return [each for study in (*_OF_REVERSE, *_OF_FORWARD, *_OF_EVOLUTION) for each in getattr(study, size)()]
