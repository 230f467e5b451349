"""A control variate for evolution strategies: a vector b that is near the gradient, whose part is known.

    g_hat = b + (the estimate of another method for f(y) - b . (y - x))

The loss inside has the slope g - b at x, so that chance adds as much as g - b is long, and not g:
E|g_hat - g|^2 = v |g - b|^2 / M on a linear loss where the method has v |g|^2 / M. The mean stays, whatever b
is, unless b depends on this call's noise (control variates: Hammersley and Handscomb 1964).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gradmark.arrays import Array
from gradmark.claims import Claims, Unbiased
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.function_problem import kind_of
from gradmark.method import Estimate, Method, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters, detached, finished, zeros_like
from gradmark.problem import Problem
from methods.transformations.clipping import inner_method

_SLOPE, _CENTRE = "control.slope.", "control.centre."


@dataclass(frozen=True)
class ControlVariate:
    """The estimate of `method` with the vector that is given as ``state``: named arrays, like the parameters.

    Without a state b is zero. Each answer's own state is its estimate: given to the next call, the last
    gradient is the control variate. `method` is a name, with hyper-parameters as in
    ``gaussian_es:pairs=4;sigma=0.1``; it must read the loss alone and claim its mean.
    """

    method: str = "gaussian_es"

    def __post_init__(self) -> None:
        claims = self._inner.claims
        if not claims.black_box or not isinstance(claims.exactness, Unbiased):
            raise UsageError(
                f"control_variate: `method={self.method!r}` must read the loss alone and claim to be "
                "unbiased, as gaussian_es does: a term is added to its loss, whose mean must be known."
            )

    @property
    def claims(self) -> Claims:
        """Those of the method inside: without a state they hold; with one the variance is another."""
        inner = self._inner.claims
        assert isinstance(inner.exactness, Unbiased)
        return replace(inner, exactness=replace(inner.exactness, samples="samples"))

    @property
    def samples(self) -> float:
        """How many independent samples an estimate is made of: those of the method inside."""
        inside = self._inner.claims.exactness
        assert isinstance(inside, Unbiased)
        return float(getattr(self._inner, inside.samples))

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """What the method inside supports."""
        return unsupported(self, problem, want) or self._inner.supports(problem, want)

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Prepare the method inside for the tilted loss; b goes with the draw, never into a trace."""
        check_supported(self, problem, want)
        inner, xp = self._inner.prepare(_Tilted(problem), want), problem.arrays.xp

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            point = detached(parameters)
            b = zeros_like(point, xp) if state is None else _like(state, point)
            found = inner(point, seed, draw=_with(draw or problem.default_draw, b, point))
            result = finished({name: array + b[name] for name, array in found.gradient.items()})
            # A copy: what is done to the result, by an optimiser perhaps, changes no state.
            state = {name: xp.asarray(array, copy=True) for name, array in result.items()}
            return replace(found, result=result, state=state)

        return gradient

    @property
    def _inner(self) -> Method:
        return inner_method("control_variate", self.method)


def _with(draw: Draw, b: Mapping[str, Array], centre: Mapping[str, Array]) -> Draw:
    """The draw that also holds b and the point x; its own arrays stand first, and count the rows."""
    more = {_SLOPE + name: array for name, array in b.items()}
    more |= {_CENTRE + name: array for name, array in centre.items()}
    return Draw({**draw.arrays, **more}, draw.seed)


def _like(state: Any, point: Mapping[str, Array]) -> Mapping[str, Array]:
    """`state` as named arrays that are like the parameters; `UsageError` otherwise."""
    given = state if isinstance(state, Mapping) else {}
    if _described(given) != (like := _described(point)):
        shapes = {name: shape for name, (shape, _) in like.items()}
        kinds = " or ".join(sorted({" ".join(kind) for _, kind in like.values()}))
        raise UsageError(
            "control_variate: `state` must be a vector like the parameters, named arrays of the shapes "
            f"{shapes} ({kinds}), such as the state of the last answer."
        )
    return detached(given)


def _described(named: Mapping[str, Any]) -> dict[str, Any]:
    """Shape, library, device and dtype of each array; None for what is no array."""
    return {
        name: (tuple(array.shape), kind_of(array)) if hasattr(array, "shape") else None
        for name, array in named.items()
    }


class _Tilted:
    """A problem whose loss is f(y) - b . (y - x), with b and x from the draw; it shows no structure."""

    layers = criterion = unroll = sparsity = closed_form = None

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        zero = zeros_like(problem.parameters, problem.arrays.xp)
        self.default_draw = _with(problem.default_draw, zero, problem.parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._problem, name)

    def loss(self, parameters: Parameters, draw: Draw | None = None) -> Array:
        """f(y) - b . (y - x); with a population axis one for each member."""
        arrays, xp = (draw or self.default_draw).arrays, self._problem.arrays.xp
        own = {name: array for name, array in arrays.items() if not name.startswith("control.")}
        loss = self._problem.loss(parameters, Draw(own))
        for name, array in parameters.items():
            b, centre = arrays[_SLOPE + name], arrays[_CENTRE + name]
            product = b * (array - centre)
            loss = loss - xp.sum(product, axis=tuple(range(product.ndim - b.ndim, product.ndim)))
        return loss
