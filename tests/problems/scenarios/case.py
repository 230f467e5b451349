"""What a layer has to be tested on: one entry of the table that `test_layers.py` runs through."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradmark.arrays import Arrays, to_numpy
from gradmark.draw import Draw

ROWS, UNITS = 4, 5


@dataclass(frozen=True)
class Scenario:
    """A layer, an input for it and what else computes the same.

    `torch(x, *parameters)` is the same function made of torch's own operations. `draw` are arrays that the
    layer finds in its draw. `inputs` are given where they are no normal numbers (the integers of an
    embedding: they have no derivative then). `backends` are those that it promises.
    """

    make: Callable[[Arrays], Any]
    torch: Callable[..., Any]
    shape: tuple[int, int] = (ROWS, UNITS)
    dtype: str = "longdouble"
    draw: Mapping[str, Any] = field(default_factory=dict)
    inputs: Any = None
    backends: tuple[str, ...] = ("numpy", "torch", "jax", "array_api_strict")
    pushforward: bool = True
    scale: float = 1.0
    """Of the numbers and of the direction: less where the layer bends so much that differences say little."""
    input_gradient: bool = True
    """Whether there is one: a layer that needs none of its input (given inputs, an embedding) has not."""


class Case:
    """A layer at a random point, and its forward pass as a function of all its arrays, `x` among them."""

    def __init__(self, scenario: Scenario, arrays: Arrays | None = None) -> None:
        self.scenario, self.arrays = scenario, arrays or Arrays(dtype=scenario.dtype)
        self.layer = scenario.make(self.arrays)
        random, shapes = np.random.default_rng(1), self.layer.shapes()
        if scenario.inputs is None:
            shapes = {"x": scenario.shape, **shapes}
        dtype = np.longdouble if self.arrays.dtype == "longdouble" else np.float64
        self.at, self.direction = (
            {key: (scenario.scale * random.standard_normal(at)).astype(dtype) for key, at in shapes.items()}
            for _ in range(2)
        )
        self.dy = random.standard_normal(np.shape(self(self.at))).astype(dtype)
        self.numbers = sum(array.size for array in self.at.values())

    def __call__(self, at: Any) -> Any:
        """y at the arrays `at`, which may be complex."""
        own = {key: self.here(array) for key, array in at.items()}
        x = own.pop("x") if "x" in own else self.arrays.integers(self.scenario.inputs)
        return to_numpy(self.layer.forward(own, x, self.drawn())[0])

    def here(self, numbers: Any) -> Any:
        """`numbers` on the case's backend."""
        return numbers if self.arrays.backend == "numpy" else self.arrays.array(numbers)

    def drawn(self) -> Draw:
        """The draw, with the arrays that the layer samples."""
        return Draw({name: self.arrays.array(array) for name, array in self.scenario.draw.items()})

    def kept(self) -> tuple[dict[str, Any], Any]:
        """The layer's own parameters and what its forward pass saved."""
        own = {key: self.here(array) for key, array in self.at.items()}
        x = own.pop("x") if "x" in own else self.arrays.integers(self.scenario.inputs)
        return own, self.layer.forward(own, x, self.drawn())[1]

    def pullback(self, *, input_gradient: bool = True) -> dict[str, Any]:
        """dx and dp for dy."""
        own, saved = self.kept()
        dx, gradient = self.layer.pullback(own, saved, self.here(self.dy), input_gradient=input_gradient)
        found = gradient if dx is None else {"x": dx, **gradient}
        return {key: to_numpy(array) for key, array in found.items()}

    def pushforward(self, *moving: str) -> Any:
        """Two tangents, along `direction` for the arrays named in `moving`, the second twice as long."""
        own, saved = self.kept()
        twice = {key: self.here(np.stack([d, 2 * d])) for key, d in self.direction.items() if key in moving}
        moved = self.layer.pushforward(own, saved, twice.pop("x", None), twice or None)
        return None if moved is None else to_numpy(moved)

    def difference(self, scale: Any) -> tuple[Any, dict[str, Any]]:
        """What y changes by, and the changes of all arrays: `scale` times `direction`, and -1/2 of that."""
        own, _ = self.kept()
        x = self.here(self.at["x"]) if "x" in self.at else self.arrays.integers(self.scenario.inputs)
        moved = {key: np.stack([d, -d / 2]) * d.dtype.type(scale) for key, d in self.direction.items()}
        here = {key: self.here(change) for key, change in moved.items()}
        dx, y = here.pop("x", None), self.layer.forward(own, x, self.drawn())[0]
        return to_numpy(self.layer.difference(own, x, y, dx, self.drawn(), here or None)), moved
