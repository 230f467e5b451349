"""Backpropagation that keeps no states where layers can be inverted (Gomez et al. 2017, arXiv 1707.04585).

Of a run of invertible layers only the last output is kept. On the way back each layer's input is computed
from its output, with what its pullback needs, for one more forward pass through these layers; then it is
pulled back as in `backprop`. So what is held beside the gradient does not grow with the number of blocks.

An input comes back as (x + f) - f, so with the roundings of x + f: the relative error of the gradient grows
like the number of blocks, and like the units themselves grow from the first block to the last. Where more
than half of the digits are lost the call is answered with a `UsageError` instead of a gradient: the input of
the first block is kept, to be compared with what comes back.
"""

from dataclasses import dataclass
from typing import Any

from gradmark import passes
from gradmark.arrays import Array
from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.layer import Invertible
from gradmark.measuring.saved import distinct_bytes
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.work import Work, count, uncounted
from methods.reverse.buffers import no_graph
from methods.reverse.checkpointing.portable import pulled_back
from methods.reverse.checkpointing.steps import layer_costs


@dataclass(frozen=True)
class ReversibleBackprop:
    """Hand-derived reverse mode that inverts what can be inverted (`gradmark.layer.Invertible`).

    What the other layers save is kept: without invertible layers it is `backprop` in its portable form. Not
    on JAX, where XLA decides what is held, and compiled code cannot say that digits were lost.
    """

    @property
    def claims(self) -> Claims:
        """Exact, with rounding that grows with depth; at most two forward passes, and one pullback.

        The memory that does not grow with depth is that beside the gradient.
        """
        return Claims(
            family="reverse",
            exactness=Exact(),
            reads=frozenset({"loss", "pullback"}),
            growth=Growth(
                passes=0,
                time={"parameters": 1, "batch": 1, "depth": 1},
                memory={"parameters": 1, "batch": 1, "depth": 0},
            ),
            work=_work,
            backends=frozenset({"numpy", "torch"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs layers."""
        if problem.layers is None:
            return f"{problem.call.name} has no layers to run the delta recursion through"
        return unsupported(self, problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """There is nothing to prepare but the work, which is the same in every call."""
        check_supported(self, problem, want)
        whole, without_graph = _work(problem), no_graph(problem)

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            draw = draw or problem.default_draw
            with without_graph():
                value, found = _value_and_gradient(problem, parameters, draw)
            work = whole.times(share_of_rows(problem, draw))
            count(forward=work.forward, pullback=work.pullback)
            return Estimate(found, value, work)

        return gradient

    def saved(self, problem: Problem) -> dict[str, int]:
        """The bytes that each layer is the first to keep: an inverted run's ends, all of other layers."""
        return _saved(problem)


def _saved(problem: Problem) -> dict[str, int]:
    with uncounted():
        outputs, kept = _forward(problem, problem.parameters, problem.default_draw)
    ends = [(each.start, each.end) if isinstance(each, _Run) else each for each in kept]
    by_layer = {named.prefix: each for named, each in zip(problem.layers or (), ends, strict=True)}
    return distinct_bytes({**by_layer, "loss": outputs}, problem.parameters.values())


def _work(problem: Problem) -> Work:
    """One forward pass, and another one through the layers that are inverted."""
    costs, inverted = layer_costs(problem), _inverted(problem)
    again = sum(cost for cost, each in zip(costs, inverted, strict=True) if each)
    return Work(forward=(sum(costs) + again) / sum(costs), pullback=1)


def _inverted(problem: Problem) -> list[bool]:
    """Whether each layer is inverted: not where nobody needs its derivative."""
    layers = problem.layers or ()
    first = next(index for index, named in enumerate(layers) if named.names)
    return [index >= first and isinstance(named.layer, Invertible) for index, named in enumerate(layers)]


def _value_and_gradient(problem: Problem, parameters: Parameters, draw: Draw) -> tuple[Any, dict[str, Any]]:
    criterion: Any = problem.criterion
    outputs, kept = _forward(problem, parameters, draw)
    value, delta = criterion.value(outputs, draw), criterion.pullback(outputs, draw)
    gradient: dict[str, Array] = {}
    x = None  # the input of the layer behind
    for index, named in reversed(list(enumerate(problem.layers or ()))):
        saved = kept.pop()
        if isinstance(saved, _Run):
            layer: Any = named.layer
            y, first = (x if saved.end is None else saved.end), saved.start
            x, saved = layer.inverse(named.own(parameters), y, draw)
            if first is not None:
                _check(problem, named.prefix, first, x)
        delta = pulled_back(problem, parameters, (saved,), delta, gradient, index)
    return value, {name: gradient[name] for name in parameters}


@dataclass(frozen=True)
class _Run:
    """What is kept of a layer in a run of inverted ones: the first one's input, the last one's output."""

    start: Array | None
    end: Array | None


def _forward(problem: Problem, parameters: Parameters, draw: Draw) -> tuple[Array, list[Any]]:
    """The outputs, and what is kept of each layer: a `_Run`, or what the layer saved."""
    inverted = [False, *_inverted(problem), False]
    h, kept = draw.arrays.get("inputs"), list[Any]()
    for index, (before, here, behind) in enumerate(zip(inverted, inverted[1:], inverted[2:], strict=False)):
        x, trace = h, passes.forward_layers(problem, parameters, draw, h, index, index + 1)
        h = trace.outputs
        run = _Run(None if before else x, None if behind else h)
        kept.append(run if here else trace.saved[0])
    return h, kept


def _check(problem: Problem, prefix: str, x: Array, again: Array) -> None:
    """Refuse to go on with an input of which less than half of the digits came back."""
    xp = problem.arrays.xp
    if problem.arrays.device == "meta":  # shapes, which have no digits
        return
    off, size = float(xp.max(xp.abs(again - x))), float(xp.max(xp.abs(x)))
    if off > problem.arrays.epsilon**0.5 * size:
        raise UsageError(
            f"reversible_backprop: the input of `{prefix}`, of size {size:.1g}, came back with an error of "
            f"{off:.1g}, because the units grow so much in the blocks behind it: choose a smaller gain or a "
            "wider dtype, or use checkpointed_backprop."
        )
