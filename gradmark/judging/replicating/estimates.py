"""Estimates of one gradient with seeds of their own, and what their method declares of them."""

import math
import zlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.claims import Target, Unbiased
from gradmark.errors import UsageError
from gradmark.judging.clock import OutOfTime
from gradmark.judging.hearing import Hearing, MethodError
from gradmark.judging.places.references import reference_at
from gradmark.judging.places.sites import Site
from gradmark.judging.process import watch
from gradmark.judging.replicating.declaration import Declaration
from gradmark.judging.replicating.polynomial_degree import polynomial_degree
from gradmark.judging.watching.coupled import with_sigma
from gradmark.measuring.chi_square import degrees_of_freedom
from gradmark.method import Method
from gradmark.noise_laws import noise_law
from gradmark.problem import Problem, at_draw
from gradmark.random import generator
from gradmark.reference import NoReference
from gradmark.whole import prepared_whole

_SEEDS = 2**30
_CURVED = 2
"""Up to this degree the gradient of the smoothed loss is the gradient: noise has mean zero."""


class NoTarget(Exception):
    """What a method aims at is not known on this problem; the message says why."""


class Estimates:
    """A method's estimates at one site, as vectors: number k with the seed `first` + k.

    Seeds follow each other, as a person's do: a method whose neighbouring seeds share noise is found out.
    Each problem and `stream` has other ones.
    `evaluations` and `calls` count what was used. Raises `MethodError` for what the method raises.
    """

    def __init__(self, hearing: Hearing, site: Site, method: Method, stream: int = 0) -> None:
        self._hearing, self._site = hearing, site
        self._prepared = hearing.prepared if method is hearing.method else _prepared(hearing, method)
        place = zlib.crc32(hearing.where.encode())
        self.first = int(generator(hearing.seed, "judge", 29, place, stream).integers(_SEEDS))
        self.evaluations, self.calls = 0.0, 0

    def __call__(self, number: int) -> Any:
        """The estimate of that number, float64 of shape (P,)."""
        seed, site = self.first + number, self._site
        answer = self._hearing.call(site.parameters, seed, site.draw, prepared=self._prepared)
        self.evaluations += answer.work.evaluations
        self.calls += 1
        return flat({name: answer.gradient[name] for name in site.parameters})


def with_samples(hearing: Hearing, site: Site, samples: int) -> Method:
    """The method with that many samples in an estimate; as it is where it does not take the number.

    Where nothing is known of the law of its moves, they are made so small that it aims at the gradient.
    """
    claimed = hearing.method.claims.exactness
    if not isinstance(claimed, Unbiased):
        return hearing.method
    try:
        changed: Any = replace(hearing.method, **{claimed.samples: samples})  # type: ignore[type-var]
        method: Method = _with_small_moves(hearing, changed)
        with watch.calling(hearing.where):
            unfit = method.supports(hearing.problem)
        if unfit is not None:
            return hearing.method
        Estimates(hearing, site, method)(0)
    except OutOfTime:
        raise
    except Exception:  # a method may refuse a number in its own way
        return hearing.method
    return method


def _with_small_moves(hearing: Hearing, method: Method) -> Method:
    """The method with a sigma of `_least_sigma`, where it has one and its law has no moments here."""
    target = method.claims.target
    if target.kind != "smoothed gradient" or noise_law(target.law) is not None:
        return method
    small = with_sigma(replace(hearing, method=method), _least_sigma(hearing.problem))
    return method if small is None else small.method


def _least_sigma(problem: Problem) -> float:
    """eps^(1/3): moves add sigma^2, far less than `Declaration.slack` forgives, and rounding eps / sigma."""
    return float(problem.arrays.epsilon ** (1 / 3))


def samples_of(method: Method) -> float:
    """M: how many samples the method says that one of its estimates is made of; 1 where it does not say."""
    claimed = method.claims.exactness
    return float(getattr(method, claimed.samples)) if isinstance(claimed, Unbiased) else 1.0


