"""Divided differences: finite changes of a network's nodes, passed on to the loss without subtracting.

A difference quotient (f(x + s) - f(x)) / s loses to rounding what a small s saves in truncation, because it
subtracts. Here the change itself is computed: every layer knows what its output changes by where its input
changes by d (`gradmark.differenced.Differenced`: d W^T for x W^T, t (1 - h^2) / (1 + h t) with t = tanh d for
h = tanh z, d (2 a + d) for a square), to the last digit of d and not of f. So s may be as small as one likes,
and truncation alone is left (Kahan and Fateman 1985; Reps and Rall 2003).

What moves are the nodes of `gradmark.nodes`: one change for each unit, in all rows at once, each row's loss
by itself. With S = what the row's loss changes by / s, dW = S^T h: the square root of P changes for all P.

Changes are to the left, by -s: at a kink the derivative is that of the left branch, and so is the quotient.
"""

import math
from dataclasses import dataclass
from typing import Any

from gradmark import passes
from gradmark.arguments import check_positive, check_switch
from gradmark.arrays import Array, Arrays
from gradmark.claims import Claims, Exact, Growth, Truncated
from gradmark.criterion import RowWise
from gradmark.dense_chain import chain_of
from gradmark.differenced import Differenced
from gradmark.draw import Draw
from gradmark.dtypes import smallest
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.nodes import Nodes, against_nodes, nodes_of
from gradmark.parameters import Parameters, detached, finished
from gradmark.problem import Problem
from gradmark.structure import flattened
from gradmark.work import Work, counting
from methods.finite_difference.structured.divided_difference_on_chains import prepare_on_chain
from methods.forward.structured.node_slopes import AlongRows, Bound, bind


@dataclass(frozen=True)
class DividedDifference:
    """One-sided difference quotients at all nodes, for problems that know their layers, on every backend.

    `step` is the absolute change of a node; None: as far below rounding as above underflow (`vanishing`), so
    that truncation is no more seen. `fast` lets it work on chains of dense layers in buffers allocated once,
    where `step` is None (`divided_difference_on_chains.py`).
    """

    step: float | None = None
    fast: bool = True

    def __post_init__(self) -> None:
        check_switch("divided_difference", "fast", self.fast)
        if self.step is not None:
            check_positive("divided_difference", "step", self.step)

    @property
    def claims(self) -> Claims:
        """Of first order in a step, exact without one; an evaluation, and one for each node's change."""
        return Claims(
            family="finite-difference",
            exactness=Exact() if self.step is None else Truncated(1, "step"),
            reads=frozenset({"loss", "difference"}),
            growth=Growth(
                passes=0.5,
                time={"parameters": 1.5, "batch": 1, "depth": 2},
                memory={"parameters": 1, "batch": 1, "depth": 1},
            ),
            work=lambda problem: Work(forward=1 + nodes_of(problem).directions),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs layers and a loss that pass on changes, and a dtype with room below rounding."""
        if reason := unsupported(self, problem, want) or against_nodes(problem):
            return reason
        for named in flattened(problem.layers or ()):
            if not isinstance(named.layer, Differenced):
                return f"the layer {named.prefix} of {problem.call.name} cannot pass on changes"
        if not isinstance(problem.criterion, RowWise):
            return f"the loss of {problem.call.name} is no mean over rows that passes on their changes"
        if self.step is None and problem.arrays.dtype == "float16":
            return "float16 has no room below its rounding: give a step, or take bfloat16"
        return None

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Allocate the workspace of the fast path, or bind the walk through the layers."""
        check_supported(self, problem, want)
        step = vanishing(problem.arrays) if self.step is None else self.step
        portable = _portable(problem, step)
        if self.fast and self.step is None and (chain := chain_of(problem)) is not None:
            return prepare_on_chain(problem, chain, step, portable)
        return portable


def _portable(problem: Problem, step: float) -> Prepared:
    """Every number of rows has nodes of its own, and is compiled for itself on JAX."""
    compiled, bound = problem.arrays.backend == "jax", dict[int, Bound]()

    def rows(nodes: Nodes, point: Parameters, draw: Draw, trace: passes.Trace) -> AlongRows:
        return _by_differences(nodes, point, draw, trace, -step)

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
            bound[draw.count] = bind(nodes_of(problem, draw), rows, "forward")
        with counting() as work:
            value, result = bound[draw.count](detached(parameters), draw)
        return Estimate(finished(result), value, work.total(declared=compiled))

    return gradient


def vanishing(arrays: Arrays) -> float:
    """The power of two next to sqrt(epsilon times the smallest normal number), 2^-537 in float64.

    Its truncation is as far below rounding as it is above underflow: changes may grow or shrink by 2^485 on
    the way (by 2^51 in float32 and 2^59 in bfloat16, whose steps are 2^-74 and 2^-66) and lose nothing. So
    the step needs no scale of the node.
    """
    tiny = max(smallest(arrays.dtype), 2.0**-1022)
    return 2.0 ** round((math.log2(arrays.epsilon) + math.log2(tiny)) / 2)


def _by_differences(
    nodes: Nodes, point: Parameters, draw: Draw, trace: passes.Trace, step: float
) -> AlongRows:
    """(f(x + s v) - f(x)) / s for the share of each row in the loss, by the layers' differences."""
    criterion: Any = nodes.problem.criterion

    def along(directions: Parameters) -> Array:
        changes = {name: step * array for name, array in directions.items()}
        moved = passes.outputs_difference(nodes.problem, point, draw, trace, changes)
        return criterion.row_differences(trace.outputs, draw, moved) / step / trace.outputs.shape[-2]

    return along
