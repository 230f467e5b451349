"""What is found once at a point is found again wherever the point is the same, and nowhere else."""

from typing import Any

import numpy as np

import gradmark
from gradmark.judging.places.shared import once_at
from gradmark.reference.point import Point


def network(**more: Any) -> Any:
    return gradmark.get_problem(
        "mlp", **{"data": "synthetic", "widths": (3, 2), "batch": 4, "seed": 9, **more}
    )


def of_a_person() -> Any:
    return gradmark.from_function(lambda x: np.sum(x**2), np.ones(2))


def point_of(problem: Any, moved: float = 1.0, draw: Any = None) -> Point:
    parameters = {name: moved * array for name, array in problem.parameters.items()}
    return Point(problem, parameters, draw or problem.default_draw)


def test_a_point_is_known_by_what_it_is_and_a_persons_function_by_its_own_object() -> None:
    asked: list[str] = []

    def seen(problem: Any, name: str = "kept", **where: Any) -> int:
        once_at(problem, point_of(problem, **where), (test_name, name), lambda: asked.append(name))
        return len(asked)

    test_name, own = "test", of_a_person()
    assert [seen(network()), seen(network())] == [1, 1]
    assert seen(network(), "another") == 2
    assert seen(network(), moved=2.0) == 3
    assert seen(network(), draw=network().draw(5)) == 4
    assert seen(network(dtype="float32")) == 5
    assert seen(network(seed=8)) == 6
    assert seen(network(loss="mse")) == 7
    assert [seen(own), seen(own), seen(of_a_person())] == [8, 8, 9]