def declaration_of(hearing: Hearing, site: Site, method: Method) -> Declaration:
    """What `method` declares of its estimates at `site`; raises `NoTarget` where the mean is not known.

    The variance is declared for a linear loss, or wherever the claim says its value at a problem. So is the
    exact law: that of normal directions, where the target names them and the declared variance is theirs at
    every size.
    """
    degree = polynomial_degree(hearing.problem, site.parameters, site.draw)
    gradient, uncertainty = _target(hearing, site, method.claims.target, degree)
    vector, claimed = flat(gradient), method.claims.exactness
    length = float(np.linalg.norm(vector))
    if length <= 2 * uncertainty:
        raise NoTarget("the gradient is zero here.")
    law, variance, degrees = noise_law(method.claims.target.law), None, None
    known = isinstance(claimed, Unbiased) and claimed.declares_variance
    if isinstance(claimed, Unbiased) and known and (degree == 1 or claimed.factor_at is not None):
        here = at_draw(hearing.problem, site.draw, site.parameters)
        samples, factor = samples_of(method), claimed.factor(here, gradient)
        variance = factor / samples
        by_size = claimed.variance_factor
        if law is not None and law.name == "gaussian" and by_size and factor == by_size(vector.size):
            degrees = degrees_of_freedom(by_size, samples)
    slack = math.sqrt(hearing.problem.arrays.epsilon) + uncertainty / length
    return Declaration(vector, slices(gradient), samples_of(method), variance, degrees, slack)


def _target(
    hearing: Hearing, site: Site, target: Target, degree: int | None
) -> tuple[Mapping[str, Any], float]:
    """The declared mean by arrays, and a bound on its own error."""
    problem = hearing.problem
    if target.kind == "mean gradient" and site.draw.arrays:
        raise NoTarget("the mean over draws is not known here.")
    if target.kind == "smoothed gradient" and not (_is_flat(degree) or _is_beside(target, problem)):
        form, law = getattr(problem, "smoothed_form", None), noise_law(target.law)
        if form is None or law is None or target.sigma is None:
            raise NoTarget(f"no formula is known for the gradient smoothed by noise ({target}).")
        try:
            smooth = form(site.parameters, site.draw, law, target.sigma)
        except UsageError as error:
            raise NoTarget(str(error)) from error
        numbers = {name: to_numpy(array) for name, array in smooth.items()}
        return numbers, problem.arrays.epsilon * float(np.linalg.norm(flat(numbers))) * len(flat(numbers))
    try:
        reference = reference_at(problem, site, hearing.method.claims.reads)
    except NoReference as error:
        raise NoTarget(str(error)) from error
    return reference.gradient, reference.total_uncertainty


def _is_flat(degree: int | None) -> bool:
    """Whether smoothing by noise changes no gradient of the loss."""
    return degree is not None and degree <= _CURVED


def _is_beside(target: Target, problem: Problem) -> bool:
    """Whether moves of an unknown law are so small that they leave the gradient of a smooth loss as it is."""
    small = target.sigma is not None and target.sigma <= _least_sigma(problem)
    return small and noise_law(target.law) is None and problem.smoothness == "smooth"


def flat(named: Mapping[str, Any]) -> Any:
    """All arrays as one vector, float64."""
    return np.concatenate([np.ravel(array) for array in named.values()]).astype(np.float64)


def slices(named: Mapping[str, Any]) -> dict[str, slice]:
    """Where each array lies in the vector; those that are zero are left out."""
    found, start = {}, 0
    for name, array in named.items():
        stop = start + np.size(array)
        if np.any(array):
            found[name] = slice(start, stop)
        start = stop
    return found


def _prepared(hearing: Hearing, method: Method) -> Any:
    try:
        with watch.calling(hearing.where):
            return prepared_whole(method, hearing.problem)
    except (Exception, SystemExit) as error:
        raise MethodError(error, hearing.where, hearing.dtype) from error
