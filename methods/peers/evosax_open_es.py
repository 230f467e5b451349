"""evosax's OpenAI evolution strategy: one generation of ``Open_ES``, asked, evaluated and told.

    g_hat = 1/(N sigma) sum over N = 2 M mirrored moves of f(x + sigma e) e

(Salimans et al. 2017; Lange 2022, "evosax"). Its losses are ranked by default, which leaves a direction whose
length depends on f; here they are not, so that it can be compared with others. The whole population and its
moves are held at once, O(N P).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from gradmark.arguments import check_positive, check_size
from gradmark.arrays import installed
from gradmark.claims import Claims, Target, Unbiased
from gradmark.draw import Draw
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters
from gradmark.population import evaluator
from gradmark.problem import Problem
from gradmark.random import generator
from methods.evolution.calling import against_moves, black_box_claims, prepared


@dataclass(frozen=True)
class EvosaxOpenES:
    """``Open_ES(2 * pairs, ...)`` with losses as they are; `sigma` is the deviation of every move."""

    pairs: int = 64
    sigma: float = 0.01

    def __post_init__(self) -> None:
        check_size("evosax_open_es", "pairs", self.pairs)
        check_positive("evosax_open_es", "sigma", self.sigma)

    @property
    def claims(self) -> Claims:
        """Unbiased for the gradient of the smoothed loss; mirrored Gaussian moves have (P + 1) |g|^2 / M."""
        exactness = Unbiased("pairs", lambda number: number + 1)
        target = Target("smoothed gradient", "gaussian", self.sigma)
        return replace(black_box_claims(exactness, target, 2 * self.pairs), backends=frozenset({"jax"}))

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs JAX arrays, and a domain without bounds."""
        if reason := unsupported(self, problem, want):
            return reason
        if not installed("evosax"):
            return "the package `evosax` is not installed: pip install 'gradmark[peers]'"
        return against_moves(problem)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Make the algorithm for the shapes of the parameters; XLA compiles its steps at the first call."""
        check_supported(self, problem, want)
        evaluate, generation = evaluator(problem), self._generation(problem)

        def estimate(point: Parameters, draw: Draw, seed: int) -> Parameters:
            return generation(point, lambda members: evaluate(members, point, draw), seed)

        return prepared(problem, estimate)

    def _generation(
        self, problem: Problem
    ) -> Callable[[Parameters, Callable[[Parameters], Any], int], dict[str, Any]]:
        """From the point, what evaluates members, and the seed to the estimate."""
        import jax

        shapes = {name: tuple(array.shape) for name, array in problem.parameters.items()}
        algorithm, unravel = _algorithm(2 * self.pairs, tuple(shapes.items()), problem.arrays.dtype)
        options, wide = algorithm.default_params, problem.arrays.dtype == "float64"

        def generation(
            point: Parameters, evaluated: Callable[[Parameters], Any], seed: int
        ) -> dict[str, Any]:
            # It draws what JAX's switch says, whatever the parameters are: float64 costs twice as much.
            with jax.enable_x64(wide):
                key = jax.random.wrap_key_data(_words(seed))
                state = algorithm.init(key, dict(point), options).replace(std=self.sigma)
                members, state = algorithm.ask(key, state, options)
            losses = evaluated(members)
            with jax.enable_x64(wide):
                state, _ = algorithm.tell(key, members, losses, state, options)
                found = unravel(state.opt_state.trace)
            return {name: found[name] for name in point}

        return generation


@lru_cache(maxsize=16)
def _algorithm(members: int, shapes: tuple[tuple[str, tuple[int, ...]], ...], dtype: str) -> tuple[Any, Any]:
    """``Open_ES``, and how a vector of its becomes parameters. XLA compiles for each object anew.

    The trace of an optimizer keeps the estimate as it is: a difference of two means would be rounded.
    """
    import jax
    import optax
    from evosax.algorithms import Open_ES
    from evosax.core.fitness_shaping import identity_fitness_shaping_fn
    from jax.flatten_util import ravel_pytree

    like = {name: jax.numpy.zeros(shape, dtype) for name, shape in shapes}
    algorithm = Open_ES(
        members, like, optimizer=optax.trace(decay=0.0), fitness_shaping_fn=identity_fitness_shaping_fn
    )
    return algorithm, jax.jit(ravel_pytree(like)[1])


def _words(seed: int) -> Any:
    """The two words of a key of JAX, from gradmark's own stream: so all seeds are allowed."""
    return generator(seed, "noise").integers(0, 2**32, size=2, dtype="uint32")
