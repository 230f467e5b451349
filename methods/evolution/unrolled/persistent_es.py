"""Persistent evolution strategies: in each window of an unroll new noise, which counts until the end.

    g_hat = 1/(2 M sigma) sum over M pairs of d (e_1 + ... + e_w),   d: what window w adds to the difference

between the losses of the particles at x +- sigma e_1, ..., x +- sigma e_w (Vicol, Metz and Sohl-Dickstein
2021, "Unbiased gradient estimation in unrolled computation graphs with persistent evolution strategies"). A
window's loss depends on the noise of all windows before it too, and to drop their e is what makes truncation
wrong. Summed over an unroll the mean is the gradient of E f(x + sigma e_1, ..., x + sigma e_W), a copy of x
with noise of its own for each window: for a quadratic f, the gradient.

The sum of noise, M P numbers, goes on from call to call. The variance depends on how the windows' losses
hang together. Where each adds an equal part of a linear loss by its own parameters, it is
((P + 1)/W + P (W - 1)/(2 W)) |g|^2 / M, about half of that of one window; where long and short influences
have different signs it may be many times as large (`noise_reuse_es` holds its noise).
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
class PersistentES:
    """`pairs` mirrored particles, which go `window` steps on at each call; None: all steps of the unroll.

    `sigma` is the standard deviation of every move. Each answer's `state` is what the next call is given;
    without one the unroll begins, and behind its last step it begins again. The sum over the calls of an
    unroll is the estimate, as long as parameters and draw stay.
    """

    pairs: int = 64
    sigma: float = 0.01
    window: int | None = None

    def __post_init__(self) -> None:
        check_size("persistent_es", "pairs", self.pairs)
        check_positive("persistent_es", "sigma", self.sigma)
        if self.window is not None:
            check_size("persistent_es", "window", self.window)

    @property
    def claims(self) -> Claims:
        """Unbiased for the smoothed gradient; with windows each has noise of its own, of unknown variance."""
        whole = self.window is None
        exactness = Unbiased("pairs", (lambda number: number + 1) if whole else None)
        target = Target("smoothed gradient", "gaussian" if whole else "gaussian in each window", self.sigma)
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
            noise, earlier, sums = Members("gaussian", seed, size(point)), stretch.before.noise, []

            def moves(start: int, stop: int) -> tuple[Array, Array]:
                e = arrays.array(noise.rows(stretch.first + start, stretch.first + stop))
                w = e if earlier is None else earlier[start:stop, ...] + e
                if not stretch.ends:
                    sums.append(w)
                return e, w

            result, after = walked(walk, problem, point, draw, moves, self.sigma, stretch)
            return result, replace(after, noise=arrays.xp.concat(sums)) if sums else after

        return prepared(problem, Particles("persistent_es", self.pairs), self.window, estimate)
