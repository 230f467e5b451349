"""A system that evolves in time as a problem: the mean, over the rows of a draw, of what its steps cost."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.errors import UsageError
from gradmark.noise_laws import NoiseLaw
from gradmark.parameters import Parameters
from gradmark.problem import Call, Problem, Smoothness, converted, retarget
from gradmark.random import generator
from gradmark.unroll import Unroll
from gradmark.work import count

State = tuple[Array, ...]
"""Each array is (..., rows, units): leading axes are those of a population of parameters."""


class System(Protocol):
    """What evolves, as a frozen dataclass whose fields are its constants.

    A system may also have ``gradient(parameters, draw)``, its closed form, and
    ``smoothed(parameters, draw, law, sigma)`` (see `gradmark.problem.Problem.smoothed_form`): None, or no
    such member, where it has none.
    """

    @property
    def arrays(self) -> Arrays:
        """Where its constants live."""

    @property
    def horizon(self) -> int:
        """How many steps there are."""

    def sample(self, random: Any, rows: int) -> dict[str, Any]:
        """What is random, for so many rows, which lead: float64 NumPy arrays by their names in a draw."""

    def initial(self, parameters: Parameters, draw: Draw) -> State:
        """The state before the first step, in the dtype of the parameters and with their population."""

    def step(self, parameters: Parameters, state: State, draw: Draw, t: int) -> State:
        """The next state; `t` counts from 0, and may be an array of JAX."""

    def costs(self, parameters: Parameters, state: State, draw: Draw) -> Array:
        """What each row has cost up to this state, shape (..., rows, 1)."""


@dataclass(frozen=True)
class SystemProblem:
    """A system, rolled out. See `gradmark.problem.Problem` for the members.

    Its `outputs` are the costs of the rows. The loss of `unroll` at an earlier state is the part of the loss
    that has been made so far, where the cost is a sum over steps.
    """

    system: Any
    arrays: Arrays
    parameters: dict[str, Array]
    default_draw: Draw
    call: Call
    batch: int = 1
    smoothness: Smoothness = "smooth"
    bounds: tuple[float, float] | None = None
    population: bool = True
    flops: None = None
    layers: None = None
    criterion: None = None
    sparsity: None = None

    def outputs(self, parameters: Parameters, draw: Draw | None = None) -> Array:
        """The costs of the rows, shape (rows, 1) or (N, rows, 1)."""
        draw = draw or self.default_draw
        return self.system.costs(parameters, rolled_out(self.system, parameters, draw), draw)

    def loss(self, parameters: Parameters, draw: Draw | None = None) -> Array:
        """The mean of the costs over the rows of the draw."""
        draw = draw or self.default_draw
        value = self._mean(self.outputs(parameters, draw))
        count(forward=(value.shape[0] if value.ndim else 1) * draw.count / self.default_draw.count)
        return value

    def _mean(self, costs: Array) -> Array:
        return self.arrays.xp.mean(costs, axis=(-2, -1))

    @property
    def unroll(self) -> Unroll:
        """Its steps, one by one."""
        system = self.system
        return Unroll(
            initial=system.initial,
            step=system.step,
            loss=lambda parameters, state, draw: self._mean(system.costs(parameters, state, draw)),
            horizon=system.horizon,
        )

    def draw(self, seed: int) -> Draw:
        """`batch` rows of all that is random in the system; an empty draw where nothing is."""
        return drawn(self.system, self.arrays, self.batch, seed)

    def plain_forward(self) -> Callable[[Parameters, Draw], Any]:
        """The loss itself."""
        return self.loss

    @property
    def closed_form(self) -> Callable[[Parameters, Draw], dict[str, Array]] | None:
        """The gradient by the system's own formula, or None."""
        return getattr(self.system, "gradient", None)

    @property
    def smoothed_form(self) -> Callable[[Parameters, Draw, NoiseLaw, float], dict[str, Array]] | None:
        """The mean of f(x + sigma e) e / sigma over noise e, or None; see `gradmark.problem.Problem`."""
        return getattr(self.system, "smoothed", None)

    def opened(self, what: Literal["inputs", "nodes"]) -> Problem:
        """A system has neither inputs nor nodes apart from its parameters: raises `UsageError`."""
        raise UsageError(f"{self.call.name} has no {what} to open: it is a system, and no network.")

    def to(
        self, *, backend: str | None = None, device: str | None = None, dtype: str | None = None
    ) -> "SystemProblem":
        """The same numbers on another backend, device or dtype."""
        arrays = retarget(self.arrays, backend, device, dtype)
        return replace(
            self,
            system=replace(self.system, arrays=arrays),
            arrays=arrays,
            parameters=converted(self.parameters, arrays),
            default_draw=Draw(converted(self.default_draw.arrays, arrays), self.default_draw.seed),
        )


def system_problem(
    system: Any, parameters: Mapping[str, Any], call: Call, *, batch: int = 1, **more: Any
) -> SystemProblem:
    """The problem of `system` at `parameters` (NumPy); `more` are `smoothness` and `bounds`."""
    arrays = system.arrays
    point = {name: arrays.array(numbers) for name, numbers in parameters.items()}
    draw = drawn(system, arrays, batch, call.arguments["seed"])
    return SystemProblem(system, arrays, point, draw, call, batch, **more)


def drawn(system: System, arrays: Arrays, rows: int, seed: int) -> Draw:
    """`rows` rows of what the system samples."""
    sampled = system.sample(generator(seed, "draw"), rows)
    return Draw({name: arrays.array(numbers) for name, numbers in sampled.items()}, seed)


def rolled_out(system: System, parameters: Parameters, draw: Draw) -> State:
    """The state after all steps. JAX loops inside of its program: a step written T times takes XLA long."""
    state = system.initial(parameters, draw)
    if system.arrays.backend == "jax":
        import jax

        def scanned(state: State, t: Any) -> tuple[State, None]:
            return system.step(parameters, state, draw, t), None

        return jax.lax.scan(scanned, state, jax.numpy.arange(system.horizon))[0]
    for t in range(system.horizon):
        state = system.step(parameters, state, draw, t)
    return state


def beside(x: Array, *numbers: Array) -> Array:
    """`x` (rows, units) in the dtype of `numbers`, and once for each member of a population.

    `numbers` has one of each parameter array: of shape () or (N,).
    """
    for each in numbers:
        x = x + 0 * each[..., None, None]
    return x
