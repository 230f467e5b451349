"""Mirrored moves of all nodes by orthogonal patterns of signs: all of them are the gradient, up to sigma^2.

    s_l[b, i] = 1/(2 M sigma) sum over M pairs of (L_b(z + sigma u) - L_b(z - sigma u)) u_l[b, i]
    gradient_l = s_l^T h_(l-1)

u are rows of a Hadamard matrix of the least known order n that is not below U, the nodes of one row (mostly
within 1 % of it, `hadamard_orders`), and each node has a column of its own (`patterns`). Rows of the batch
move at once and each has its own loss, as in `node_perturbation`. All n rows together have sum over k of
u_k u_k^T = n I: then s is exact on any loss that is quadratic in the nodes, and off by sigma^2 times third
derivatives elsewhere. Of M < n rows, taken at random without replacement, the mean is the same, and the
variance that of independent signs times (n - M) / (n - 1).
"""

import math
from dataclasses import dataclass

from gradmark.arguments import check_positive, check_size
from gradmark.arrays import Arrays
from gradmark.claims import Claims, Growth, Target, Truncated, Unbiased
from gradmark.method import Prepared, Want, check_supported
from gradmark.nodes import Nodes, nodes_of
from gradmark.parameters import Parameters
from gradmark.problem import Problem
from gradmark.work import Work
from methods.evolution.structured.hadamard_orders import order_from
from methods.evolution.structured.moves import Plan
from methods.evolution.structured.node_moves import against_node_moves, prepared
from methods.evolution.structured.patterns import Patterns
from methods.forward.structured.activity_variance import variance_factor


@dataclass(frozen=True)
class HadamardNodeES:
    """`pairs` mirrored moves of all nodes, None for all n; more than n begin another round of them.

    `sigma` is how far every node moves; None: `node_sigma` of the dtype. Parameters that have no nodes, or
    fewer numbers than their nodes, move themselves, with patterns of their own.
    """

    pairs: int | None = None
    sigma: float | None = None

    def __post_init__(self) -> None:
        if self.pairs is not None:
            check_size("hadamard_node_es", "pairs", self.pairs)
        if self.sigma is not None:
            check_positive("hadamard_node_es", "sigma", self.sigma)

    @property
    def claims(self) -> Claims:
        """With all patterns second order in sigma, and not random; with some unbiased for a smoothed loss.

        Of the number of parameters alone no variance follows: the guess is the nodes of four equal layers.
        """
        return Claims(
            family="evolution",
            exactness=Truncated(2, "sigma")
            if self.pairs is None
            else Unbiased("pairs", lambda number: 2 * number**0.5, self._factor),
            reads=frozenset({"loss", "layers"}),
            growth=Growth(
                passes=0.5 if self.pairs is None else 0,
                time={"parameters": 1.5 if self.pairs is None else 1, "batch": 1, "depth": 2},
                memory={"parameters": 1},
            ),
            work=lambda problem: Work(forward=1 + 2 * self._pairs(nodes_of(problem))),
            target=Target()
            if self.pairs is None
            else Target("smoothed gradient", "Hadamard moves of nodes", self.sigma),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs layers with nodes, which take a population axis, and a loss that is a mean over rows."""
        return against_node_moves(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Open the nodes for the rows of each draw; buffers of dense chains are allocated when rows come."""
        check_supported(self, problem, want)
        return prepared(problem, self._plan)

    def _plan(self, nodes: Nodes) -> Plan:
        sigma = node_sigma(nodes.problem.arrays) if self.sigma is None else self.sigma
        # All patterns in any order are the same: then nothing is random.
        whole = self.pairs is None
        return Plan(self._pairs(nodes), sigma, lambda seed: Patterns(nodes, None if whole else seed))

    def _pairs(self, nodes: Nodes) -> int:
        return order_from(nodes.directions) if self.pairs is None else self.pairs

    def _factor(self, problem: Problem, gradient: Parameters) -> float:
        """v in E|g_hat - g|^2 = v |g|^2 / M: whole rounds have no variance, the part of one has its share."""
        assert self.pairs is not None
        n = order_from(nodes_of(problem).directions)
        rest = self.pairs % n
        if rest == 0:
            return 0.0
        return (n - rest) / (n - 1) * rest / self.pairs * variance_factor(problem, gradient, "rademacher")


def node_sigma(arrays: Arrays) -> float:
    """The power of two below eps^(1/3) / 2: a pre-activation moves by that without being rounded.

    The rounding eps / sigma of a difference and its truncation sigma^2 balance at eps^(1/3). Here rounding is
    a mean over n moves, and truncation has in it what all nodes bend together. That is little behind weights
    of the usual size, 1 / sqrt(fan-in), but may be much where weights are large.
    """
    return 2.0 ** math.floor(math.log2(arrays.epsilon) / 3 - 1)
