"""torch's automatic mixed precision: ``torch.autocast`` around the loss, and a scaled loss.

Parameters stay in float32; matrix products and convolutions inside of ``torch.autocast`` round their operands
to 16 bits, while what torch's lists call sensitive (sums, losses) runs in float32. The scale is that of
``torch.amp.GradScaler``, which needs an optimizer and is therefore written out here.
"""

from dataclasses import dataclass
from typing import Any

from gradmark.claims import Claims, Exact, Growth
from gradmark.draw import Draw
from gradmark.errors import UsageError, in_one_line
from gradmark.measuring.saved import saved_by_torch
from gradmark.method import Estimate, Prepared, Want, check_supported, unsupported
from gradmark.parameters import Parameters
from gradmark.passes import share_of_rows
from gradmark.problem import Problem
from gradmark.remembering import once_for
from gradmark.work import Work, count, uncounted
from methods.reverse.mixed_precision.loss_scale import checked
from methods.reverse.mixed_precision.scaling import Scaling


@dataclass(frozen=True)
class TorchAutocast:
    """``torch.autocast`` in `precision`; the fields are those of `mixed_precision_backprop`.

    A float64 problem is taken at float32, because autocast leaves float64 alone. An overflow repeats the way
    back at half the scale, where GradScaler would skip the step: ``retries=0`` skips it.
    """

    precision: str = "float16"
    loss_scale: str = "dynamic"
    scale: float = 2.0**16
    growth_interval: int = 2000
    retries: int = 30

    def __post_init__(self) -> None:
        self._scaling()

    def _scaling(self) -> Scaling:
        return Scaling(
            "torch_autocast",
            self.precision,
            self.loss_scale,
            self.scale,
            self.growth_interval,
            self.retries,
        )

    @property
    def claims(self) -> Claims:
        """Exact in `precision`; how often the way back is repeated is told by `work` of each call."""
        once = self._scaling().tries == 1
        return Claims(
            family="reverse",
            exactness=Exact(),
            reads=frozenset({"loss", "torch graph"}),
            growth=Growth(
                passes=0,
                time={"parameters": 1, "batch": 1, "depth": 1},
                memory={"parameters": 1, "batch": 1, "depth": 1},
            ),
            work=(lambda problem: Work(forward=1, pullback=1)) if once else None,
            precision=self.precision,
            backends=frozenset({"torch"}),
        )

    def supports(self, problem: Problem, want: Want = "gradient") -> str | None:
        """It needs torch tensors in float32, or in float64, which are rounded to it.

        A loss of foreign code is tried, because torch does not have each of its kernels in each precision.
        """
        if reason := unsupported(self, problem, want):
            return reason
        if problem.arrays.dtype not in ("float32", "float64"):
            return f"its parameters are in float32, not in {problem.arrays.dtype}"
        if problem.arrays.device == "meta":
            return "it looks whether numbers are finite, and meta tensors have none"
        if problem.layers is not None:
            return None
        key = ("under torch.autocast", self.precision)
        return once_for(problem, key, lambda: _reason_against_kernels(problem, self.precision))

    def prepare(self, problem: Problem, want: Want = "gradient") -> Prepared:
        """Take the problem at float32."""
        check_supported(self, problem, want)
        inside, scaling = _in_float32(problem), self._scaling()

        def gradient(
            parameters: Parameters,
            seed: int = 0,
            *,
            draw: Draw | None = None,
            direction: Any = None,
            state: Any = None,
        ) -> Estimate:
            before, draw = checked(state, scaling.first), draw or problem.default_draw
            value, leaves = _evaluated(inside, self.precision, parameters, draw)
            _check(problem, self.precision, value)
            made = share_of_rows(problem, draw)
            way = _WayBack(problem, value, leaves, made, keep=scaling.tries > 1)
            result, after = scaling.gradient(way, before, problem.call.name)
            work = Work(forward=made, pullback=way.passes, declared=True)
            return Estimate(result, value.detach().to(problem.arrays.dtype_object), work, state=after)

        return gradient

    def saved(self, problem: Problem) -> dict[str, int]:
        """The bytes that the graph keeps; the inputs and the rounded copies of matrices among them."""
        with _autocast(problem, self.precision):
            return saved_by_torch(_in_float32(problem))


def _in_float32(problem: Problem) -> Problem:
    return problem if problem.arrays.dtype == "float32" else problem.to(dtype="float32")


def _evaluated(
    inside: Problem, precision: str, parameters: Parameters, draw: Draw
) -> tuple[Any, dict[str, Any]]:
    """The loss, with its graph, and the parameters at its other end."""
    rows = Draw(inside.arrays.cast(draw.arrays), draw.seed)
    leaves = {
        name: array.detach().requires_grad_(True) for name, array in inside.arrays.cast(parameters).items()
    }
    with inside.arrays.xp.enable_grad(), _autocast(inside, precision):
        return inside.loss(leaves, rows), leaves


def _reason_against_kernels(problem: Problem, precision: str) -> str | None:
    torch, inside = problem.arrays.xp, _in_float32(problem)
    try:
        with uncounted():
            value, leaves = _evaluated(inside, precision, inside.parameters, inside.default_draw)
            torch.autograd.grad(value, list(leaves.values()), allow_unused=True)
    except RuntimeError as error:
        return f"torch cannot differentiate its loss in {precision} ({in_one_line(error).rstrip('.')})"
    return None


def _autocast(problem: Problem, precision: str) -> Any:
    torch = problem.arrays.xp
    kind = "cuda" if problem.arrays.device.startswith("cuda") else "cpu"
    return torch.autocast(kind, dtype=getattr(torch, precision))


@dataclass
class _WayBack:
    """``torch.autograd.grad`` of the scaled loss, as often as it is asked for; it counts its passes."""

    problem: Problem
    value: Any
    leaves: dict[str, Any]
    rows: float
    keep: bool
    passes: float = 0.0

    def __call__(self, scale: float) -> tuple[dict[str, Any], str | None]:
        torch, dtype = self.problem.arrays.xp, self.problem.arrays.dtype_object
        with torch.enable_grad():  # a caller may record none
            scaled = scale * self.value
        found = torch.autograd.grad(
            scaled,
            list(self.leaves.values()),
            allow_unused=True,
            materialize_grads=True,
            retain_graph=self.keep,
        )
        count(pullback=self.rows)  # torch makes it, where no layer can report it
        self.passes += self.rows
        gradient = {name: a.to(dtype) / scale for name, a in zip(self.leaves, found, strict=True)}
        finite = torch.stack([torch.isfinite(array).all() for array in found]).tolist()
        bad = [name for name, fine in zip(gradient, finite, strict=True) if not fine]
        return gradient, (bad[-1] if bad else None)


def _check(problem: Problem, precision: str, value: Any) -> None:
    if bool(value.isfinite()):
        return
    raise UsageError(
        f"{problem.call.name}: the loss is {float(value.detach()):g} under torch.autocast in {precision}: "
        "scale inputs or parameters down, or take mixed_precision_backprop, which says in which layer."
    )
