"""Differences of the outputs along directions: J v by one stencil, and J by one for each coordinate.

    J v = sum over k of w_k outputs(x + k h v) / h,    h as in `steps.along`.

The divisor is the step as rounded: what of (x + k h v) - (x - k h v) lies along v.
"""

from functools import partial

from gradmark.arrays import Array
from gradmark.draw import Draw
from gradmark.method import Prepared, Want
from gradmark.parameters import Parameters
from gradmark.population import members_per_chunk
from gradmark.problem import Problem
from methods.answering import answering
from methods.finite_difference import steps
from methods.finite_difference.evaluating.edges import check_outputs, check_outputs_digits
from methods.finite_difference.evaluating.moved_outputs import moved_outputs, outputs_here
from methods.finite_difference.stencils.options import Options
from methods.finite_difference.stencils.weights import Stencil, one_sided, pairs
from methods.finite_difference.steps.along import coordinate_steps, rays
from methods.forward.products import jacobian_by, jvp_by
from methods.forward.slopes import Along, Bind


def wants_of(options: Options) -> frozenset[Want]:
    """The gradient, and derivatives of the outputs where there is a step for these."""
    return frozenset({"gradient"} if _of_losses(options) else {"gradient", "jvp", "jacobian"})


def reason_against_outputs(options: Options, want: Want) -> str | None:
    """Why derivatives of the outputs are not taken with these options, or None."""
    reason = _of_losses(options)
    return f"{reason}, and a {want} is of the outputs" if reason and want in ("jvp", "jacobian") else None


def _of_losses(options: Options) -> str | None:
    """What of the options is for a loss alone."""
    if options.accumulate != "problem":
        return f"accumulate={options.accumulate} says how a loss is added up"
    if options.step is None and options.rule != "dtype":
        return f"rule={options.rule} measures the loss"
    return None


def one_sided_outputs(problem: Problem, want: Want, step: float | None, sign: int) -> Prepared:
    """(outputs(x + sign h v) - outputs(x)) / (sign h), near a bound to the other side; P + 1 make J."""
    return of_outputs(problem, want, _one_sided(problem, step, sign, want == "jacobian"))


def symmetric_outputs(problem: Problem, want: Want, step: float | None, stencil: Stencil) -> Prepared:
    """The central `stencil`, which has as many evaluations along a direction as its order."""
    return of_outputs(problem, want, _symmetric(problem, step, stencil, want == "jacobian"))


def of_outputs(problem: Problem, want: Want, bind: Bind) -> Prepared:
    """The prepared function of a jvp or Jacobian, from derivatives of the outputs along directions."""
    if want == "jvp":
        return answering(problem, want, jvp_by(bind))
    return answering(problem, want, jacobian_by(problem, bind, partial(members_per_chunk, problem)))


def _one_sided(problem: Problem, step: float | None, sign: int, alone: bool) -> Bind:
    arrays, outputs_at = problem.arrays, moved_outputs(problem)
    rule = steps.order_rule(one_sided().order)

    def bind(point: Parameters, draw: Draw) -> Along:
        value = outputs_here(problem, point, draw)
        coordinates = coordinate_steps(arrays, point, rule, step, alone=alone)
        check_outputs_digits(problem, value, step)

        def along(tangents: Parameters) -> tuple[Array, Array]:
            lines = rays(arrays, point, tangents)
            if lines is None:
                return value, (value - value)[None, ...]
            there = lines.moved(lines.towards(lines.steps(coordinates), problem.bounds, sign))
            difference = outputs_at(there, point, draw) - value
            check_outputs(problem, point, draw, difference)
            return value, lines.slopes(difference, lines.distance(there, point))

        return along

    return bind


def _symmetric(problem: Problem, step: float | None, stencil: Stencil, alone: bool) -> Bind:
    arrays, outputs_at = problem.arrays, moved_outputs(problem)
    rule, offsets = steps.order_rule(stencil.order), pairs(stencil)

    def bind(point: Parameters, draw: Draw) -> Along:
        coordinates = coordinate_steps(arrays, point, rule, step, alone=alone)

        def along(tangents: Parameters) -> tuple[Array | None, Array]:
            lines = rays(arrays, point, tangents)
            if lines is None:
                value = outputs_here(problem, point, draw)
                return value, (value - value)[None, ...]
            h, slopes = lines.within(lines.steps(coordinates), problem.bounds, stencil.reach), []
            for offset, weight in offsets:
                right, left = lines.moved(offset * h), lines.moved(-offset * h)
                ends = [outputs_at(members, point, draw) for members in (right, left)]
                check_outputs_digits(problem, ends[0], step)
                check_outputs(problem, point, draw, ends[0] - ends[1])
                slope = lines.slopes(ends[0] - ends[1], lines.distance(right, left))
                slopes.append(slope if weight == 1 else weight * slope)
            return None, sum(slopes[1:], slopes[0])

        return along

    return bind
