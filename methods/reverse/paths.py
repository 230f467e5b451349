"""A network of affine and elementwise layers as a graph of nodes, and the sum over the paths through it.

The nodes of layer l = 1..L are the pre-activations z_l of its n_l units, and an edge leads from z_l[j] to
z_{l+1}[k] with the factor W_{l+1}[k, j] sigma'(z_l[j]). The derivative of the loss with respect to a node is
the sum, over all paths from it to the outputs, of the product of the factors on the way and of dL/dz_L at the
path's end (Bauer 1974). Taken edge by edge from the node on,

    D_l[j] = sum over k of (factor of the edge to k) * D_{l+1}[k],   D_L = dL/dz_L,

each sum multiplies once for each edge it is continued over. Without a memory D_{l+1}[k] is computed anew by
every node of layer l that asks for it; what backpropagation saves is to compute it once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from gradmark.arrays import Array


def from_one_node(widths: Sequence[int], *, memoise: bool) -> int:
    """Multiplications for the derivative at one node of the first of `widths`, n_0 to n_L.

    Without a memory N_l = n_{l+1} (1 + N_{l+1}) with N_L = 0, which is n_1 + n_1 n_2 + ... + n_1 ... n_L;
    with one, n_1 + n_1 n_2 + n_2 n_3 + ... + n_{L-1} n_L. For L layers of n after the node that is
    (n^{L+1} - n) / (n - 1) against n^2 (L - 1) + n.

    >>> from_one_node((1, *[4] * 8), memoise=False), from_one_node((1, *[4] * 8), memoise=True)
    (87380, 116)
    """
    _, *behind = widths
    if memoise:
        return sum(behind[:1]) + sum(n * m for n, m in pairwise(behind))
    found = 0
    for width in reversed(behind):
        found = width * (1 + found)
    return found


def from_every_node(widths: Sequence[int], *, memoise: bool) -> int:
    """Multiplications for the derivatives at all nodes of all layers, whose `widths` are n_1 to n_L.

    Without a memory the sum over l of n_l N_l, each node starting afresh; with one, every edge once: the sum
    of n_l n_{l+1}.

    >>> from_every_node((2, 3, 2), memoise=False), from_every_node((2, 3, 2), memoise=True)
    (24, 12)
    """
    if memoise:
        return sum(n * m for n, m in pairwise(widths))
    return sum(n * from_one_node(widths[layer:], memoise=False) for layer, n in enumerate(widths))


@dataclass
class Paths:
    """The edges of a graph of nodes: ``factors[l][j][k]`` from node j of layer l to node k of the next.

    A factor is an array of shape (rows,), and so is ``ends[k]``, the derivative at node k of the last layer.
    `multiplications` counts those that `derivative` has made, for one row: each is a factor by a derivative.
    """

    factors: Sequence[Sequence[Sequence[Array]]]
    ends: Sequence[Array]
    memoise: bool
    multiplications: int = 0
    _known: dict[tuple[int, int], Array] = field(default_factory=dict)

    def derivative(self, layer: int, node: int) -> Array:
        """dL/dz of a node, shape (rows,)."""
        if layer == len(self.factors):
            return self.ends[node]
        if (layer, node) in self._known:
            return self._known[layer, node]
        total: Any = None
        for k, factor in enumerate(self.factors[layer][node]):
            product = factor * self.derivative(layer + 1, k)
            self.multiplications += 1
            total = product if total is None else total + product
        if self.memoise:
            self._known[layer, node] = total
        return total
