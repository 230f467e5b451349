"""The comparisons of the study of jacobians: forward mode beside reverse mode, by inputs and outputs.

A map of n inputs to m outputs, with as many entries n times m whatever their ratio: forward mode
takes n tangent passes, reverse mode m pullbacks.
"""

from collections.abc import Iterable

from gradmark.arrays import installed
from gradmark.run.plan import Comparison, MethodCall

_METHODS: dict[str, tuple[str, ...]] = {
    "numpy": ("tangent", "backprop"),
    "torch": ("jvp", "forward_ad", "autograd", "func_grad"),
    "jax": ("jax_jvp", "jax_grad"),
}
_ENTRIES = 65_536
_WIDTH = 128


def quick() -> list[Comparison]:
    """Under a minute: NumPy alone."""
    return _ratios(("numpy",), (32, 64, 128, 256, 512, 1_024, 2_048), budget=2.0)


def full() -> list[Comparison]:
    """Some minutes: three backends, and ratios from 1/256 to 64."""
    inputs = (16, 32, 64, 128, 181, 256, 362, 512, 1_024, 2_048)
    return _ratios(("numpy", "torch", "jax"), inputs, budget=6.0)


def _ratios(backends: Iterable[str], inputs: Iterable[int], budget: float) -> list[Comparison]:
    return [
        Comparison(
            "jacobians",
            "vector_map",
            {"inputs": number, "outputs": round(_ENTRIES / number), "width": _WIDTH},
            tuple(MethodCall(name) for name in _METHODS[backend]),
            ("time", "work"),
            backend=backend,
            want="jacobian",
            budget=budget,
        )
        for backend in backends
        if installed(backend)
        for number in inputs
    ]
