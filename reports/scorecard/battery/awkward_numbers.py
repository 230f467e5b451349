"""Correct gradients whose numbers are awkward: tiny, huge, zero, one alone, many, in few digits."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from reports.scorecard.battery.case import Case, Question, Value, correct
from reports.scorecard.battery.network import Backward, Data
from reports.scorecard.battery.smooth import coupled, coupled_gradient
from reports.scorecard.battery.softmax import softmax
from reports.scorecard.battery.torch_functions import by_autograd, point


def cases() -> Iterator[Case]:
    """`_CASES`; those in `_MAY_STAY_OPEN` may be answered by "undecided"."""
    for name, (what, ask) in _CASES.items():
        yield correct(f"awkward:{name}", what, ask, *(("undecided",) if name in _MAY_STAY_OPEN else ()))


def _normal(size: int, dtype: str = "float64") -> Any:
    return np.random.default_rng(61).standard_normal(size).astype(dtype)


def _asked(function: Any, gradient: Any, at: Any, **options: Any) -> Callable[[], Question]:
    return lambda: Question(function, gradient, at, truth=gradient, options=options)


def _scales() -> Question:
    """Arrays of size 1e-6, 1 and 1e6 in one function."""

    def function(p: Value) -> Any:
        return (
            np.sum(np.sin(p["small"] * 1e6)) + np.sum(np.sin(p["middle"])) + np.sum(np.sin(p["large"] / 1e6))
        )

    def gradient(p: Value) -> Value:
        return {
            "small": 1e6 * np.cos(p["small"] * 1e6),
            "middle": np.cos(p["middle"]),
            "large": np.cos(p["large"] / 1e6) / 1e6,
        }

    x = _normal(10)
    return Question(function, gradient, {"small": x / 1e6, "middle": x, "large": x * 1e6}, truth=gradient)


def _network(dtype: str) -> Callable[[], Question]:
    def ask() -> Question:
        data = Data.drawn(seed=2, dtype=dtype)
        gradient = Backward().gradient(data)
        return Question(data.loss, gradient, data.start, truth=gradient)

    return ask


def _fitted() -> Question:
    """Targets that the network meets but for 1e-6: loss and gradient almost vanish."""
    from reports.scorecard.battery.network import forward

    data = Data.drawn(seed=3)
    near = forward(data.start, data.inputs)[-1][1] + 1e-6 * np.random.default_rng(4).standard_normal((16, 5))
    fitted = Data(data.inputs, near, data.start)
    gradient = Backward().gradient(fitted)
    return Question(fitted.loss, gradient, fitted.start, truth=gradient)


def _saturated_softmax() -> Question:
    """Logits of a hundred: probabilities of 1e-40 beside one."""
    hot = np.eye(5)[np.arange(8) % 5]

    def function(z: Any) -> Any:
        top = np.max(z.real, axis=-1, keepdims=True)
        return np.sum(top[..., 0] + np.log(np.sum(np.exp(z - top), axis=-1)) - np.sum(hot * z, axis=-1))

    z = 100 * _normal(40).reshape(8, 5)
    return Question(function, lambda z: softmax(z) - hot, z, truth=lambda z: softmax(z) - hot)


def _one_buffer() -> Question:
    """The same memory is returned at every call, which overwrites it."""
    buffer = np.empty(30)

    def gradient(x: Any) -> Any:
        buffer[:] = coupled_gradient(x)
        return buffer

    return Question(coupled, gradient, _normal(30), truth=coupled_gradient)


def _empty_array() -> Question:
    """One of the arrays has no entries."""

    def gradient(p: Value) -> Value:
        return {"weight": np.cos(p["weight"]), "none": np.zeros((0, 3))}

    at = {"weight": _normal(6), "none": np.zeros((0, 3))}
    return Question(lambda p: np.sum(np.sin(p["weight"])) + np.sum(p["none"]), gradient, at, truth=gradient)


def _solver(x: Any) -> Any:
    """Half the squared norm of x -> A^-1 x by an iteration that ends at 1e-9."""
    y = _iterated(x)
    return float(y @ y) / 2


_TURN = 0.4 * np.linalg.qr(np.random.default_rng(62).standard_normal((25, 25)))[0]


def _iterated(x: Any, turn: Any = _TURN) -> Any:
    """y = x + T y, iterated until it moves by less than 1e-9 of itself."""
    y, last = np.array(x), np.zeros_like(x)
    while np.linalg.norm(y - last) > 1e-9 * np.linalg.norm(y):
        y, last = x + turn @ y, y
    return y


def _solver_gradient(x: Any) -> Any:
    return _iterated(_iterated(x), _TURN.T)


def _on_torch(dtype: str, size: int) -> Callable[[], Question]:
    """tanh and a sum on torch, through its own backward."""

    def function(x: Any) -> Any:
        return (x.tanh() * x).sum()

    return lambda: Question(function, by_autograd(function), point(size, dtype), truth=by_autograd(function))


_CASES: dict[str, tuple[str, Callable[[], Question]]] = {
    "float32": (
        "float32, a thousand parameters",
        _asked(coupled, coupled_gradient, _normal(1_000, "float32")),
    ),
    "float32-offset": (
        "float32 with an offset of 1e4",
        _asked(lambda x: np.float32(1e4) + coupled(x), coupled_gradient, _normal(100, "float32")),
    ),
    "network": ("a network's backward pass", _network("float64")),
    "network-float32": ("a network's backward pass in float32", _network("float32")),
    "fitted-network": ("a loss of 1e-12 beside its minimum", _fitted),
    "scales": ("arrays of size 1e-6, 1 and 1e6", _scales),
    "saturated-softmax": ("logits of a hundred", _saturated_softmax),
    "many-terms": ("a sum of 1e5 terms", _asked(coupled, coupled_gradient, _normal(100_000))),
    "zero-gradient": (
        "a stationary point: the gradient is exactly zero",
        _asked(lambda x: np.sum(x**4), lambda x: 4 * x**3, np.zeros(10)),
    ),
    "constant": ("a constant", _asked(lambda x: 3.0 + 0 * np.sum(x), lambda x: 0 * x, _normal(10))),
    "one-parameter": ("one parameter", _asked(lambda x: np.sum(np.exp(x)), lambda x: np.exp(x), _normal(1))),
    "unused": (
        "parameters that nothing reads",
        _asked(
            lambda x: np.sum(np.sin(x[:5])), lambda x: np.concatenate([np.cos(x[:5]), 0 * x[5:]]), _normal(50)
        ),
    ),
    "huge": (
        "values of 1e200",
        _asked(lambda x: 1e200 * coupled(x), lambda x: 1e200 * coupled_gradient(x), _normal(20)),
    ),
    "tiny": (
        "values of 1e-200",
        _asked(lambda x: 1e-200 * coupled(x), lambda x: 1e-200 * coupled_gradient(x), _normal(20)),
    ),
    "one-buffer": ("one memory for every answer", _one_buffer),
    "empty-array": ("an array without entries", _empty_array),
    "solver-8-digits": (
        "the adjoint of an iteration that ends at 1e-9",
        _asked(_solver, _solver_gradient, _normal(25), digits=7),
    ),
    "torch-float32": ("torch in float32", _on_torch("float32", 200)),
    "torch-bfloat16": ("torch in bfloat16", _on_torch("bfloat16", 64)),
}
_MAY_STAY_OPEN = frozenset({"torch-bfloat16"})
"""What cannot be resolved: bfloat16 has two digits, and a sum in it fewer."""
