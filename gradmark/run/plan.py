"""What is to be measured: a plan is a list of comparisons, and a comparison is the unit of execution."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import groupby
from typing import Any, get_args

from gradmark.claims import Want
from gradmark.errors import UsageError, unknown_name
from gradmark.run.records import GROUPS, Group, digest, plain

DEFAULT_TIME_LIMIT = 120.0
"""Seconds a comparison may take unless it says otherwise."""


@dataclass(frozen=True)
class MethodCall:
    """A method by name (or ``path/to/file.py:name``), with the hyper-parameters that are not the default."""

    name: str
    hyper: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """One problem at one size on one backend, device and dtype, and the methods measured side by side on it.

    `sizes` are the problem factory's arguments without backend, device, dtype and seed. `repetitions` is how
    many seeds a stochastic method is tried with when its error is measured. `time_limit` is in seconds, for
    one worker: what runs when it is over is stopped and recorded as timed out, and the methods that had no
    turn get another worker. `budget` is how many of them interleaved timing may take (None: a little for each
    method, which is a round or two where a call takes a tenth of a second). `want` is what the methods are
    asked for (`gradmark.quantities`). Raises `UsageError` for numbers or quantities that cannot be.
    """

    study: str
    problem: str
    sizes: Mapping[str, Any]
    methods: tuple[MethodCall, ...]
    quantities: tuple[Group, ...] = GROUPS
    backend: str = "numpy"
    device: str = "cpu"
    dtype: str = "float64"
    threads: int = 1
    seed: int = 0
    repetitions: int = 1
    time_limit: float = DEFAULT_TIME_LIMIT
    budget: float | None = None
    want: Want = "gradient"

    def __post_init__(self) -> None:
        check_groups(self.quantities)
        check_want(self.want)
        for name, least in (("threads", 1), ("seed", 0), ("repetitions", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise UsageError(f"`{name}={value!r}` must be an integer of at least {least}.")
        for name in ("time_limit", "budget"):
            value = getattr(self, name)
            if name == "budget" and value is None:
                continue
            if not isinstance(value, int | float) or not 0 < value < float("inf"):
                raise UsageError(f"`{name}={value!r}` must be a positive number of seconds.")

    @property
    def id(self) -> str:
        """A hash of everything the comparison says, the same in every process."""
        return digest(asdict(self))

    def __str__(self) -> str:
        place = f"{self.backend} {self.device} {self.dtype}"
        return f"{wanted(self.want)}{called(self.problem, self.sizes)} {place}"


def check_groups(quantities: Sequence[Group]) -> tuple[Group, ...]:
    """`quantities` in their usual order; `UsageError` for anything that is not a sequence of their names."""
    if not isinstance(quantities, list | tuple):
        raise UsageError(f"`quantities={quantities!r}` must be a list of some of {', '.join(GROUPS)}.")
    for quantity in quantities:
        if quantity not in GROUPS:
            raise unknown_name("quantity", str(quantity), GROUPS)
    return tuple(group for group in GROUPS if group in quantities)


def check_want(want: Any) -> Want:
    """`want` if it is a quantity that may be asked of methods; `UsageError` for anything else."""
    if want not in get_args(Want):
        raise unknown_name("quantity", str(want), get_args(Want))
    found: Want = want
    return found


def wanted(want: str) -> str:
    """What is asked for in words before a problem; nothing for the gradient.

    >>> wanted("hvp") + "quadratic"
    'hvp of quadratic'
    """
    return "" if want == "gradient" else f"{want} of "


def to_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as JSON values, for another process."""
    return {key: plain(value) for key, value in asdict(comparison).items()}


def from_json(values: Mapping[str, Any]) -> Comparison:
    """The comparison that `to_json` wrote; lists come back as tuples."""
    calls = tuple(MethodCall(call["name"], frozen(call["hyper"])) for call in values["methods"])
    sizes = frozen(values["sizes"])
    return Comparison(
        **{**values, "methods": calls, "sizes": sizes, "quantities": tuple(values["quantities"])}
    )


def frozen(value: Any) -> Any:
    """JSON values with tuples for lists, as a person would have written the arguments."""
    if isinstance(value, Mapping):
        return {key: frozen(item) for key, item in value.items()}
    return tuple(frozen(item) for item in value) if isinstance(value, list) else value


def called(name: str, arguments: Mapping[str, Any]) -> str:
    """A call in few words: several values are joined by dashes, equal neighbours are counted.

    >>> called("mlp", {"widths": (64, 128, 128, 128, 10), "batch": 32})
    'mlp(widths=64-128x3-10, batch=32)'
    """
    inner = ", ".join(f"{key}={_short(value)}" for key, value in arguments.items())
    return f"{name}({inner})" if inner else name


def _short(value: Any) -> str:
    if not isinstance(value, list | tuple):
        return str(value)
    groups = [(item, len(list(equal))) for item, equal in groupby(value)]
    return "-".join(
        f"{item}x{count}" if count > 2 else "-".join([str(item)] * count) for item, count in groups
    )
