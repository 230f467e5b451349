"""The gradient that is checked: called, held to its contract, copied."""

from collections.abc import Callable
from typing import Any

import numpy as np

from gradmark.arrays import Arrays, dtype_name, to_numpy
from gradmark.function_problem import kind_of
from gradmark.judging.checking.meter import Meter, OutOfTime
from gradmark.judging.checking.space import Space
from gradmark.judging.verdict import Evidence
from gradmark.leaves import SINGLE, leaves, leaves_like, mapped


class BrokenContract(Exception):
    """The gradient is no gradient: which rule it broke (`part` of "contract"), a sentence, and evidence."""

    def __init__(self, part: str, reason: str, evidence: Evidence | None = None) -> None:
        super().__init__(reason)
        self.part, self.evidence = part, evidence


class Claimed:
    """The person's gradient. One argument object serves all calls, refilled in between where arrays allow it.

    So a gradient that is remembered by the identity of its argument is found out.
    """

    def __init__(
        self, gradient: Callable[[Any], Any], space: Space, meter: Meter, name: str = "gradient",
        returns: Space | None = None,
    ) -> None:  # fmt: skip
        self.gradient, self.space, self.meter, self.name = gradient, space, meter, name
        self.returns = returns or space
        self._argument: Any = None

    def __call__(self, x: Any) -> Any:
        """The gradient at a flat vector: flat, longdouble; raises `BrokenContract`."""
        return self.of(self._filled(x))

    def of(self, argument: Any) -> Any:
        """The gradient of an argument that was built."""
        before = contents(argument)
        found = self._checked(self._called(argument))
        if contents(argument) != before:
            raise BrokenContract(
                "argument", f"`{self.name}` changes its argument: it must compute on a copy."
            )
        _forget_graph(argument)
        return found

    def in_arithmetic(self, x: Any, arrays: Arrays) -> Any:
        """The gradient at a flat vector, of an argument made of `arrays`: flat; None where it fails there."""
        try:
            named = leaves_like(self.returns.at, self._called(self.space.built(x, arrays)))
            flat = self.returns.flat(named)
        except (BrokenContract, ValueError, TypeError):
            return None
        return flat if flat.shape == (self.returns.size,) else None

    def called(self, array: str) -> str:
        """What an array of the result is called in a message: a single output has no name of its own."""
        return "output" if array == SINGLE and self.returns is not self.space else array

    def _called(self, argument: Any) -> Any:
        self.meter.gradient_call()
        try:
            with np.errstate(all="ignore"):
                return self.gradient(argument)
        except OutOfTime:
            raise
        except (Exception, SystemExit) as error:
            said = f"{type(error).__name__}: {error}".strip().splitlines()[0]
            raise BrokenContract("raises", f"`{self.name}` raised {said}") from error

    def _checked(self, result: Any) -> Any:
        try:
            named = leaves_like(self.returns.at, result)
        except ValueError as error:
            raise BrokenContract("structure", f"`{self.name}` {error}.") from error
        for name, array in named.items():
            self._check_array(self.called(name), array, self.returns.shapes[name])
        return self.returns.flat(named)

    def _check_array(self, array: str, found: Any, shape: tuple[int, ...]) -> None:
        try:
            numbers = np.asarray(to_numpy(found))
        except (TypeError, ValueError, RuntimeError) as error:
            raise BrokenContract("structure", f"`{self.name}` returned no array for {array}.") from error
        if numbers.dtype.kind not in "fiub":
            raise BrokenContract("dtype", f"`{self.name}` returned {numbers.dtype} for {array}.")
        if numbers.shape != shape:
            raise BrokenContract(
                "shape", f"`{self.name}` returned shape {numbers.shape} for {array} where {shape} is wanted."
            )
        wanted = self.returns.arrays
        if hasattr(found, "dtype") and (kind := kind_of(found)) != (
            wanted.backend,
            wanted.device,
            wanted.dtype,
        ):
            raise BrokenContract(
                "dtype",
                f"`{self.name}` returned {' '.join(kind)} for {array}, where {_words(wanted)} is wanted.",
            )
        if not np.all(np.isfinite(numbers)):
            self._not_finite(array, numbers)

    def _not_finite(self, array: str, numbers: Any) -> None:
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(numbers))[0])
        found = float(numbers[index])
        where = f"{array}[{', '.join(map(str, index))}]" if index else array
        evidence = Evidence("an entry that is not finite", array, index, found)
        raise BrokenContract("finite", f"`{self.name}` is {found} at {where}.", evidence)

    def _filled(self, x: Any) -> Any:
        """The argument that serves all calls, holding `x`."""
        fresh = self.space.built(x)
        if self._argument is None or self.space.arrays.backend not in ("numpy", "torch"):
            self._argument = fresh
            return fresh
        numbers = leaves(fresh)
        for name, array in leaves(self._argument).items():
            _overwrite(array, numbers[name])
        return self._argument


def strided(space: Space, x: Any) -> Any:
    """The same argument with arrays that are not contiguous; None where the backend has no such arrays."""
    if space.arrays.backend not in ("numpy", "torch") or not any(space.shapes.values()):
        return None
    return mapped(space.built(x), lambda name, array: _with_gaps(array, space.arrays))


def contents(argument: Any) -> tuple[bytes, ...]:
    """The numbers of an argument, to the bit."""
    return tuple(np.ascontiguousarray(to_numpy(array)).tobytes() for array in leaves(argument).values())


def _with_gaps(array: Any, arrays: Arrays) -> Any:
    if not array.shape:
        return array
    twice = arrays.xp.stack([array, array], axis=-1)
    return twice[..., 0]


def _overwrite(array: Any, numbers: Any) -> None:
    if isinstance(array, np.ndarray):
        array[...] = numbers
    else:
        array.data.copy_(numbers)


def _forget_graph(argument: Any) -> None:
    """A torch gradient may have marked its argument and left what it summed up there."""
    for array in leaves(argument).values():
        if getattr(array, "requires_grad", False) and array.is_leaf:
            array.grad = None
            array.requires_grad_(False)


def _words(arrays: Arrays) -> str:
    return f"{arrays.backend} {arrays.device} {dtype_name(arrays.zeros(()))}"
