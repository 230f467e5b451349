"""Records in few words, for tables in a terminal."""

from collections.abc import Mapping
from typing import Any

from gradmark.run.plan import called, wanted
from gradmark.run.records import Record

_ORDINARY = {"backend": "numpy", "device": "cpu", "dtype": "float64", "threads": 1, "seed": 0}


def case_words(record: Record) -> str:
    """Method with its hyper-parameters, problem with its sizes, and where it ran."""
    return f"{method_words(record.key)} on {problem_words(record.key)}"


def method_words(key: Mapping[str, Any]) -> str:
    """``central_difference(step=1e-05)``."""
    return called(key["method"], {name: value for name, value in key["hyper"].items() if value is not None})


def problem_words(key: Mapping[str, Any]) -> str:
    """``mlp(widths=64-32-10, ...) torch float32``."""
    place = [
        str(key[name]) for name in ("backend", "device", "dtype") if name != "device" or key[name] != "cpu"
    ]
    more = [f"{name}={key[name]}" for name in ("threads", "seed") if key[name] != _ORDINARY[name]]
    what = wanted(key.get("want", "gradient"))
    return what + " ".join([called(key["problem"], key["sizes"]), *place, *more])


def value_words(record: Record) -> str:
    """The value with its interval, or how it ended."""
    if record.quantity == "case" or record.status != "done":
        return record.status if record.reason is None else f"{record.status}: {record.reason}"
    if record.value is None:
        return record.reason or "none"
    number = bytes_words(record.value) if record.unit == "bytes" else f"{record.value:.4g}"
    if record.low is None or record.high is None:
        return number
    return f"{number} [{record.low:.3g}, {record.high:.3g}]"


def bytes_words(number: float) -> str:
    """A number of bytes in KiB, MiB or GiB."""
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.3g} {unit}"
        number /= 1024
    return f"{number:.3g} GiB"


def seconds_words(seconds: float) -> str:
    """A time in the unit that suits it."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
