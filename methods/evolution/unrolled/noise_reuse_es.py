"""Noise-reuse evolution strategies: in all windows of an unroll the same noise.

    g_hat = 1/(2 M sigma) sum over M pairs of d e,   d: what a window adds to f(x + sigma e) - f(x - sigma e)

(Li, Harrison, Sohl-Dickstein, Smith and Metz 2023, "Noise-reuse in online evolution strategies"; with each
window's own e in the place of e it would be truncated, and wrong.) Summed over an unroll it is, to rounding,
the estimate of `gaussian_es` with the same noise, whatever the window: its mean is the gradient of the loss
smoothed by one move of all steps, and its variance (P + 1) |g|^2 / M on a linear loss.

Noise is made again from its key at each call: what goes on from call to call are the particles' states, and
of the noise two integers.
"""

from dataclasses import dataclass, replace

from gradmark.arguments import check_positive, check_size
from gradmark.arrays import Array
from gradmark.claims import Claims, Target, Unbiased
from gradmark.draw import Draw
from gradmark.method import Prepared, Want, check_supported
from gradmark.noise import Members
from gradmark.parameters import Parameters, size
from gradmark.problem import Problem
from methods.evolution.unrolled.particles import (
    Particles,
    Stretch,
    against_unrolled,
    prepared,
    unrolled_claims,
    walked,
)
from methods.evolution.unrolled.walking import walker


@dataclass(frozen=True)
class NoiseReuseES:
    """`pairs` mirrored particles, which go `window` steps on at each call; None: all steps of the unroll.

    `sigma` is the standard deviation of every move. Each answer's `state` is what the next call is given;
    without one the unroll begins, and behind its last step it begins again, with the noise of the seed of
    that call. The sum over the calls of an unroll is the estimate, as long as parameters and draw stay.
    """

    pairs: int = 64
    sigma: float = 0.01
    window: int | None = None

    def __post_init__(self) -> None:
        check_size("noise_reuse_es", "pairs", self.pairs)
        check_positive("noise_reuse_es", "sigma", self.sigma)
        if self.window is not None:
            check_size("noise_reuse_es", "window", self.window)

    @property
    def claims(self) -> Claims:
        """Unbiased for the gradient of the smoothed loss, with the variance law of a linear loss."""
        exactness = Unbiased("pairs", lambda number: number + 1)
        target = Target("smoothed gradient", "gaussian", self.sigma)
        return unrolled_claims(exactness, target, self.pairs, self.window)

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any unrolled problem that takes a population and whose domain has no bounds."""
        return against_unrolled(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that walks on."""
        check_supported(self, problem, want)
        arrays, walk = problem.arrays, walker(problem)

        def estimate(
            point: Parameters, draw: Draw, seed: int, stretch: Stretch
        ) -> tuple[Parameters, Particles]:
            key, first = stretch.before.noise or (seed, stretch.first)
            noise = Members("gaussian", key, size(point))

            def moves(start: int, stop: int) -> tuple[Array, Array]:
                e = arrays.array(noise.rows(first + start, first + stop))
                return e, e

            result, after = walked(walk, problem, point, draw, moves, self.sigma, stretch)
            return result, after if stretch.ends else replace(after, noise=(key, first))

        return prepared(problem, Particles("noise_reuse_es", self.pairs), self.window, estimate)
