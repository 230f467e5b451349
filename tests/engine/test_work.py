"""Counting passes, and what a method may claim about them."""

import threading

import numpy as np
import pytest

import gradmark
from gradmark.claims import Biased, Claims, Exact, Growth, Target, Truncated, Unbiased
from gradmark.work import Work, count, counting, uncounted


def test_blocks_count_what_happens_inside_them() -> None:
    with counting() as outer:
        count(forward=1)
        with counting() as inner:
            count(tangent=2, pullback=0.5)
        count(forward=1)
    count(forward=100)
    assert inner.total() == Work(tangent=2, pullback=0.5)
    assert outer.total() == Work(forward=2, tangent=2, pullback=0.5)


def test_a_block_ends_when_it_fails() -> None:
    with pytest.raises(ZeroDivisionError), counting() as broken:
        raise ZeroDivisionError
    count(forward=1)
    assert broken.total() == Work()


def test_nothing_is_counted_where_a_trace_would_be_counted_once() -> None:
    with counting() as work:
        with uncounted():
            count(forward=5)
        count(forward=1)
    assert work.total() == Work(forward=1)
    with pytest.raises(ZeroDivisionError), counting() as work, uncounted():
        raise ZeroDivisionError
    with counting() as after:
        count(forward=1)
    assert after.total() == Work(forward=1)


def test_what_another_thread_does_is_counted_there_alone() -> None:
    opened, counted, found = threading.Event(), threading.Event(), []

    def elsewhere() -> None:
        with counting() as work:
            opened.set()
            assert counted.wait(10)
            count(tangent=2)
        found.append(work.total())

    thread = threading.Thread(target=elsewhere)
    with counting() as here, uncounted():
        thread.start()
        assert opened.wait(10)
    count(forward=1)
    with counting() as later:
        counted.set()
        thread.join()
        count(forward=3)
    assert (here.total(), later.total(), found) == (Work(), Work(forward=3), [Work(tangent=2)])


def test_evaluations_are_forward_and_tangent_passes() -> None:
    work = Work(forward=2, tangent=3, pullback=4)
    assert (work.evaluations, work.passes) == (5, 9)


def test_a_loss_counts_members_and_the_share_of_the_rows() -> None:
    problem = gradmark.get_problem("mlp", batch=32)
    members = {name: np.stack([array] * 3) for name, array in problem.parameters.items()}
    few = problem.default_draw.rows(0, 8)
    cases = [(problem.parameters, None, 1), (members, None, 3), (members, few, 3 / 4)]
    for parameters, draw, wanted in cases:
        with counting() as work:
            problem.loss(parameters, draw)
        assert work.total() == Work(forward=wanted)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "array_api_strict"])
@pytest.mark.parametrize("name", ["mlp", "logistic_regression", "quadratic"])
def test_the_plain_forward_pass_is_one_pass_each_time(name: str, backend: str) -> None:
    """The first call on JAX is traced as well: that must not count as another pass."""
    pytest.importorskip(backend, reason=f"{backend} is not installed here")
    problem = gradmark.get_problem(name, backend=backend)
    plain = problem.plain_forward()
    for _ in range(2):
        with counting() as work:
            plain(problem.parameters, problem.default_draw)
        assert work.total() == Work(forward=1)


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "array_api_strict"])
def test_backprop_is_one_pass_each_way_each_time(backend: str) -> None:
    pytest.importorskip(backend, reason=f"{backend} is not installed here")
    problem = gradmark.get_problem("mlp", backend=backend)
    prepared = gradmark.get_method("backprop").prepare(problem)
    for draw, share in ((None, 1), (problem.default_draw.rows(0, 8), 1 / 4), (None, 1)):
        with counting() as seen:
            work = prepared(problem.parameters, draw=draw).work
        assert (work.forward, work.tangent, work.pullback) == (share, 0, share)
        assert (seen.forward, seen.pullback) == (share, share)


def test_claims_say_what_is_random_and_what_is_black_box() -> None:
    def claims(exactness: Exact | Truncated | Unbiased | Biased, *reads: str) -> Claims:
        return Claims("forward", exactness, frozenset(reads), Growth())  # type: ignore[arg-type]

    assert claims(Exact(), "loss").black_box and not claims(Exact(), "loss", "pullback").black_box
    assert not claims(Exact()).stochastic and not claims(Truncated(2)).stochastic
    assert claims(Unbiased("pairs", lambda size: size + 1)).stochastic
    assert claims(Biased("noise is reused")).stochastic
    assert not claims(Biased("the unroll is cut off", random=False)).stochastic


def test_claims_read_as_words() -> None:
    words = [str(each) for each in (Exact(), Truncated(2), Unbiased("pairs", float), Biased("cut off"))]
    assert words == ["exact", "order 2 in step", "unbiased over pairs", "biased: cut off"]
    assert str(Target("smoothed gradient", "normal", 0.1)) == "smoothed gradient (normal, sigma=0.1)"
    assert str(Target()) == "gradient"


def test_the_cosine_law_is_one_for_many_samples_and_falls_with_the_size() -> None:
    law = Unbiased("pairs", lambda size: size + 1)
    assert law.cosine(1, 3) == pytest.approx((1 / 5) ** 0.5)
    assert law.cosine(1e12, 3) == pytest.approx(1)
    assert law.cosine(10, 1000) < law.cosine(10, 10)
