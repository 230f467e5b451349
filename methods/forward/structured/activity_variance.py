"""The variance of activity perturbation, exactly, at one problem.

With S_b the derivatives of the loss at all nodes of block b (a row, where rows are independent), J_b the
derivatives of these nodes with respect to their parameters, so that J_b^T S_b = g_b is the block's share of
the gradient, c_b its share of the gradient of the Q parameters c that move themselves, and m the fourth
moment of the noise, one direction has

    E|g_hat - g|^2 = sum over b of (|S_b|^2 + |c_b|^2) |J_b|^2 + |g_b|^2
                     + (m - 3) sum over b and i of S_b,i^2 |J_b,i|^2 + (|S|^2 + |c|^2) Q + (m - 2) |c|^2,

because the covariance of (S_b . u) u is |S_b|^2 I + S_b S_b^T + (m - 3) diag(S_b^2), and blocks are not
correlated. For dense layers |J_b,i|^2 = |h_(l-1),b|^2 + 1, and of a row in which nothing moves itself this is

    sum over l of (|h_(l-1),b|^2 + 1) (n_l |S_b|^2 + (m - 2) |S_l,b|^2).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradmark import passes
from gradmark.arrays import to_numpy
from gradmark.layer import Affine
from gradmark.nodes import Nodes, Site, nodes_of
from gradmark.noise_laws import noise_law
from gradmark.parameters import Parameters, size
from gradmark.problem import Problem
from gradmark.work import uncounted

_ROUNDING = 2.0**-40
"""A variance that is so small a part of its terms is their rounding: sums of thousands, of 53 bits each."""


def variance_factor(problem: Problem, gradient: Parameters, law: str) -> float:
    """E|g_hat - g|^2 / |g|^2 with one direction, at the problem's point and default draw.

    In float64 on NumPy, by a backward pass for each block. Infinite where the gradient is zero.
    """
    known = noise_law(law)
    assert known is not None, law
    length = _squared(to_numpy(array) for array in gradient.values())
    with uncounted():
        variance = _variance(nodes_of(problem.to(backend="numpy", dtype="float64")), known.fourth(1))
    return variance / length if length > 0 else float("inf")


def _variance(nodes: Nodes, fourth: float) -> float:
    problem, draw, criterion = nodes.problem, nodes.problem.default_draw, nodes.problem.criterion
    assert criterion is not None
    trace, seen = nodes.forward(problem.parameters, draw)
    cotangent = criterion.pullback(trace.outputs, draw)

    def back(part: Any) -> dict[str, Any]:
        return passes.outputs_pullback(problem, problem.parameters, draw, trace, part)

    gradient = back(cotangent)
    s, reach, mixed = np.zeros((3, nodes.blocks))
    for site in nodes.sites:
        square, lengths = gradient[site.offset] ** 2, _lengths(nodes, site, seen[site.offset])
        for total, part in ((s, square), (reach, lengths), (mixed, square * lengths)):
            total += np.sum(part.reshape(nodes.blocks, -1), axis=1)
    inside = [name for name in nodes.names if name not in nodes.others]
    shared, apart = 0.0, np.zeros(nodes.blocks)
    for block, part in enumerate(_by_block(cotangent, nodes.blocks)):
        share = back(part)
        shared += _squared(share[name] for name in inside)
        apart[block] = _squared(share[name] for name in nodes.others)
    whole = _squared(gradient[name] for name in nodes.others)
    number = size({name: problem.parameters[name] for name in nodes.others})
    plus = float((s + apart) @ reach) + shared + (float(np.sum(s)) + whole) * number + whole
    minus = (3 - fourth) * (float(np.sum(mixed)) + whole)
    # One node for each row, moved by signs, has none: then nothing but rounding is left.
    return plus - minus if plus - minus > _ROUNDING * plus else 0.0


def _by_block(cotangent: Any, blocks: int) -> Iterator[Any]:
    """`cotangent` of the outputs with zeros outside of one block, for each."""
    rows = len(cotangent) // blocks
    for start in range(0, len(cotangent), rows):
        only = np.zeros_like(cotangent)
        only[start : start + rows] = cotangent[start : start + rows]
        yield only


def _lengths(nodes: Nodes, site: Site, saved: Any) -> Any:
    """|J_i|^2 of every node of a site, shape (rows, units): the same for all units of an affine layer."""
    layer: Any = site.owner.layer
    own, (rows, units) = site.owner.own(nodes.problem.parameters), site.shape
    found = np.zeros((rows, 1 if isinstance(layer, Affine) else units))
    for index in np.ndindex(found.shape):
        one = np.zeros(site.shape)
        one[index] = 1.0
        found[index] = _squared(layer.own_gradient(own, saved, one).values())
    # An offset that is a parameter itself, because the problem was opened before, is one more.
    return np.broadcast_to(found + (site.offset in nodes.names), site.shape)


def _squared(arrays: Any) -> float:
    return sum(float(np.sum(np.asarray(array, dtype=np.float64) ** 2)) for array in arrays)
