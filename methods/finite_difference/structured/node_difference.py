"""Central differences of the nodes of a network: of each pre-activation z, not of each parameter.

Parameters enter a layer through its nodes z = h W^T + b alone. A unit's z is moved by +-h in all rows at
once, and the losses of the rows, which are independent of each other, tell

    S[row, unit] = (L_row(z + h) - L_row(z - h)) / 2h / rows,   and then   dW = S^T h,   db = 1^T S

are local products: two passes over the layers behind for each node, the square root of P of them. Sums over
rows average the rounding, so that the error is below that of differences of the parameters. Where rows
influence each other, and for parameters without nodes, see `gradmark.nodes`.
"""

from dataclasses import dataclass
from typing import Any

from gradmark.arguments import check_positive, check_switch
from gradmark.claims import Claims, Growth, Truncated
from gradmark.criterion import RowWise
from gradmark.dense_chain import chain_of
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.nodes import against_nodes, nodes_of
from gradmark.parameters import Parameters, detached, finished
from gradmark.problem import Problem
from gradmark.work import Work, counting
from methods.finite_difference.structured.node_changes import bind
from methods.finite_difference.structured.node_difference_on_chains import prepare_on_chain
from methods.forward.structured.node_slopes import Bound


@dataclass(frozen=True)
class NodeDifference:
    """Two-sided differences of the losses of rows, node by node, each over the layers behind it.

    `step` is the absolute step of every node; None: (eps max(s, 1))^(1/3) for pre-activations with the
    root mean square s (see `node_steps`). `fast` lets it use rank-1 updates on
    chains of dense layers on NumPy and torch.
    """

    step: float | None = None
    fast: bool = True

    def __post_init__(self) -> None:
        if self.step is not None:
            check_positive("node_difference", "step", self.step)
        check_switch("node_difference", "fast", self.fast)

    @property
    def claims(self) -> Claims:
        """Second order in the step; a forward pass, and two evaluations behind each node."""
        return Claims(
            family="finite-difference",
            exactness=Truncated(2, "step"),
            reads=frozenset({"loss", "layers"}),
            growth=Growth(
                passes=0.5,
                time={"parameters": 1.5, "batch": 1, "depth": 2},
                memory={"parameters": 1, "batch": 1, "depth": 1},
            ),
            work=lambda problem: Work(forward=1 + 2 * nodes_of(problem).directions),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs layers that take a population axis, and a loss that is a mean over rows."""
        if reason := unsupported(self, problem, want) or against_nodes(problem):
            return reason
        if not problem.population:
            return f"{problem.call.name} takes no population axis"
        return None if isinstance(problem.criterion, RowWise) else "its loss is not known row by row"

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Allocate the workspace of a chain; elsewhere the nodes are found when rows come."""
        check_supported(self, problem, want)
        if self.fast and (chain := chain_of(problem)) is not None:
            return prepare_on_chain(problem, chain, self.step)
        return _portable(problem, self.step)


def _portable(problem: Problem, step: float | None) -> Prepared:
    """Every number of rows has nodes of its own, and is compiled for itself on JAX."""
    compiled, bound = problem.arrays.backend == "jax", dict[int, Bound]()

    def gradient(
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Any = None,
        state: Any = None,
    ) -> Estimate:
        draw = draw or problem.default_draw
        if draw.count not in bound:
            bound[draw.count] = bind(nodes_of(problem, draw), step)
        with counting() as work:
            value, result = bound[draw.count](detached(parameters), draw)
        return Estimate(finished(result), value, work.total(declared=compiled))

    return gradient
