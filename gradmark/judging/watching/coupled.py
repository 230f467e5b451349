"""What of an estimate is bias, with the noise taken out: the same weights, given the exact slopes.

An estimate is sum of u_k d_k over lines d_k. With the exact slopes d_k . g in the place of the losses the
same weights give g_hat*, whose only error is that of sampling; and both errors are the same, so that

    g_hat - g_hat* = sum of w_k d_k

is what the finite moves add: sigma^2/6 D^3 f [e, e, e] e for mirrored moves, and one call is enough to see
it. One-sided moves add sigma/2 e^T H e as well, of mean zero; so the judge evaluates the mirror images
himself, and takes half of both.
"""

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import numpy as np

from gradmark.arrays import to_numpy
from gradmark.judging.hearing import Hearing
from gradmark.judging.places.references import reference_at
from gradmark.judging.places.sites import Site
from gradmark.judging.watching.seeing import Seen, see
from gradmark.judging.watching.watched import flat, watched
from gradmark.parameters import ravel
from gradmark.population import losses


@dataclass(frozen=True)
class Coupled:
    """w_k in `coefficients` (K,) and d_k in `directions` (K, P); `rounding` bounds the 2-norm of what
    rounding adds to the difference.
    """

    coefficients: Any
    directions: Any
    rounding: float

    @property
    def difference(self) -> Any:
        """g_hat - g_hat*, shape (P,)."""
        return self.coefficients @ self.directions

    def shares(self, direction: Any) -> Any:
        """What each line says of <g_hat - g_hat*, direction> / |direction|^2: numbers with that as mean."""
        count = len(self.coefficients)
        return count * self.coefficients * (self.directions @ direction) / float(direction @ direction)


def coupled(seen: Seen, gradient: Any) -> Coupled:
    """The difference for one watched call, `gradient` (P,) being exact."""
    found = seen.weights
    lines = found.lines
    directions = np.asarray(lines.directions, dtype=np.float64)
    number = lines.ahead.sum(axis=1) + lines.behind.sum(axis=1)
    exact = found.slope * _less_baseline(number * (directions @ gradient), number, found.baseline)
    own = found.weights
    if not lines.behind.any() and not seen.queries.slopes:
        own = (own - _mirrored(seen, directions, number)) / 2
    return Coupled(own - exact, directions, float(np.linalg.norm(found.residual_bound)))


def with_sigma(hearing: Hearing, sigma: float) -> Hearing | None:
    """The hearing of the same method with another sigma; None where no hyper-parameter is its sigma."""
    method: Any = hearing.method
    names = [each.name for each in fields(method)] if is_dataclass(method) else []
    declared = method.claims.target.sigma
    same = [name for name in names if declared is not None and getattr(method, name) == declared]
    chosen = "sigma" if "sigma" in names else next(iter(same), None)
    if chosen is None:
        return None
    other = replace(method, **{chosen: sigma})
    return replace(hearing, method=other) if other.claims.target.sigma in (None, sigma) else None


def calls(hearing: Hearing, seed: int, number: int) -> list[Seen]:
    """So many watched calls with neighbouring seeds. Raises `Hidden` and `MethodError`."""
    watching = watched(hearing)
    return [see(watching, seed + each) for each in range(number)]


def shares_of(hearing: Hearing, seed: int, number: int, gradient: Any, bias: Any) -> tuple[Any, float]:
    """What each direction of `number` calls adds along `bias`, in units of it, and their evaluations."""
    seen = calls(hearing, seed, number)
    shares = np.concatenate([coupled(each, gradient).shares(bias) for each in seen])
    return shares, sum(each.queries.answer.work.evaluations for each in seen)


def smallest_sigma(hearing: Hearing) -> float:
    """The declared sigma, or where rounding would hide the bias a larger one.

    At sigma = epsilon^(1/5) the bias is about sigma^2 = epsilon^(2/5), and rounding epsilon / sigma =
    epsilon^(4/5).
    """
    declared = hearing.method.claims.target.sigma or 0.0
    return float(max(declared, hearing.problem.arrays.epsilon ** (1 / 5)))


def exact_gradient(hearing: Hearing) -> Any:
    """The gradient (P,) by the closed form, or by a reference that may judge the method.

    Raises `NoReference` where there is none.
    """
    problem = hearing.problem
    point, draw = problem.parameters, problem.default_draw
    if problem.closed_form is not None:
        return np.asarray(flat(problem.closed_form(point, draw)), dtype=np.float64)
    reference = reference_at(problem, Site("as built", point, draw), hearing.method.claims.reads)
    return np.asarray(flat({name: reference.gradient[name] for name in point}), dtype=np.float64)


def _mirrored(seen: Seen, directions: Any, number: Any) -> Any:
    """The weights that the same method would give to the losses behind the point."""
    problem, found = seen.watched.hearing.problem, seen.weights
    x, unravel = ravel({name: to_numpy(array) for name, array in problem.parameters.items()})
    named = {name: problem.arrays.array(numbers) for name, numbers in unravel(x - directions).items()}
    behind = to_numpy(losses(problem, named, problem.parameters, problem.default_draw))
    sums = number * np.asarray(seen.watched.lowered()(behind), dtype=np.float64)
    seen.watched.recording.clear()
    if found.baseline == "the loss at the point":
        return found.slope * (sums - number * seen.queries.level)
    return found.slope * _less_baseline(sums, number, found.baseline)


def _less_baseline(sums: Any, number: Any, baseline: str) -> Any:
    """Sums over the moves of each line, less the mean over all moves where that is the baseline."""
    return sums - number * sums.sum() / number.sum() if baseline == "the mean loss" else sums
