"""Forward mode on the nodes of a network: one tangent for each pre-activation, not for each parameter.

The weights of a layer enter through its nodes z = h W^T + b alone. So the tangents that start at z, one for
each of its units, moved in all rows at once and pushed through the layers above, tell

    S[row, unit] = dL/dz[row, unit],   and then   dW = S^T h,   db = 1^T S

are local products of what is known at the layer. A chain of L layers of width n has n L directions instead
of n^2 L, and the derivative is exact: no way back, nothing random. The slope of the loss is needed row by
row, and where rows influence each other there are more directions: see `gradmark.nodes`.
"""

from dataclasses import dataclass
from typing import Any

from gradmark.arguments import check_switch
from gradmark.claims import Claims, Exact, Growth
from gradmark.dense_chain import chain_of
from gradmark.draw import Draw
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.nodes import against_nodes, nodes_of
from gradmark.parameters import Parameters, detached, finished
from gradmark.problem import Problem
from gradmark.work import Work, counting
from methods.forward.slopes import against_layers
from methods.forward.structured.node_slopes import Bound, bind
from methods.forward.structured.node_tangent_on_chains import prepare_on_chain


@dataclass(frozen=True)
class NodeTangent:
    """Forward mode over all nodes, for problems that know their layers, on every backend.

    `fast` lets it work on chains of dense layers in buffers allocated once (`node_tangent_on_chains.py`).

    It reads no layer's way back. What it shares with backpropagation are the ends: the gradient of the loss
    with respect to the outputs, and each layer's own product S^T h (`gradmark.layer.Nodal`), which is one
    third of what backpropagation multiplies and is no pass. On chains it shares the products with the last
    two matrices as well: there a tangent is the same in every row, or has one number left.
    """

    fast: bool = True

    def __post_init__(self) -> None:
        check_switch("node_tangent", "fast", self.fast)

    @property
    def claims(self) -> Claims:
        """Exact; one forward pass, and a tangent pass for each direction, the square root of P of them."""
        return Claims(
            family="forward",
            exactness=Exact(),
            reads=frozenset({"loss", "pushforward"}),
            growth=Growth(
                passes=0.5,
                time={"parameters": 1.5, "batch": 1, "depth": 2},
                memory={"parameters": 1, "batch": 1, "depth": 1},
            ),
            work=lambda problem: Work(forward=1, tangent=nodes_of(problem).directions),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs layers that have a pushforward."""
        return against_layers(problem) or unsupported(self, problem, want) or against_nodes(problem)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Allocate the workspace of the fast path, or find the nodes."""
        check_supported(self, problem, want)
        portable = _portable(problem)
        if self.fast and (chain := chain_of(problem)) is not None:
            return prepare_on_chain(problem, chain, portable)
        return portable


def _portable(problem: Problem) -> Prepared:
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
            bound[draw.count] = bind(nodes_of(problem, draw))
        with counting() as work:
            value, result = bound[draw.count](detached(parameters), draw)
        return Estimate(finished(result), value, work.total(declared=compiled))

    return gradient
