"""Replayed moves: those of `spsa` and `gaussian_es`, number for number; and nobody writes the parameters."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

import gradmark
from gradmark.arrays import Arrays
from gradmark.noise import Members
from gradmark.problem import Problem
from gradmark.work import counting
from methods.evolution import mezo_on_chains
from tests.methods.cases import CASES, relative_error

PEERS = [("rademacher", "spsa"), ("gaussian", "gaussian_es")]


def network(*widths: int, **where: Any) -> Problem:
    return gradmark.get_problem(
        "mlp", widths=widths, activation="tanh", loss="mse", data="synthetic", batch=6, **where
    )


@pytest.mark.parametrize(("law", "peer"), PEERS)
def test_replayed_moves_say_what_stored_ones_do(law: str, peer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On chains, of few parameters and of so many that a move fills blocks, and on other problems."""
    monkeypatch.setattr(mezo_on_chains, "_ROOM", 2**15)
    monkeypatch.setattr(mezo_on_chains, "_TOGETHER", 60)
    problems = [CASES["mlp gelu mse"](Arrays()), CASES["rosenbrock"](Arrays()), network(150, 230, 3)]
    for problem in (*problems, problems[0].to(backend="torch")):
        ours, theirs = (
            gradmark.get_method(name, pairs=6, **more) for name, more in (("mezo", {"law": law}), (peer, {}))
        )
        for draw in (None, problem.default_draw.rows(0, 1)):
            expected = theirs.prepare(problem)(problem.parameters, 3, draw=draw)
            with counting() as counted:
                found = ours.prepare(problem)(problem.parameters, 3, draw=draw)
            assert relative_error(found.gradient, expected.gradient) <= 64 * Arrays().epsilon / 0.01
            assert counted.total().forward == pytest.approx(expected.work.forward)


def test_memory_is_the_result_and_pieces_however_many_pairs_there_are() -> None:
    problem = network(300, 1000, 3, dtype="float32")
    size = sum(array.nbytes for array in problem.parameters.values())
    before = {name: array.copy() for name, array in problem.parameters.items()}
    held = {}
    for pairs in (1, 5):
        tracemalloc.start()
        function = gradmark.get_method("mezo", pairs=pairs).prepare(problem)
        function(problem.parameters)
        held[pairs] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # The result; 2^16 numbers of 4 bytes that move; states of 6 rows, random bits, and what Python has.
    assert size > 2**20 and held[5] <= size + 2**18 + 2**18
    assert abs(held[5] - held[1]) <= 2**14
    assert all(np.array_equal(before[name], array) for name, array in problem.parameters.items())


@pytest.mark.parametrize("law", ["rademacher", "gaussian"])
@pytest.mark.parametrize("size", [100, 40_000, 70_001])
def test_pieces_of_a_member_are_its_numbers(law: str, size: int) -> None:
    members = Members(law, 5, size)
    whole, room = np.empty(-(-size // 32) * 32), np.empty(2**15)
    for number in (3, 0, 3):
        expected = 0.5 * Members(law, 5, size).rows(number, number + 1)[0]
        piecewise = [np.array(piece) for _, piece in members.pieces(number, 0.5, room)]
        assert np.array_equal(np.concatenate(piecewise), expected)
        assert [start for start, _ in members.pieces(number, 0.5, whole)] == [*range(0, size, 2**15)]
        assert np.array_equal(whole[:size], expected)
