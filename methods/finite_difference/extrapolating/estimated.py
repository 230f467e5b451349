"""What methods share that know their own error: each array's slopes with an estimate for each coordinate."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradmark.claims import Claims, Estimated, Growth
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters, detached, finished
from gradmark.problem import Problem
from gradmark.work import counting
from methods.finite_difference.evaluating.coordinates import coordinate_losses
from methods.finite_difference.evaluating.probing import Probe, noise_of, on_host
from methods.finite_difference.extrapolating.ladder import check_found, error_norm

Slopes = Callable[[Probe, Any, Any], tuple[Any, Any]]
"""``slopes(probe, centre, noise)``: those of one array's coordinates, flat on the host, and their errors."""


def estimated_claims() -> Claims:
    """Within its own estimate, from losses alone; how many it takes depends on them."""
    return Claims(
        family="finite-difference",
        exactness=Estimated(),
        reads=frozenset({"loss"}),
        growth=Growth(passes=1, time={"parameters": 2, "batch": 1, "depth": 2}, memory={"parameters": 1}),
    )


def prepare_estimated(problem: Problem, slopes_of: Slopes, nowhere: str) -> Prepared:
    """The prepared function; `nowhere` is what is said where a slope is not found."""
    arrays, losses_at = problem.arrays, coordinate_losses(problem)

    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        draw, point, result, errors = draw or problem.default_draw, detached(parameters), {}, []
        with counting() as work:
            value = problem.loss(point, draw)
            centre, noise = on_host(arrays, value)[0], noise_of(problem, point, draw, value)
            for name, x in point.items():
                slopes, error = slopes_of(Probe(problem, losses_at, point, draw, name), centre, noise)
                check_found(name, centre, slopes, nowhere)
                result[name] = arrays.array(slopes.reshape(tuple(x.shape)))
                errors.append(error + arrays.epsilon * np.abs(slopes))
        return Estimate(finished(result), value, work.total(), error_norm(errors))

    return gradient
