"""The chain rule, path by path: the derivative at each node as a sum over all paths to the outputs.

This is the exponential way that backpropagation avoids, for networks small enough to afford it; with
`memoise` it is what backpropagation does, one scalar at a time. See `paths` for the recursion, and for the
number of its multiplications.
"""

from dataclasses import dataclass
from typing import Any, cast

from gradmark.arguments import check_switch
from gradmark.arrays import Array
from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.layer import Affine, Elementwise, NamedLayer
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, detached, finished
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import Work, count
from methods.reverse.paths import Paths, from_every_node

MOST = 200_000
"""Multiplications for each row, which Python makes one by one: some tenths of a second on NumPy."""


@dataclass(frozen=True)
class PathSum:
    """dL/dz_l[j] as a sum over paths of products of W_{m+1}[k, i] sigma'(z_m[i]); dW = dz^T h, db = 1^T dz.

    `memoise` keeps each node's derivative, so that every edge is used once. Rows are computed side by side,
    paths never.

    ``Work.multiplications`` counts, as they are made, those of a factor by the derivative behind it: one for
    each edge that a sum is continued over, and for each row. Not among them, for they are the same in either
    form: those that make the factors, and those of dz^T h. A pullback is as many multiplications as `memoise`
    makes, so the sum over paths is many pullbacks.
    """

    memoise: bool = False

    def __post_init__(self) -> None:
        check_switch("path_sum", "memoise", self.memoise)

    @property
    def claims(self) -> Claims:
        """Exact; without `memoise` the time is exponential in depth and no power of P, so none is claimed."""
        linear = {"parameters": 1.0, "batch": 1.0, "depth": 1.0}
        return Claims(
            family="reverse",
            exactness=Exact(),
            reads=frozenset({"loss", "pullback"}),
            growth=Growth(passes=0, time=linear if self.memoise else {"batch": 1}, memory=linear),
            work=self._claimed,
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs affine and elementwise layers, and few enough paths."""
        if reason := unsupported(self, problem, want):
            return reason
        if problem.layers is None:
            return f"{problem.call.name} has no layers, whose nodes the paths would lead through"
        for named in problem.layers:
            if not isinstance(named.layer, Affine) and not _is_elementwise(named):
                kind = type(named.layer).__name__
                return f"its layer `{named.prefix}` ({kind}) is neither affine nor elementwise"
        widths = _widths(problem)
        if not widths:
            return f"{problem.call.name} has no affine layer, so it has no nodes"
        number = from_every_node(widths, memoise=self.memoise)
        if number > MOST:
            return f"it would multiply {number:.3g} times for each row, and at most {MOST} times is allowed"
        return None

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Nothing to prepare."""
        check_supported(self, problem, want)
        least = from_every_node(_widths(problem), memoise=True)

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw, point = draw or problem.default_draw, detached(parameters)
            value, result, made = self._differentiated(problem, point, draw)
            work = _work(made, least, draw.count, share_of_rows(problem, draw))
            count(forward=work.forward, pullback=work.pullback)
            return Estimate(finished(result), value, work)

        return gradient

    def _differentiated(
        self, problem: Problem, parameters: Parameters, draw: Draw
    ) -> tuple[Array, dict[str, Array], int]:
        """The loss, its gradient, and the multiplications made for each row."""
        layers, criterion, xp = problem.layers or (), problem.criterion, problem.arrays.xp
        assert criterion is not None
        h, affine = draw.arrays["inputs"], []
        slopes: list[Array | None] = []
        for named in layers:
            y, saved = named.layer.forward(named.own(parameters), h, draw)
            if isinstance(named.layer, Affine):
                affine.append((named, h))
                slopes.append(None)
            elif affine:
                slope = cast(Elementwise, named.layer).derivative(saved)
                slopes[-1] = slope if slopes[-1] is None else slopes[-1] * slope
            h = y
        ends = _scaled(criterion.pullback(h, draw), slopes[-1])
        weights = [named.own(parameters)["weight"] for named, _ in affine]
        pairs = zip(weights[1:], slopes, strict=False)
        paths = Paths([_factors(xp, *pair) for pair in pairs], _columns(ends), self.memoise)
        gradient: dict[str, Array] = {}
        for layer, (named, x) in enumerate(affine):
            nodes = [paths.derivative(layer, node) for node in range(weights[layer].shape[0])]
            dz = xp.stack(nodes, axis=-1)
            own = {"weight": xp.matmul(xp.matrix_transpose(dz), x), "bias": xp.sum(dz, axis=0)}
            for name, full in named.names.items():
                gradient[full] = gradient[full] + own[name] if full in gradient else own[name]
        return criterion.value(h, draw), {name: gradient[name] for name in parameters}, paths.multiplications

    def _claimed(self, problem: Problem) -> Work:
        widths = _widths(problem)
        made = from_every_node(widths, memoise=self.memoise)
        return _work(made, from_every_node(widths, memoise=True), problem.default_draw.count, 1.0)


def _work(made: int, least: int, rows: int, share: float) -> Work:
    """`made` multiplications for each of `rows` rows, where a pullback is `least` of them (if any)."""
    pullbacks = made / least if least else 1.0
    return Work(forward=share, pullback=share * pullbacks, multiplications=float(made * rows))


def _is_elementwise(named: NamedLayer) -> bool:
    """Without parameters, whose gradients would be asked for."""
    return isinstance(named.layer, Elementwise) and not named.names


def _widths(problem: Problem) -> list[int]:
    """How many nodes each affine layer has."""
    return [named.layer.fan_out for named in problem.layers or () if isinstance(named.layer, Affine)]


def _scaled(array: Array, slope: Array | None) -> Array:
    return array if slope is None else array * slope


def _columns(array: Array) -> list[Array]:
    return [array[:, unit] for unit in range(array.shape[1])]


def _factors(xp: Any, weight: Array, slope: Array | None) -> list[list[Array]]:
    """W[k, j] sigma'(z[j]) at [j][k], for all rows; one number where no layer stands between."""
    fan_out, fan_in = weight.shape
    if slope is None:
        return [[weight[k, j] for k in range(fan_out)] for j in range(fan_in)]
    table = xp.matrix_transpose(weight)[:, :, None] * xp.matrix_transpose(slope)[:, None, :]
    return [[table[j, k, :] for k in range(fan_out)] for j in range(fan_in)]
