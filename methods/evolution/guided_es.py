"""Guided evolution strategies: moves that lie partly in a subspace where the gradient is thought to be.

    e = sqrt(a) n + sqrt((1 - a) P/k) U m,   n ~ N(0, I_P),  m ~ N(0, I_k),  U an orthonormal basis (P, k)
    g_hat = 1/b 1/(2 M sigma) sum over M pairs of (f(x + sigma e) - f(x - sigma e)) e

(Maheswaranathan, Metz, Tucker, Choi and Sohl-Dickstein 2019). C = E[e e^T] has the trace P, the eigenvalue
b = a + (1 - a) P/k along U and a across it, so that the mean is C/b times the gradient of the loss smoothed
by sigma e: the part inside of the subspace as it is, the rest shrunk to a/b of it. With h the part of g
inside, on a linear loss, exactly

    E|g_hat - C g/b|^2 = (P g^T C g + |C g|^2)/(M b^2),   g^T C g = a |g|^2 + (b - a) |h|^2,

a 1/b of the variance of `gaussian_es` where g lies inside. `corrected` takes C^-1 in place of 1/b. The mean
is then the gradient of the smoothed loss, for a variance of (g^T C g tr C^-1 + |g|^2)/M, which is never below
that of `gaussian_es` (tr C^-1 = (P - k)/a + k/b): what guides is the bias.

U is spanned by the last estimates, which come out and go in through ``state``. Without a state there is no
subspace yet: e = n, and the estimate is that of `gaussian_es`.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gradmark.arguments import check_number, check_positive, check_size, check_switch
from gradmark.arrays import Array, Arrays
from gradmark.claims import Biased, Claims, Target, Unbiased
from gradmark.draw import Draw
from gradmark.errors import UsageError, shown
from gradmark.function_problem import kind_of
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.noise import normal_rows
from gradmark.parameters import Parameters, detached, finished, ravel, size
from gradmark.population import evaluator, members_per_chunk
from gradmark.problem import Problem
from gradmark.random import generator
from gradmark.work import counting
from methods.evolution.calling import against_moves, black_box_claims
from methods.evolution.mirrored import mirrored_estimate

_LEAST_SHARE = 1e-6


@dataclass(frozen=True)
class GuidedES:
    """`pairs` mirrored moves, of which the share `alpha` of the variance is spread over all parameters.

    The rest lies in the span of the last `subspace` estimates. `sigma` is the root mean square of a move's
    numbers. `alpha` must be above zero: what no move ever asks for cannot be estimated. `corrected` takes
    the bias off, and the use with it.
    """

    pairs: int = 64
    sigma: float = 0.01
    subspace: int = 4
    alpha: float = 0.5
    corrected: bool = False

    def __post_init__(self) -> None:
        check_size("guided_es", "pairs", self.pairs)
        check_positive("guided_es", "sigma", self.sigma)
        check_size("guided_es", "subspace", self.subspace)
        check_number("guided_es", "alpha", self.alpha, _LEAST_SHARE, 1.0)
        check_switch("guided_es", "corrected", self.corrected)

    @property
    def claims(self) -> Claims:
        """A direction, for what lies outside of the subspace is shrunk.

        Corrected, unbiased for the gradient of the smoothed loss; the variance is that without a state.
        """
        if not self.corrected:
            shrunk = Biased("what lies outside of the span of past estimates is shrunk")
            return black_box_claims(shrunk, Target("direction"), 2 * self.pairs)
        target = Target("smoothed gradient", "gaussian", self.sigma)
        return black_box_claims(Unbiased("pairs", lambda number: number + 1), target, 2 * self.pairs)

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem whose domain has no bounds, with more parameters than the subspace has dimensions."""
        if (number := size(problem.parameters)) <= self.subspace:
            return f"a subspace of {self.subspace} dimensions is no part of {number}: set a lower `subspace`"
        return against_moves(problem) or unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that evaluates a population."""
        check_supported(self, problem, want)
        evaluate, xp = evaluator(problem), problem.arrays.xp

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw, point = draw or problem.default_draw, detached(parameters)
            past = self._past(state, point)
            u = None if past is None else _basis(past, problem.arrays)
            with counting() as work:
                moves = self._moves(problem, draw, size(point), seed, u)
                found = mirrored_estimate(evaluate, problem, point, draw, moves, self.sigma, self.pairs)
            vector, unravel = ravel(found, xp)
            vector = self._weighed(vector, u, xp)
            # A copy even where nothing is past: what is done to the result changes no state.
            now = xp.concat([vector[None, :]] if past is None else [past, vector[None, :]])
            result = finished(unravel(vector))
            last = max(0, now.shape[0] - self.subspace)
            return Estimate(result, None, work.total(), state=now[last:, :])

        return gradient

    def _past(self, state: Any, point: Parameters) -> Array | None:
        """The last estimates, shape (at most `subspace`, P); `UsageError` for anything else."""
        if state is None:
            return None
        shape, number, like = tuple(getattr(state, "shape", ())), size(point), next(iter(point.values()))
        fits = len(shape) == 2 and shape[1] == number and 1 <= shape[0] <= self.subspace
        if not fits or kind_of(state) != kind_of(like):
            raise UsageError(
                f"guided_es: `state={shown(state)}` must be the state of an earlier answer: the last "
                f"estimates as an array of at most {self.subspace} rows of {number} numbers, of the library, "
                f"device and dtype of the parameters ({' '.join(kind_of(like))})."
            )
        return detached({"state": state})["state"]

    def _moves(
        self, problem: Problem, draw: Draw, number: int, seed: int, u: Array | None
    ) -> Callable[[], Iterator[Array]]:
        arrays, chunk = problem.arrays, members_per_chunk(problem, draw, number)

        def moves() -> Iterator[Array]:
            rows = normal_rows(arrays, seed, self.pairs, number, chunk)
            if u is None:
                yield from rows
                return
            inside = math.sqrt((1 - self.alpha) * number / u.shape[1])
            m, start = generator(seed, "subspace").standard_normal((self.pairs, u.shape[1])), 0
            for n in rows:
                own = arrays.array(inside * m[start : start + n.shape[0]])
                start += n.shape[0]
                yield math.sqrt(self.alpha) * n + own @ arrays.xp.permute_dims(u, (1, 0))

        return moves

    def _weighed(self, vector: Array, u: Array | None, xp: Any) -> Array:
        """1/b times the vector; corrected, C^-1: what lies in the subspace over b, the rest over a."""
        if u is None:
            return vector
        a = self.alpha
        b = a + (1 - a) * vector.shape[0] / u.shape[1]
        if not self.corrected:
            return vector / b
        return vector / a - (1 / a - 1 / b) * (u @ (xp.permute_dims(u, (1, 0)) @ vector))


def _basis(past: Array, arrays: Arrays) -> Array:
    """U (P, k). Narrow dtypes and longdouble have no decomposition: theirs is made in another dtype."""
    dtype = {"longdouble": "float64"}.get(arrays.dtype, "float32" if arrays.itemsize < 4 else arrays.dtype)
    held = Arrays(arrays.backend, arrays.device, dtype)
    columns = arrays.xp.permute_dims(arrays.xp.astype(past, held.dtype_object, copy=False), (1, 0))
    return arrays.xp.astype(arrays.xp.linalg.qr(columns)[0], arrays.dtype_object, copy=False)
