"""The comparisons of the study of evolution strategies.

Three things, told apart by their problems: a linear loss, where the laws of cosine and variance are exact
("polynomial"); a network at many sizes of the moves, in two dtypes; and networks of many sizes at one number
of evaluations.
"""

from collections.abc import Iterable

from gradmark.run.plan import Comparison, MethodCall
from problems.mlp import widths_for

_STUDY = "evolution"
_LAWS: tuple[MethodCall, ...] = (
    MethodCall("gaussian_es"),
    MethodCall("gaussian_es", {"antithetic": False}),
    MethodCall("spsa"),
    MethodCall("sphere_es"),
    MethodCall("orthogonal_es"),
    MethodCall("orthogonal_es", {"frame": "qr"}),
    MethodCall("least_squares_es"),
    MethodCall("low_rank_es", {"law": "signs"}),
    MethodCall("low_rank_es", {"law": "gaussian"}),
    MethodCall("sobol_es"),
)
_MOVED: tuple[MethodCall, ...] = (
    MethodCall("gaussian_es", {"pairs": 64}),
    MethodCall("gaussian_es", {"pairs": 64, "antithetic": False}),
    MethodCall("low_rank_es", {"law": "signs", "pairs": 64}),
    MethodCall("node_perturbation", {"pairs": 64}),
    MethodCall("hadamard_node_es"),
)
_SIZED: tuple[MethodCall, ...] = (
    MethodCall("gaussian_es", {"pairs": 128}),
    MethodCall("low_rank_es", {"law": "signs", "pairs": 128}),
    MethodCall("node_perturbation", {"pairs": 128}),
)
_SMALL = 1e-3


def quick() -> list[Comparison]:
    """Under a minute and a half."""
    sigmas = [10.0**power for power in range(-7, 1)]
    return [*_laws((4, 16), 400), *_sigmas(sigmas, 8), *_sizes((100, 1_000, 10_000), 12)]


def full() -> list[Comparison]:
    """Some ten minutes: enough seeds to tell a scale to one percent."""
    sigmas = [float(f"{digit}e{power}") for power in range(-7, 1) for digit in (1, 3)]
    return [
        *_laws((4, 8, 16, 24), 10_000),
        *_sigmas(sigmas, 25),
        *_sizes((100, 1_000, 10_000, 100_000), 25),
    ]


def _laws(pairs: Iterable[int], repetitions: int) -> list[Comparison]:
    calls = tuple(MethodCall(each.name, {**each.hyper, "pairs": count}) for count in pairs for each in _LAWS)
    sizes = {"size": 40, "degree": 1}
    return [
        Comparison(
            _STUDY, "polynomial", sizes, calls, ("error", "work"), repetitions=repetitions, time_limit=900
        )
    ]


def _sigmas(sigmas: Iterable[float], repetitions: int) -> list[Comparison]:
    calls = tuple(MethodCall(each.name, {**each.hyper, "sigma": s}) for s in sigmas for each in _MOVED)
    return [
        Comparison(
            _STUDY, "mlp", _network(1_000), calls, ("error",), dtype=dtype, repetitions=repetitions,
            time_limit=300,
        )
        for dtype in ("float64", "float32")
    ]  # fmt: skip


def _sizes(sizes: Iterable[int], repetitions: int) -> list[Comparison]:
    calls = tuple(MethodCall(each.name, {**each.hyper, "sigma": _SMALL}) for each in _SIZED)
    return [
        Comparison(_STUDY, "mlp", {**_network(size), "loss": "mse"}, calls, ("error", "work"),
                   repetitions=repetitions, time_limit=300)
        for size in sizes
    ]  # fmt: skip


def _network(size: int) -> dict[str, object]:
    return {"widths": widths_for(size), "activation": "tanh", "batch": 32}
