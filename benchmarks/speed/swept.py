"""One network of the table of steps: its sampled coordinates moved by all steps of a sweep, and the truth."""

import math
from dataclasses import dataclass
from typing import Any

COORDINATES = 160
SWEEP = 45
_COARSEST = 2.0
_LADDER = 70
"""Steps 2^(1 - k/2): all sweeps are parts of it, so that they share their evaluations."""


@dataclass(frozen=True)
class Seed:
    """What `Row` has medians of."""

    ratio: float
    by_dtype: float
    least: float
    covered: bool
    evaluations: float


class Sample:
    """One network, the losses with sampled coordinates moved by each step of the ladder, and the truth."""

    def __init__(self, widths: tuple[int, ...], dtype: str, accumulate: str, seed: int) -> None:
        import numpy as np

        import gradmark
        from methods.finite_difference.evaluating.accumulating import accumulated
        from methods.finite_difference.steps.lines import entry_losses

        plain = gradmark.get_problem(
            "mlp",
            widths=widths,
            activation="tanh",
            loss="mse",
            initialisation="lecun",
            data="synthetic",
            batch=32,
            dtype=dtype,
            seed=seed,
        )
        self.problem: Any = accumulated(plain, accumulate)
        wide = plain.to(dtype="float64")
        exact = gradmark.get_method("backprop").prepare(wide)(wide.parameters).gradient
        self.size = sum(array.size for array in exact.values())
        self.parts = _sampled(exact, seed)
        self.exact = {name: exact[name].ravel()[entries] for name, entries in self.parts.items()}
        self.norm = math.hypot(*(float(np.linalg.norm(array)) for array in self.exact.values()))
        self.losses_at = entry_losses(self.problem)
        self.value = float(self.problem.loss(self.problem.parameters))
        self.ladder = _COARSEST * 2.0 ** (-0.5 * np.arange(_LADDER))
        moves = [sign * step for step in self.ladder for sign in (1, -1)]
        self.swept = {name: self._values(name, moves) for name in exact}

    def _values(self, name: str, moves: Any) -> tuple[Any, Any]:
        """The moves as rounded and the losses, each of shape (coordinates, moves)."""
        import numpy as np

        entries, x = self.parts[name], self.problem.parameters[name]
        at = x.ravel()[entries]
        moved = at[:, None] + np.asarray(moves).astype(x.dtype)
        repeated = np.repeat(entries, moved.shape[1])
        draw = self.problem.default_draw
        losses = (
            self.losses_at(self.problem.parameters, draw, name, repeated, moved.ravel())
            if entries.size
            else moved
        )
        exact = moved.astype(np.float64) - at.astype(np.float64)[:, None]
        return exact, np.asarray(losses, np.float64).reshape(moved.shape)

    def at(self, order: int, rule: str) -> Seed:
        """The error with measured steps, beside the sweep's and that of the dtype's steps."""
        import numpy as np

        from gradmark.work import counting
        from methods.finite_difference.stencils.erring import Erring
        from methods.finite_difference.stencils.weights import central, one_sided
        from methods.finite_difference.steps.choosing import chooser

        stencil = central(order) if order > 1 else one_sided()
        draw, errors, steps = self.problem.default_draw, [], {}
        with counting() as work:
            for chosen in (rule, "dtype"):
                choose = chooser(self.problem, stencil, chosen, None)
                steps[chosen] = {name: choose(self.problem.parameters, draw, name) for name in self.exact}
        for chosen in (rule, "dtype"):
            slopes = {
                name: self._slope(name, order, float(np.ravel(h)[0]))
                for name, (h, _) in steps[chosen].items()
            }
            errors.append(self._error(slopes))
        erring = Erring(stencil, self.problem.arrays.epsilon)
        for name, (h, found) in steps[rule].items():
            erring.add(found, np.full(self.exact[name].shape, np.ravel(h)[0]), self.exact[name])
        expected = erring.total()
        least = min(self._sweep(order))
        covered = expected is not None and errors[0] * self.norm <= expected
        return Seed(errors[0] / least, errors[1] / least, least, covered, work.total().forward)

    def _slope(self, name: str, order: int, h: float) -> Any:
        offsets = [1] if order == 1 else [s * k for k in range(1, order // 2 + 1) for s in (1, -1)]
        return self._combined(*self._values(name, [k * h for k in offsets]), order)

    def _combined(self, moves: Any, losses: Any, order: int) -> Any:
        """The difference from columns +h, -h, +2h, -2h."""
        if order == 1:
            return (losses[:, 0] - self.value) / moves[:, 0]
        from methods.finite_difference.stencils.weights import central, pairs

        return sum(
            weight * (losses[:, 2 * k] - losses[:, 2 * k + 1]) / (moves[:, 2 * k] - moves[:, 2 * k + 1])
            for k, (_, weight) in enumerate(pairs(central(order)))
        )

    def _sweep(self, order: int) -> list[float]:
        """The errors at 45 steps around the one that a dtype suggests, of those that the ladder has."""
        epsilon = self.problem.arrays.epsilon
        middle = round(2 * math.log2(_COARSEST) - 2 * math.log2(epsilon) / (order + 1))
        # Twice a step lies two places before it.
        first = min(max(middle - SWEEP // 2, 2 if order > 2 else 0), _LADDER - SWEEP)
        found = []
        for k in range(first, first + SWEEP):
            places = [2 * k, 2 * k + 1] + ([2 * (k - 2), 2 * (k - 2) + 1] if order > 2 else [])
            slopes = {
                name: self._combined(moves[:, places], losses[:, places], order)
                for name, (moves, losses) in self.swept.items()
            }
            found.append(self._error(slopes))
        return found

    def _error(self, slopes: Any) -> float:
        import numpy as np

        parts = (float(np.linalg.norm(slopes[name] - exact)) for name, exact in self.exact.items())
        return math.hypot(*parts) / self.norm


def _sampled(named: Any, seed: int) -> dict[str, Any]:
    """Random coordinates of all arrays together, as flat indices of each."""
    import numpy as np

    size = sum(array.size for array in named.values())
    chosen = np.sort(np.random.default_rng([seed, size]).permutation(size)[:COORDINATES])
    parts, start = {}, 0
    for name, array in named.items():
        parts[name] = chosen[(chosen >= start) & (chosen < start + array.size)] - start
        start += array.size
    return parts
