"""What may be asked of a method at a point x, and in which form it is asked and answered.

With y = outputs(x), J = dy/dx and H the second derivative of the loss,

    ``gradient``  dL/dx                                       named as the parameters are
    ``jvp``       J v       v named as the parameters         one array of the shape of the outputs
    ``vjp``       J^T w     w of the shape of the outputs     named as the parameters
    ``jacobian``  J                                           name -> (*shape of outputs, *shape of x)
    ``hvp``       H v       v named as the parameters         named as the parameters
    ``hessian``   H                                           name -> name -> (*shape of one, *shape of other)

v and w are given as ``direction=``. Jacobians and Hessians have the form that torch.func and JAX give them;
`jacobian_matrix` and `hessian_matrix` make matrices of them, whose columns follow the order of `ravel`.
"""

import math
from collections.abc import Mapping
from typing import Any

from gradmark.arguments import memory_bytes
from gradmark.arrays import Array, dtype_name
from gradmark.claims import Want
from gradmark.errors import UsageError, shown
from gradmark.parameters import size
from gradmark.problem import Problem
from gradmark.structure import state_shapes

DIRECTED = frozenset({"jvp", "vjp", "hvp"})
"""Those that are taken along a direction."""
OF_OUTPUTS = frozenset({"jvp", "vjp", "jacobian"})
"""Those that are derivatives of the outputs, not of the loss."""


def check_direction(problem: Problem, want: Want, direction: Any) -> Any:
    """The direction, if it has the form that `want` asks for, in the problem's numbers; else `UsageError`."""
    given = check_form(problem, want, direction)
    if given is not None:
        for array in [given] if want == "vjp" else given.values():
            _check_kind(problem, want, array)
    return given


def check_form(problem: Problem, want: Want, direction: Any) -> Any:
    """The direction, if it has the form that `want` asks for, of whatever numbers; else `UsageError`.

    The shape of a vjp's direction is only seen where the outputs are: whoever computes them checks it with
    `check_cotangent`.
    """
    if want not in DIRECTED:
        return None
    if direction is None:
        form = "an array of the outputs' shape" if want == "vjp" else "arrays named as the parameters"
        raise UsageError(f"a {want} is taken along a direction: give `direction=`, {form}.")
    if want == "vjp":
        if not hasattr(direction, "shape"):
            raise UsageError(f"`direction={shown(direction)}` of a vjp must be an array, as the outputs are.")
        return direction
    return _check_tangent(problem, want, direction)


def check_cotangent(outputs: Array, direction: Array) -> Array:
    """The direction of a vjp, if it has the shape of the outputs; else `UsageError`."""
    if tuple(direction.shape) != tuple(outputs.shape):
        raise UsageError(
            f"the direction of a vjp has shape {tuple(direction.shape)}, and the outputs have "
            f"{tuple(outputs.shape)}: give one number for each output."
        )
    return direction


def too_large(problem: Problem, want: Want) -> str | None:
    """Why this machine cannot hold a Hessian or Jacobian of the problem, in words; None where it can.

    The number of outputs is known where the problem shows its layers, and taken to be 1 elsewhere.
    """
    if want not in ("hessian", "jacobian"):
        return None
    parameters, there = size(problem.parameters), memory_bytes()
    outputs = parameters if want == "hessian" else _outputs(problem)
    held = parameters * outputs * problem.arrays.itemsize
    if held <= there:
        return None
    return (
        f"a {want} of {outputs:,} times {parameters:,} numbers takes {held / 2**30:,.0f} GiB, more than the "
        f"{there / 2**30:,.1f} GiB of memory that this machine has"
    )


def _outputs(problem: Problem) -> int:
    inputs: Any = problem.default_draw.arrays.get("inputs")
    if problem.layers is None or inputs is None:
        return 1
    rows, units = state_shapes(problem.layers, inputs.shape)[-1]
    return rows * units


def named_arrays(result: Any) -> dict[str, Array]:
    """The arrays of any quantity under one name each; that of a jvp is called "outputs".

    >>> list(named_arrays({"a": {"a": 1.0, "b": 2.0}}))
    ['a, a', 'a, b']
    """
    if not isinstance(result, Mapping):
        return {"outputs": result}
    found: dict[str, Array] = {}
    for name, inner in result.items():
        if isinstance(inner, Mapping):
            found |= {f"{name}, {other}": array for other, array in inner.items()}
        else:
            found[str(name)] = inner
    return found


def shapes_of(problem: Problem, want: Want, outputs: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """The shapes of a quantity's arrays, named as `named_arrays` does; `outputs` is the outputs' shape."""
    shapes = {name: tuple(x.shape) for name, x in problem.parameters.items()}
    if want == "jvp":
        return {"outputs": outputs}
    if want == "jacobian":
        return {name: (*outputs, *shape) for name, shape in shapes.items()}
    if want == "hessian":
        return {f"{one}, {other}": (*shapes[one], *shapes[other]) for one in shapes for other in shapes}
    return shapes


def jacobian_matrix(problem: Problem, jacobian: Mapping[str, Array]) -> Array:
    """J as a matrix of shape (number of outputs, P)."""
    xp = problem.arrays.xp
    flat = [xp.reshape(jacobian[name], (-1, math.prod(x.shape))) for name, x in problem.parameters.items()]
    return xp.concat(flat, axis=1)


def hessian_matrix(problem: Problem, hessian: Mapping[str, Mapping[str, Array]]) -> Array:
    """H as a matrix of shape (P, P)."""
    xp, sizes = problem.arrays.xp, {name: math.prod(x.shape) for name, x in problem.parameters.items()}
    rows = [
        xp.concat([xp.reshape(hessian[one][other], (sizes[one], sizes[other])) for other in sizes], axis=1)
        for one in sizes
    ]
    return xp.concat(rows, axis=0)


def _check_tangent(problem: Problem, want: Want, direction: Any) -> dict[str, Array]:
    parameters = problem.parameters
    if not isinstance(direction, Mapping):
        raise UsageError(
            f"`direction={shown(direction)}` of a {want} must map the parameters' names to arrays."
        )
    if set(direction) != set(parameters):
        odd = ", ".join(sorted(map(str, set(direction) ^ set(parameters))))
        raise UsageError(f"the direction of a {want} must have the parameters' names; these differ: {odd}.")
    for name, x in parameters.items():
        if tuple(getattr(direction[name], "shape", ())) != tuple(x.shape):
            raise UsageError(
                f"the direction of a {want} has another shape than `{name}`, which is {tuple(x.shape)}."
            )
    return {name: direction[name] for name in parameters}


def _check_kind(problem: Problem, want: Want, array: Any) -> None:
    """Raise `UsageError` for numbers of another library, dtype or device: some would be taken for others."""
    arrays, x = problem.arrays, next(iter(problem.parameters.values()))
    foreign = type(array).__module__.startswith("torch") != (arrays.backend == "torch")
    if foreign or dtype_name(array) != arrays.dtype:
        found = f"{type(array).__module__.partition('.')[0]} {dtype_name(array)}"
    elif arrays.backend == "torch" and array.device != x.device:
        found = f"the device {array.device}"
    else:
        return
    raise UsageError(
        f"the direction of a {want} has numbers of {found}, and the problem is {arrays.backend} "
        f"{arrays.dtype} on {arrays.device}: convert it, as `problem.arrays.array(numbers)` does."
    )
