"""Derivatives of the outputs: jvp, vjp and Jacobian, by the complex step or by extrapolated differences.

The complex step needs one evaluation of the outputs along a direction for a jvp, one for each parameter for
the others; both read nothing but the outputs. Where there are too many parameters for them, the layers' own
pullback is left, which has to be vouched for.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradmark import passes
from gradmark.arrays import Array, to_numpy
from gradmark.measuring.norms import norm
from gradmark.population import members_per_chunk
from gradmark.problem import converted
from gradmark.reference import cost, pullback
from gradmark.reference.asked import Asked
from gradmark.reference.complex_step import with_imaginary
from gradmark.reference.point import Numbers, Point
from gradmark.reference.rounding import Computed, with_rounding
from gradmark.reference.vector_slope import EVALUATIONS, basis, unit_of, vector_noise, vector_slope

ByCoordinate = Iterator[tuple[str, int, Any]]
"""Name of an array, index of its entry (flat), and the derivative of all outputs with respect to it."""


def no_complex_step(asked: Asked) -> str | None:
    """It needs complex arithmetic throughout, and time."""
    many = 1 if asked.want == "jvp" else asked.parameters
    if reason := cost.too_long(asked.point, many, cost.LIMIT, complex_numbers=True):
        return reason
    if asked.point.complexified is None:
        return f"the loss does not carry complex numbers made of {asked.point.dtype}"
    return None


def by_complex_step(asked: Asked) -> Computed:
    """The quantity, exact to the rounding that is measured."""

    def compute(point: Point) -> Numbers:
        if asked.want == "jvp":
            return {"outputs": complex_slope(point, asked.direction)}
        return assembled(asked, _complex_coordinates(point))

    return with_rounding(compute, asked.point)


def no_pullback(asked: Asked) -> str | None:
    """It needs layers, and a pass back for each output of a Jacobian."""
    if asked.want == "jvp":
        return "a jvp is no pass back"
    many = 4 * (1 if asked.want == "vjp" else math.prod(asked.outputs))
    return pullback.impossible(asked.point) or cost.too_long(asked.point, many, cost.LAST_RESORT)


def by_pullback(asked: Asked) -> Computed:
    """The layers' own pullback of each output, which methods share; its uncertainty is rounding."""

    def compute(point: Point) -> Numbers:
        if asked.want == "vjp":
            return _pulled_back(point, asked.direction)
        size = math.prod(asked.outputs)
        rows = [_pulled_back(point, unit.reshape(asked.outputs)) for unit in np.eye(size)]
        return {n: np.stack([row[n] for row in rows]).reshape(shape) for n, shape in asked.shapes.items()}

    return with_rounding(compute, asked.point)


def _pulled_back(point: Point, cotangent: Any) -> Numbers:
    problem = point.problem
    trace = passes.forward(problem, point.parameters, point.draw)
    delta = problem.arrays.array(cotangent)
    found = passes.outputs_pullback(problem, point.parameters, point.draw, trace, delta)
    return {name: to_numpy(array).astype(np.longdouble) for name, array in found.items()}


def no_differences(asked: Asked) -> str | None:
    """It needs time."""
    many = EVALUATIONS * (1 if asked.want == "jvp" else asked.parameters)
    return cost.too_long(asked.point, many, cost.LAST_RESORT)


def by_differences(asked: Asked) -> Computed:
    """The quantity with the error that the ladder shows."""
    if asked.want == "jvp":
        slope, error = outputs_slope(asked, asked.direction)
        return Computed({"outputs": slope}, {"outputs": norm(error)}, asked.point.dtype)
    found = [(name, i, *outputs_slope(asked, d)) for name, i, d in basis(asked.point)]
    values = assembled(asked, ((name, i, value) for name, i, value, _ in found))
    if asked.want == "vjp":
        weights = np.abs(asked.direction)
        errors = {name: norm([np.sum(weights * e) for n, _, _, e in found if n == name]) for name in values}
    else:
        errors = {name: norm(np.stack([e for n, _, _, e in found if n == name])) for name in values}
    return Computed(values, errors, asked.point.dtype)


def outputs_slope(asked: Asked, direction: Mapping[str, Any]) -> tuple[Any, Any]:
    """The derivative of the outputs along `direction` by real differences, and its error, entry by entry."""
    point = asked.point

    def values(numbers: Numbers) -> Any:
        parameters = converted(numbers, point.problem.arrays)
        with np.errstate(all="ignore"):
            return to_numpy(point.problem.outputs(parameters, point.draw)).astype(np.longdouble).ravel()

    found = vector_slope(values, point, direction, vector_noise(values, point, direction))
    return found.value.reshape(asked.outputs), (found.error + found.jump / 2).reshape(asked.outputs)


def complex_slope(point: Point, direction: Mapping[str, Any]) -> Any:
    """The derivative of the outputs along `direction` by the complex step."""
    wide = point.complexified
    assert wide is not None
    arrays = wide.problem.arrays.complexified()
    step = point.epsilon**2 * unit_of(point, direction)
    parts = {name: with_imaginary(point.numbers[name], step * d) for name, d in direction.items()}
    members = {name: arrays.array(part) for name, part in parts.items()}
    found = wide.problem.outputs({**wide.parameters, **members}, wide.draw)
    return np.imag(to_numpy(found)).astype(np.longdouble) / step


def _complex_coordinates(point: Point) -> ByCoordinate:
    wide = point.complexified
    assert wide is not None
    arrays = wide.problem.arrays.complexified()
    for name, numbers in point.numbers.items():
        step, count = point.epsilon**2 * point.typical_sizes[name], numbers.size
        chunk = members_per_chunk(point.problem, point.draw, count)
        for start in range(0, count, chunk):
            stop = min(start + chunk, count)
            basis = step * np.eye(stop - start, count, start, dtype=np.longdouble)
            members = with_imaginary(numbers.reshape(1, -1), basis).reshape(-1, *numbers.shape)
            for index, found in enumerate(_outputs(wide, name, arrays.array(members))):
                yield name, start + index, np.imag(found).astype(np.longdouble) / step


def _outputs(point: Point, name: str, members: Array) -> Any:
    """The outputs of each member of array `name`; one by one where the problem takes no population."""
    problem, shared = point.problem, point.parameters
    if problem.population:
        return to_numpy(problem.outputs({**shared, name: members}, point.draw))
    return [
        to_numpy(problem.outputs({**shared, name: members[i, ...]}, point.draw))
        for i in range(members.shape[0])
    ]


def assembled(asked: Asked, coordinates: Any) -> Numbers:
    """A Jacobian from its columns, or what a cotangent makes of them."""
    columns: dict[str, list[Any]] = {name: [] for name in asked.point.parameters}
    for name, _, column in coordinates:
        columns[name].append(np.sum(asked.direction * column) if asked.want == "vjp" else column)
    shapes = asked.shapes
    if asked.want == "vjp":
        return {name: np.array(found).reshape(shapes[name]) for name, found in columns.items()}
    return {name: np.stack(found, axis=-1).reshape(shapes[name]) for name, found in columns.items()}
