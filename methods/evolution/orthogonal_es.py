"""Mirrored moves that are orthogonal to each other: no direction is asked twice.

    g_hat = 1/(2 M sigma) sum over M pairs of (f(x + sigma e_k) - f(x - sigma e_k)) e_k

(Choromanski, Rowland, Sindhwani, Turner and Weller 2018). Of what frame the e_k are rows:

    hadamard  vectors of signs: any M of the n = 2^ceil(log2 P) rows of a randomised Hadamard matrix, cut to
              P columns; O(P) memory. On a linear loss E|g_hat - g|^2 = (n - M)/(n - 1) (P - 1) |g|^2 / M,
              the variance of a sample without replacement; n pairs give g itself.
    qr        uniform over all orthogonal frames, of length sqrt(P), by Gram and Schmidt; 8 M P bytes.
              On a linear loss E|g_hat - g|^2 = (P/M - 1) |g|^2 exactly; P pairs give g itself.

Where M is more than a whole frame there are several, independent of each other. Each e_k by itself is a
vector of independent signs, or uniform on the sphere: so the mean is that of `spsa`, or of `sphere_es`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gradmark.arguments import check_name, check_positive, check_size, memory_bytes
from gradmark.arrays import Array, Arrays
from gradmark.claims import Claims, Target, Unbiased
from gradmark.method import Prepared, Want, check_supported, unsupported
from gradmark.noise import noise_rows
from gradmark.parameters import size
from gradmark.problem import Problem
from gradmark.random import generator
from methods.evolution.calling import against_moves, black_box_claims
from methods.evolution.hadamard import hadamard_rows, rows_of_all
from methods.evolution.mirrored import prepared_mirrored
from methods.evolution.shaping import SHAPINGS

FRAMES = ("hadamard", "qr")
_LAWS = {"hadamard": "rademacher", "qr": "sphere"}


@dataclass(frozen=True)
class OrthogonalES:
    """`pairs` mirrored moves along the rows of a `frame`, 2 * `pairs` evaluations.

    `sigma` is the standard deviation of each number of a move; `shaping` is what is done to the losses first
    (`methods.evolution.shaping`).
    """

    pairs: int = 64
    sigma: float = 0.01
    frame: str = "hadamard"
    shaping: str = "identity"

    def __post_init__(self) -> None:
        check_size("orthogonal_es", "pairs", self.pairs)
        check_positive("orthogonal_es", "sigma", self.sigma)
        check_name("frame", self.frame, FRAMES)
        check_name("shaping", self.shaping, SHAPINGS)

    @property
    def claims(self) -> Claims:
        """Unbiased for what the law of a single move smooths, with the variance of the frame."""
        target = Target("smoothed gradient", _LAWS[self.frame], self.sigma)
        return black_box_claims(Unbiased("pairs", self._factor), target, 2 * self.pairs, self.shaping)

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """Any problem whose domain has no bounds; a frame of "qr" must fit into memory."""
        number = size(problem.parameters)
        held = min(self.pairs, number)
        if self.frame == "qr" and 8 * held * number > memory_bytes():
            return f"{held} orthogonal moves of {number} parameters do not fit into memory: take `hadamard`"
        return against_moves(problem) or unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Bind the function that evaluates a population."""
        check_supported(self, problem, want)
        rows = hadamard_rows if self.frame == "hadamard" else _qr_rows
        return prepared_mirrored(problem, rows, self.sigma, self.pairs, self.shaping)

    def _factor(self, number: int) -> float:
        """v in E|g_hat - g|^2 = v |g|^2 / M: whole frames have no variance, the part of one has its share."""
        whole = rows_of_all(number) if self.frame == "hadamard" else number
        rest = self.pairs % whole
        if rest == 0 or number == 1:
            return 0.0
        part = (whole - rest) / (whole - 1) * (number - 1) if self.frame == "hadamard" else number - rest
        return part * rest / self.pairs


def _qr_rows(arrays: Arrays, seed: int, number: int, size: int, chunk: int) -> Iterator[Array]:
    """Frame after frame, each with a seed of its own."""
    for frame, begin in enumerate(range(0, number, size)):
        own = seed if number <= size else int(generator(seed, "noise", frame).integers(2**62))
        yield from noise_rows(arrays, "orthonormal", own, min(size, number - begin), size, chunk)
