"""What an answer looks like: names, shapes, dtype and device of the parameters, and finite numbers."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradmark.arrays import dtype_name
from gradmark.judging.contracts.part import listed, said, verdict_on
from gradmark.judging.hearing import Answer, Hearing
from gradmark.judging.verdict import Evidence, Finding


def form(hearing: Hearing, answer: Answer) -> Iterator[Finding]:
    """A finding for each of names, shapes, dtype, device and finite."""
    names = _names(hearing, answer)
    yield verdict_on(hearing, "names", names, "the gradient has the names of the parameters.", answer)
    if names is not None:
        return
    parts = {"shapes": _shape, "dtype": dtype_of, "device": device_of}
    for part, of in parts.items():
        fault = _different(hearing, answer, of, {"shapes": "shape"}.get(part, part))
        yield verdict_on(hearing, part, fault, f"each array has the {part.rstrip('s')} of its parameter.")
    yield _finite(hearing, answer)


def _names(hearing: Hearing, answer: Answer) -> str | None:
    wanted, found = list(hearing.problem.parameters), list(answer.gradient)
    if set(wanted) == set(found):
        return None
    missing = [name for name in wanted if name not in found]
    unknown = [str(name) for name in found if name not in wanted]
    parts = [f"lacks {listed(missing)}"] if missing else []
    parts += [f"has {listed(unknown)}, which no parameter is called"] if unknown else []
    return f"the gradient {' and '.join(parts)}."


def _different(hearing: Hearing, answer: Answer, of: Any, what: str) -> str | None:
    """The first array whose `what` is not that of its parameter, in words."""
    for name, parameter in hearing.problem.parameters.items():
        found, wanted = of(answer.estimate.gradient[name]), of(parameter)
        if found != wanted:
            return f"the gradient of `{name}` has the {what} {found}, and the parameter {wanted}."
    return None


def _shape(array: Any) -> tuple[int, ...]:
    return tuple(np.shape(array))


def dtype_of(array: Any) -> str:
    """The dtype by name; of what is no array, its type."""
    return dtype_name(array) if hasattr(array, "dtype") else type(array).__name__


def device_of(array: Any) -> str:
    """NumPy's older arrays say no device; those of another library are elsewhere too."""
    library = type(array).__module__.split(".")[0].replace("jaxlib", "jax")
    return f"{library} {getattr(array, 'device', 'cpu')}"


def _finite(hearing: Hearing, answer: Answer) -> Finding:
    for name, array in answer.gradient.items():
        if array.dtype.kind in "fciu" and np.all(np.isfinite(array)):
            continue
        bad = np.argwhere(~np.isfinite(array)) if array.dtype.kind in "fciu" else np.zeros((1, 0), int)
        index = tuple(int(i) for i in bad[0])
        evidence = Evidence("an entry of the gradient", name, index, point="as built")
        entry = f"`{name}`[{', '.join(map(str, index))}]"
        reason = f"{entry} is {array[index]}, as {len(bad)} of its {array.size} entries are not finite."
        return said(hearing, "finite", "failed", reason, evidence=evidence)
    return said(hearing, "finite", "passed", "all numbers are finite.")
