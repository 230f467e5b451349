"""What central differences of every order share: moved evaluations to both sides, none at the point."""

from typing import Any

from gradmark.claims import Claims, Growth, Truncated
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared
from gradmark.parameters import Parameters, detached, finished, size
from gradmark.problem import Problem
from gradmark.work import counting
from methods.finite_difference import steps
from methods.finite_difference.evaluating.accumulating import accumulated, narrowed
from methods.finite_difference.evaluating.coordinates import coordinate_losses
from methods.finite_difference.evaluating.edges import check_digits, check_inside
from methods.finite_difference.stencils.erring import Erring
from methods.finite_difference.stencils.of_outputs import wants_of
from methods.finite_difference.stencils.options import Options, measures, work_of
from methods.finite_difference.stencils.together import watching
from methods.finite_difference.stencils.weights import central, pairs
from methods.finite_difference.steps.choosing import chooser


def symmetric_claims(options: Options, order: int) -> Claims:
    """Of `order` in the step; `order` evaluations for each parameter, one at the point if it is measured."""
    return Claims(
        family="finite-difference",
        exactness=Truncated(order, "step"),
        reads=frozenset({"loss"}),
        growth=Growth(passes=1, time={"parameters": 2, "batch": 1, "depth": 2}, memory={"parameters": 1}),
        work=work_of(
            options, central(order), lambda problem: order * size(problem.parameters) + measures(options)
        ),
        wants=wants_of(options),
    )


def symmetric(options: Options, problem: Problem, order: int) -> Prepared:
    """The prepared function of sum over k of a_k (f(x + k h e_i) - f(x - k h e_i)) / 2kh, a_k adding up to 1.

    The divisor is the distance as rounded, (x + kh) - (x - kh).
    """
    summed, stencil = accumulated(problem, options.accumulate), central(order)
    offsets, reach = pairs(stencil), stencil.reach
    arrays, losses_at = problem.arrays, coordinate_losses(summed)
    choose = chooser(summed, stencil, options.rule, options.step)
    watch = watching(summed, stencil) if measures(options) else None

    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        draw, point, result = draw or problem.default_draw, detached(parameters), {}
        erring = Erring(stencil, arrays.epsilon)
        with counting() as work:
            value = watch and summed.loss(point, draw)
            for name, x in point.items():
                h, found = choose(point, draw, name)
                h = steps.within(arrays.xp, steps.resolved(arrays, x, h), x, problem.bounds, reach)
                slopes = []
                for offset, weight in offsets:
                    move = h if offset == 1 else offset * h
                    right, left = x + move, x - move
                    steps.check_room(arrays.xp, right - left, name, problem.bounds)
                    ends = [losses_at(point, draw, name, moved) for moved in (right, left)]
                    check_digits(problem, ends[0], options.step, options.rule)
                    difference = ends[0] - ends[1]
                    check_inside(summed, point, draw, name, difference)
                    slope = difference / (right - left)
                    slopes.append(slope if weight == 1 else weight * slope)
                result[name] = narrowed(arrays, options.accumulate, sum(slopes[1:], slopes[0]))
                missed = watch and watch(point, draw, name, h, result[name], value)
                erring.add(found, h, result[name], ends, missed)
        return Estimate(finished(result), None, work.total(), erring.total())

    return gradient
