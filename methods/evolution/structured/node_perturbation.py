"""Node perturbation: random mirrored moves of the pre-activations, weighted by each row's own loss.

    s_l[b, i] = 1/(2 M sigma) sum over M pairs of (L_b(z + sigma u) - L_b(z - sigma u)) u_l[b, i]
    gradient_l = s_l^T h_(l-1)

Every node of every row moves at once, and rows do not influence each other (blocks of them where they do,
`gradmark.nodes`), so that what a row's loss says is of that row's nodes alone (Ren, Kornblith, Liao and
Hinton, "Scaling forward gradient with local losses", ICLR 2023, who have slopes in the place of differences:
`methods.forward.structured.activity_perturbation`). The mean is s of the loss smoothed by moves of its nodes,
off by sigma^2 times third derivatives. The variance is that of slopes (`activity_variance`) in the limit of
small sigma, and for any where the loss is quadratic in the nodes: it grows with the nodes of one row and
not with the weights.
"""

from dataclasses import dataclass

from gradmark.arguments import check_name, check_positive, check_size
from gradmark.claims import Claims, Growth, Target, Unbiased
from gradmark.method import Prepared, Want, check_supported
from gradmark.nodes import Nodes
from gradmark.noise import Members
from gradmark.problem import Problem
from gradmark.work import Work
from methods.evolution.structured.moves import Plan
from methods.evolution.structured.node_moves import against_node_moves, prepared
from methods.forward.structured.activity_passes import Steps
from methods.forward.structured.activity_variance import variance_factor

LAWS = ("rademacher", "gaussian")


@dataclass(frozen=True)
class NodePerturbation:
    """The mean over `pairs` mirrored moves of all nodes; `law` is rademacher (signs) or gaussian.

    `sigma` is the standard deviation of every move. Parameters that have no nodes (scale and shift behind a
    normalisation), or fewer numbers than their nodes (a convolution's kernels), move themselves in the same
    pass, weighted by the change of the whole loss.
    """

    pairs: int = 64
    sigma: float = 0.01
    law: str = "rademacher"

    def __post_init__(self) -> None:
        check_size("node_perturbation", "pairs", self.pairs)
        check_positive("node_perturbation", "sigma", self.sigma)
        check_name("law", self.law, LAWS)

    @property
    def claims(self) -> Claims:
        """Unbiased for the loss smoothed at its nodes, with a variance that depends on the data.

        Of the number of parameters alone nothing follows: the guess is the nodes of four equal layers.
        """
        return Claims(
            family="evolution",
            exactness=Unbiased(
                "pairs",
                lambda number: 2 * number**0.5,
                lambda problem, gradient: variance_factor(problem, gradient, self.law),
            ),
            reads=frozenset({"loss", "layers"}),
            growth=Growth(passes=0, time={"parameters": 1, "batch": 1, "depth": 1}, memory={"parameters": 1}),
            work=lambda problem: Work(forward=1 + 2 * self.pairs),
            target=Target("smoothed gradient", f"{self.law} moves of nodes", self.sigma),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs layers with nodes, which take a population axis, and a loss that is a mean over rows."""
        return against_node_moves(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Open the nodes for the rows of each draw; buffers of dense chains are allocated when rows come."""
        check_supported(self, problem, want)
        return prepared(problem, self._plan)

    def _plan(self, nodes: Nodes) -> Plan:
        number = Steps(nodes).numbers
        signs = self.law == "rademacher"
        return Plan(self.pairs, self.sigma, lambda seed: Members(self.law, seed, number), signs)
