"""What both ways of clipping share: the method inside, its claims afterwards, and the call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gradmark.arrays import Array
from gradmark.claims import Biased, Claims, Exact, Target, Want
from gradmark.draw import Draw
from gradmark.errors import UsageError, shown
from gradmark.method import Estimate, Method, Prepared
from gradmark.parameters import Parameters

Named = dict[str, Array]


def inner_method(owner: str, text: str) -> Method:
    """The method that ``name:key=value;key=value`` names to `owner`; `UsageError` where there is none.

    A comma would end the value on a command line: hyper-parameters are told apart by semicolons.
    """
    from gradmark.notebook import resolved

    if not isinstance(text, str):
        raise UsageError(
            f"{owner}: `method={shown(text)}` must be the name of a method, as in method='backprop'."
        )
    return resolved(text.replace(";", ","))[1]


def representable(limit: float, xp: Any, dtype: Any) -> float:
    """`limit`, or the largest number of `dtype` where no number of it is that large."""
    return min(float(limit), float(xp.finfo(dtype).max))


def clipped_claims(inner: Claims, target: Target) -> Claims:
    """The claims of a method whose gradient is clipped: an exact one is exact for the clipped gradient.

    Of a random one the mean is not the clipped mean, and of a truncated one no order is left where it is
    clipped: both claim that they point along the gradient, and no more.
    """
    exact = isinstance(inner.exactness, Exact) and inner.target == Target()
    cut = Biased(f"clipped, and before that {inner.exactness}", random=inner.stochastic)
    wants: frozenset[Want] = frozenset({"gradient"})
    return replace(inner, exactness=Exact() if exact else cut, target=target, wants=wants)


@dataclass(frozen=True)
class Clipped:
    """A prepared function whose gradient is changed by `clip`; value, work and state are the inner ones.

    So is the error: a projection onto a convex set brings no two points further apart.
    """

    inner: Prepared
    clip: Callable[[Named], Named]

    def __call__(
        self,
        parameters: Parameters,
        seed: int = 0,
        *,
        draw: Draw | None = None,
        direction: Mapping[str, Array] | None = None,
        state: Any = None,
    ) -> Estimate:
        """The inner estimate, clipped."""
        estimate = self.inner(parameters, seed, draw=draw, direction=direction, state=state)
        return replace(estimate, result=self.clip(estimate.gradient))

    def close(self) -> None:
        """Close what the inner function holds, if it holds anything."""
        if (close := getattr(self.inner, "close", None)) is not None:
            close()
