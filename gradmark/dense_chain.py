"""Chains of dense layers with functions of single numbers between them: what methods have fast forms for."""

from dataclasses import dataclass
from typing import Any

from gradmark.layer import Affine, Elementwise, NamedLayer
from gradmark.problem import Problem


@dataclass(frozen=True)
class DenseChain:
    """Affine layers z_l = h_{l-1} W_l^T + b_l, and the functions h_l = sigma_l(z_l) between them."""

    affine: tuple[NamedLayer, ...]
    between: tuple[Any, ...]

    @property
    def widths(self) -> tuple[int, ...]:
        """Inputs, units of each layer, outputs."""
        layers: list[Any] = [named.layer for named in self.affine]
        return (layers[0].fan_in, *(layer.fan_out for layer in layers))

    def has_bias(self, index: int) -> bool:
        """Whether affine layer `index` has a bias."""
        return "bias" in self.affine[index].names


def chain_of(problem: Problem) -> DenseChain | None:
    """The problem as such a chain on NumPy or torch, no parameter used twice; None where it is none."""
    layers = problem.layers or ()
    affine, between = layers[::2], layers[1::2]
    if problem.arrays.backend not in ("numpy", "torch") or len(layers) % 2 == 0:
        return None
    used = [full for named in layers for full in named.names.values()]
    if sorted(used) != sorted(problem.parameters):
        return None
    if not all(isinstance(each.layer, Elementwise) and not each.names for each in between):
        return None
    if not all(_is_dense(each) for each in affine):
        return None
    return DenseChain(affine, tuple(each.layer for each in between))


def _is_dense(named: NamedLayer) -> bool:
    layer, shapes = named.layer, named.layer.shapes()
    if not isinstance(layer, Affine) or shapes.get("weight") != (layer.fan_out, layer.fan_in):
        return False
    return set(shapes) == {"weight"} or shapes == {"weight": shapes["weight"], "bias": (layer.fan_out,)}
