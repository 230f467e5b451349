"""The length of the "gradient" that evolution strategies return: E[step . g] / |g|^2 on a linear loss g . x.

1 is unbiased. A step is what a library's optimizer is given, with what shapes the losses left at its default
or, where a line says so, left out. One generation of 64 members, sigma = 0.1, 100 parameters, |g| = 1. Beside
what is measured stands what follows from the formula in the library's code.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

MEMBERS, SIGMA, SIZE, GENERATIONS = 64, 0.1, 100, 4_000
_SEEN = 5.0
"""Standard errors that are no accident: one in a million."""


@dataclass(frozen=True)
class Scale:
    """The `mean` of step . g / |g|^2 over some generations, its standard `error`, and by its `formula`."""

    peer: str
    mean: float
    error: float
    formula: float
    reading: str

    @property
    def off(self) -> float:
        """How many standard errors the mean is from 1."""
        return (self.mean - 1) / self.error


def print_table(generations: int = GENERATIONS) -> None:
    """A line for each peer that is installed, and for gradmark's own methods."""
    print(f"\nScale of one step, {MEMBERS} members, sigma = {SIGMA}, P = {SIZE}, {generations} generations\n")
    print("| peer | scale | 95 % interval | by its formula | standard errors from 1 | reading |")
    print("|---|---|---|---|---|---|")
    for each in scales(generations):
        half = 1.96 * each.error
        interval = f"[{each.mean - half:.4g}, {each.mean + half:.4g}]"
        formula = "-" if math.isnan(each.formula) else f"{each.formula:.4g}"
        off = f"{each.off:+.1f}" if abs(each.off) < _SEEN else f"{each.off:+.0f}"
        row = (each.peer, f"{each.mean:.4g}", interval, formula, off, each.reading)
        print(f"| {' | '.join(row)} |", flush=True)


def scales(generations: int) -> Iterator[Scale]:
    """All peers that are installed here."""
    from gradmark.arrays import installed

    if installed("evosax"):
        yield from _of_evosax(generations)
    if installed("evotorch"):
        yield from _of_evotorch(generations)
    yield from _of_gradmark(generations)


def gradient() -> Any:
    """g, of length 1."""
    g = np.random.default_rng(0).standard_normal(SIZE)
    return g / np.linalg.norm(g)


def _of_evosax(generations: int) -> Iterator[Scale]:
    from evosax.algorithms import ARS, ESMC, PGPE, GuidedES, NoiseReuseES, Open_ES, PersistentES
    from evosax.core.fitness_shaping import identity_fitness_shaping_fn as identity

    plain: dict[str, Any] = {"fitness_shaping_fn": identity}
    nan, pairs = math.nan, MEMBERS // 2
    # Without a gradient to guide it, the subspace is that of the first coordinate.
    guided = pairs * (0.5 / SIZE + 0.5 * float(gradient()[0]) ** 2)
    cases: list[tuple[str, Any, dict[str, Any], float, str]] = [
        ("Open_ES, losses as they are", Open_ES, plain, 1.0, "unbiased"),
        ("Open_ES", Open_ES, {}, nan, "ranks: depends on f"),
        ("PersistentES, losses as they are", PersistentES, plain, 1.0, "unbiased"),
        ("NoiseReuseES, losses as they are", NoiseReuseES, plain, 1.0, "unbiased"),
        ("PGPE, losses as they are", PGPE, plain, SIGMA**2, "sigma^2 g"),
        ("ESMC", ESMC, {}, SIGMA, "1/sigma is missing"),
        ("GuidedES", GuidedES, {}, guided, f"a sum over {pairs} pairs in place of their mean"),
        ("ARS", ARS, {}, nan, "divided by the deviation of the losses"),
    ]
    for name, algorithm, hyper, formula, reading in cases:
        steps = _evosax_steps(algorithm, hyper, generations)
        yield _scale(f"evosax {name}", steps, formula, reading)


def _evosax_steps(algorithm: Any, hyper: dict[str, Any], generations: int) -> Any:
    """What the optimizer is given in the first of so many generations, each from a key of its own."""
    import jax
    import optax

    with jax.enable_x64(False):
        schedule = {} if algorithm.__name__ == "PGPE" else {"std_schedule": optax.constant_schedule(SIGMA)}
        zeros = jax.numpy.zeros(SIZE)
        es = algorithm(MEMBERS, zeros, optimizer=optax.trace(decay=0.0), **schedule, **hyper)
        options, g = es.default_params, jax.numpy.asarray(gradient(), dtype="float32")
        if not schedule:
            options = options.replace(std_init=SIGMA)

        def step(key: Any) -> Any:
            state = es.init(key, zeros, options)
            members, state = es.ask(key, state, options)
            state, _ = es.tell(key, members, members @ g, state, options)
            return state.opt_state.trace @ g

        return np.asarray(jax.jit(jax.vmap(step))(jax.random.split(jax.random.key(0), generations)))


def _of_evotorch(generations: int) -> Iterator[Scale]:
    import gradmark

    for symmetric, formula in ((True, 1.0), (False, 1 - 1 / MEMBERS)):
        method = gradmark.get_method("evotorch_pgpe", pairs=MEMBERS // 2, sigma=SIGMA, symmetric=symmetric)
        steps, words = _steps(method, "torch", generations), "symmetric" if symmetric else "not symmetric"
        reading = "unbiased" if symmetric else "1/N is missing: a baseline that holds each loss itself"
        yield _scale(
            f"EvoTorch pgpe, {words}, losses as they are", SIGMA**2 * steps, SIGMA**2 * formula, "sigma^2 g"
        )
        yield _scale(f"the same over sigma^2, {words}", steps, formula, reading)


def _of_gradmark(generations: int) -> Iterator[Scale]:
    import gradmark

    for name in ("gaussian_es", "spsa", "sphere_es"):
        method = gradmark.get_method(name, pairs=MEMBERS // 2, sigma=SIGMA)
        yield _scale(f"gradmark {name}", _steps(method, "numpy", generations), 1.0, "unbiased")


def _steps(method: Any, backend: str, generations: int) -> Any:
    """estimate . g of a method of gradmark's, seed by seed."""
    import gradmark
    from gradmark.arrays import Arrays, to_numpy

    g = Arrays(backend).array(gradient())

    @gradmark.vector_problem(start=lambda random, size: 0.0 * np.zeros(size), size=SIZE)
    def linear(xp: Any, x: Any) -> Any:
        return xp.sum(x * g, axis=-1)

    problem = linear(backend=backend)
    estimate: Callable[..., Any] = method.prepare(problem)
    return np.array(
        [
            float(
                sum(
                    np.ravel(to_numpy(each)) @ gradient()
                    for each in estimate(problem.parameters, seed).gradient.values()
                )
            )
            for seed in range(generations)
        ]
    )


def _scale(peer: str, along: Any, formula: float, reading: str) -> Scale:
    """`along` is step . g, |g| = 1."""
    return Scale(
        peer, float(np.mean(along)), float(np.std(along, ddof=1)) / math.sqrt(len(along)), formula, reading
    )
