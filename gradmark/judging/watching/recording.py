"""What a method asks of a problem, written down while it asks: points and losses, tangents and slopes.

The method sees the problem it was given: its class, backend, population axis, structure and numbers. Only
what happens inside a trace or a transformation has no numbers there, and then the recording says so.
"""

import copy
import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np

from gradmark.arrays import Array, to_numpy
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.layer import NamedLayer
from gradmark.parameters import Parameters
from gradmark.problem import Problem

Shapes = Mapping[str, tuple[int, ...]]


@dataclass
class Recording:
    """What was seen, in the order in which it was asked: `rows` are chunks (n, P), `values` chunks (n,).

    A row is a point with its loss, or a tangent with its slope. `hidden` says why something could not be
    seen; None where everything was. `altered` changes the values before the method sees them (and before they
    are written down): a judge that owns the problem can ask what a method does with other ones.
    """

    rows: list[Any] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    hidden: str | None = None
    altered: Callable[[Array], Array] = lambda values: values

    def clear(self) -> None:
        """Forget everything."""
        self.rows, self.values, self.hidden = [], [], None

    def together(self) -> tuple[Any, Any]:
        """All rows (N, P) and all values (N,), in float64, or in longdouble where they are that."""
        if not self.rows:
            return np.zeros((0, 0)), np.zeros(0)
        return np.concatenate(self.rows), np.concatenate(self.values)

    def add_points(self, named: Parameters, shapes: Shapes, values: Array) -> None:
        """Write down points with their losses; each array has a leading axis of members, or none."""
        try:
            losses = np.atleast_1d(_numbers(values)).copy()
            rows = [_members(_numbers(named[name]), shape, losses.size) for name, shape in shapes.items()]
        except Exception as error:
            self.hide(error)
            return
        self.rows.append(np.concatenate(rows, axis=1))
        self.values.append(losses)

    def hide(self, error: Exception) -> None:
        """Say that something could not be seen, because of `error`."""
        self.hidden = f"queries are not visible: inside a trace they have no numbers ({type(error).__name__})"


def recorded_losses(problem: Problem) -> tuple[Problem, Recording]:
    """The same problem, and the recording of every point at which its loss is evaluated.

    Raises `UsageError` for an object whose class cannot be extended.
    """
    recording, original = Recording(), type(problem)
    shapes = {name: tuple(array.shape) for name, array in problem.parameters.items()}

    def loss(self: Any, parameters: Parameters, draw: Draw | None = None) -> Array:
        values = recording.altered(original.loss(self, parameters, draw))
        recording.add_points(parameters, shapes, values)
        return values

    return _of_class(problem, {"loss": loss}), recording


def recorded_tangents(problem: Problem) -> tuple[Problem, Recording]:
    """The same network, and the recording of every tangent pushed through its layers, with its slope.

    A tangent reaches the layers array by array; the criterion comes last and closes the row. Arrays without
    a tangent do not move. Raises `UsageError` where there are no layers.
    """
    if problem.layers is None or problem.criterion is None:
        raise UsageError(f"{problem.call.name} has no layers, so there are no tangents to be seen.")
    recording, open_row = Recording(), dict[str, Any]()
    shapes = {name: tuple(array.shape) for name, array in problem.parameters.items()}
    criterion: Any = problem.criterion

    def close(outputs: Array, draw: Draw, tangents: Array) -> Array:
        slopes = recording.altered(criterion.pushforward(outputs, draw, tangents))
        still = {name: np.zeros(shape) for name, shape in shapes.items()}
        recording.add_points({**still, **open_row}, shapes, slopes)
        open_row.clear()
        return slopes

    layers = tuple(NamedLayer(each.prefix, _listening(each, open_row, recording)) for each in problem.layers)
    other = copy.copy(problem)
    object.__setattr__(other, "layers", layers)
    object.__setattr__(other, "criterion", _with_member(criterion, "pushforward", close))
    return other, recording


def visibly(problem: Problem) -> AbstractContextManager[Any]:
    """A block in which compiled functions run step by step, so that their queries have numbers."""
    if problem.arrays.backend != "jax":
        return nullcontext()
    import jax

    return cast(AbstractContextManager[Any], jax.disable_jit())


def _listening(named: NamedLayer, open_row: dict[str, Any], recording: Recording) -> Any:
    layer: Any = named.layer

    def pushforward(p: Any, saved: Any, dx: Any, dp: Any) -> Any:
        for short, array in (dp or {}).items():
            full = named.names[short]
            try:
                seen = _numbers(array)
            except Exception as error:
                recording.hide(error)
            else:
                # A parameter that two layers share has one tangent, and both layers see it.
                open_row[full] = seen
        return layer.pushforward(p, saved, dx, dp)

    return _with_member(layer, "pushforward", pushforward)


def _of_class(problem: Problem, members: Mapping[str, Any]) -> Problem:
    """A copy whose class has other `members`: it stays what it was for isinstance and dataclasses.replace."""
    original = type(problem)
    try:
        other = copy.copy(problem)
        object.__setattr__(other, "__class__", type(original.__name__, (original,), dict(members)))
    except TypeError as error:
        raise UsageError(f"the losses of {problem.call.name} cannot be recorded: {error}.") from error
    return other


def _with_member(owner: Any, name: str, member: Any) -> Any:
    """A copy of an object, one of whose methods is another function."""
    other = copy.copy(owner)
    object.__setattr__(other, name, member)
    return other


def _numbers(array: Array) -> Any:
    numbers = np.asarray(to_numpy(array))
    return numbers.astype(np.result_type(numbers.dtype, np.float64), copy=True)


def _members(array: Any, shape: tuple[int, ...], number: int) -> Any:
    """The rows (number, size of one array) of an array with or without an axis of members."""
    own = math.prod(shape)
    rows = array.reshape(-1, own) if array.ndim > len(shape) else array.reshape(1, own)
    return np.broadcast_to(rows, (number, own))
