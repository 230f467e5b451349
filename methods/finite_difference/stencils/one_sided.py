"""What forward and backward differences share: an evaluation for each coordinate, and one at the point."""

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
from methods.finite_difference.stencils import weights as stencils
from methods.finite_difference.stencils.erring import Erring
from methods.finite_difference.stencils.of_outputs import wants_of
from methods.finite_difference.stencils.options import Options, measures, work_of
from methods.finite_difference.stencils.together import watching
from methods.finite_difference.steps.choosing import chooser


def one_sided_claims(options: Options) -> Claims:
    """First order in the step; P + 1 evaluations of the loss, and those that measure the step."""
    return Claims(
        family="finite-difference",
        exactness=Truncated(1, "step"),
        reads=frozenset({"loss"}),
        growth=Growth(passes=1, time={"parameters": 2, "batch": 1, "depth": 2}, memory={"parameters": 1}),
        work=work_of(options, stencils.one_sided(), lambda problem: size(problem.parameters) + 1),
        wants=wants_of(options),
    )


def one_sided(options: Options, problem: Problem, sign: int) -> Prepared:
    """The prepared function of (f(x + sign h e_i) - f(x)) / (sign h); near a bound to the other side."""
    summed, stencil = accumulated(problem, options.accumulate), stencils.one_sided()
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
            value = summed.loss(point, draw)
            check_digits(problem, value, options.step, options.rule)
            for name, x in point.items():
                h, found = choose(point, draw, name)
                h = steps.resolved(arrays, x, h)
                moved = x + steps.towards(arrays.xp, h, x, problem.bounds, sign)
                there = losses_at(point, draw, name, moved)
                difference = there - value
                check_inside(summed, point, draw, name, difference)
                result[name] = narrowed(arrays, options.accumulate, difference / (moved - x))
                missed = watch and watch(point, draw, name, moved - x, result[name], value)
                erring.add(found, moved - x, result[name], [there], missed)
        value = narrowed(arrays, options.accumulate, value)
        return Estimate(finished(result), value, work.total(), erring.total())

    return gradient
