"""What of a problem is sent to a worker, and how it is pickled."""

import io
import pickle
from dataclasses import dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from types import FunctionType
from typing import Any

from gradmark.arrays import Array, Arrays
from gradmark.draw import Draw
from gradmark.layer import Criterion, NamedLayer
from gradmark.problem import Call, Problem, at_draw
from gradmark.source_file import file_of, loaded


@dataclass(frozen=True)
class Piece:
    """Of a problem, what a gradient needs: its layers and its criterion. Numbers come with each call."""

    layers: tuple[NamedLayer, ...]
    criterion: Criterion
    arrays: Arrays
    call: Call
    parameters: dict[str, Array] = field(default_factory=dict)
    default_draw: Draw = field(default_factory=Draw)

    @classmethod
    def of(cls, problem: Problem) -> "Piece":
        """That of a problem with layers, without numbers."""
        assert problem.layers is not None and problem.criterion is not None
        return cls(problem.layers, problem.criterion, problem.arrays, Call(problem.call.name))


def without_numbers(problem: Problem) -> Problem:
    """The whole problem, loss and all, without parameters, draw and data: they come with each call."""
    known: list[str] = [each.name for each in fields(problem)] if is_dataclass(problem) else []
    if "data" in known:
        problem = replace(problem, data=Draw())  # type: ignore[type-var]
    bare: Problem = at_draw(problem, Draw(), {})
    return bare


class _Pickler(pickle.Pickler):
    """Dataclasses are sent as their fields: what they have cached, such as a module, stays here.

    What the running script defines itself is refused, because a worker does not run the script. What comes
    from a file by its path is named by it. `device` replaces that of all arrays (None: it stays).
    """

    def __init__(self, file: io.BytesIO, device: str | None) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self._device = device

    def reducer_override(self, thing: Any) -> Any:
        """How `thing` is taken apart; NotImplemented: as usual."""
        if isinstance(thing, type | FunctionType):
            if thing.__module__ == "__main__":
                raise pickle.PicklingError(
                    f"{thing.__qualname__} is defined in the script itself, which no worker runs: "
                    "define it in a module and import it"
                )
            path = file_of(thing.__module__)
            if path is not None and "<" not in thing.__qualname__:  # else pickle says that it is local
                return _of_file, (str(path), thing.__qualname__)
        if isinstance(thing, Arrays) and self._device is not None:
            return Arrays, (thing.backend, self._device, thing.dtype)
        if is_dataclass(thing) and not isinstance(thing, type) and _as_usual(type(thing)):
            return _rebuilt, (
                type(thing),
                {each.name: getattr(thing, each.name) for each in fields(thing)},
            )
        return NotImplemented


def packed(thing: Any, device: str | None = None) -> bytes:
    """`thing` pickled; see `reason_against` for what cannot be."""
    file = io.BytesIO()
    _Pickler(file, device).dump(thing)
    return file.getvalue()


def reason_against(thing: Any) -> str | None:
    """Why `thing` cannot be sent to another process; None: it can."""
    try:
        packed(thing)
    except (pickle.PicklingError, TypeError, AttributeError, ValueError) as error:
        return " ".join(str(error).split()).rstrip(".")
    return None


def _as_usual(kind: type) -> bool:
    """Whether a class leaves it to pickle how its instances are taken apart."""
    return getattr(kind, "__reduce__", None) is object.__reduce__ and not hasattr(kind, "__setstate__")


def _of_file(path: str, name: str) -> Any:
    """A class or function of a file, which is loaded once."""
    found: Any = loaded(Path(path))
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _rebuilt(kind: type, values: dict[str, Any]) -> Any:
    """An instance with these fields; they were checked when the first one was made."""
    thing: Any = object.__new__(kind)
    for name, value in values.items():
        object.__setattr__(thing, name, value)
    return thing
