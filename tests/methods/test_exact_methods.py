"""Methods that claim to be exact: equal to the gradient up to rounding, on every problem, in every dtype."""

import pytest

import gradmark
from gradmark.arrays import Arrays, installed
from gradmark.claims import Exact, Target
from tests.methods.cases import (
    CASES,
    NETWORKS,
    assert_like,
    cases_for,
    reference,
    relative_error,
    rounding,
)

PLACES = {
    **{f"numpy {dtype}": Arrays("numpy", "cpu", dtype) for dtype in ("float64", "float32", "longdouble")},
    **{
        f"torch {dtype}": Arrays("torch", "cpu", dtype)
        for dtype in ("float64", "float32", "bfloat16", "float16")
    },
}
for _dtype in ("float64", "float32"):
    if installed("jax"):
        PLACES[f"jax {_dtype}"] = Arrays("jax", "cpu", _dtype)
    for _device in ("cpu", "device1", "device2"):
        if installed("array_api_strict"):
            PLACES[f"array_api_strict {_device} {_dtype}"] = Arrays("array_api_strict", _device, _dtype)

# What each exact method takes: the backends (all: every one) and the cases.
TAKES = {
    "backprop": (None, set(NETWORKS)),
    "checkpointed_backprop": ({"numpy", "torch", "array_api_strict"}, set(NETWORKS)),
    "reversible_backprop": ({"numpy", "torch", "array_api_strict"}, set(NETWORKS)),
    "torch_checkpoint": ({"torch"}, set(NETWORKS)),
    "data_parallel_backprop": ({"numpy", "torch"}, set(NETWORKS)),
    "pipeline_backprop": ({"numpy", "torch"}, set(NETWORKS) - {"logistic regression"}),  # which has one layer
    "autograd": ({"torch"}, set(CASES)),
    "tangent": (None, set(NETWORKS)),
    "node_tangent": (None, set(NETWORKS)),
    "divided_difference": (None, set(NETWORKS)),
    "jvp": ({"torch"}, set(CASES)),
    "forward_ad": ({"torch"}, set(CASES)),
    "dual_numbers": ({"numpy"}, set(CASES)),
    "jax_jvp": ({"jax"}, set(CASES)),
    "complex_step": (None, set(CASES)),
    "jax_grad": ({"jax"}, set(CASES)),
    "path_sum": (None, set(NETWORKS)),
    "func_grad": ({"torch"}, set(CASES)),
    "compiled": ({"torch"}, set(CASES)),
    "hips_autograd": ({"numpy"}, set(CASES)),
}
# torch has no complex erfc and no complex log1p of its own accuracy; half precision has no complex numbers.
NOT_COMPLEX = {"mlp gelu mse", "mlp gelu cross_entropy"}
# Workers add up their gradients with torch, which has no longdouble.
ADDED_BY_TORCH = ("data_parallel_backprop", "pipeline_backprop")


def test_every_method_that_claims_to_be_exact_is_tested_here() -> None:
    """But for those exact in another precision (test_mixed_precision) or for clipped ones (test_clipping)."""
    every = {name: gradmark.get_method(name).claims for name in gradmark.list_methods()}
    claimed = {
        name
        for name, claims in every.items()
        if claims.exactness == Exact() and claims.precision == "problem" and claims.target == Target()
    }
    assert claimed == set(TAKES)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", TAKES)
def test_an_exact_method_errs_by_rounding_alone(name: str, place: str) -> None:
    arrays, method = PLACES[place], gradmark.get_method(name)
    backends, takes = TAKES[name]
    for case, problem in cases_for(name, arrays).items():
        takes_it = case in takes and (backends is None or arrays.backend in backends)
        if name == "complex_step" and (arrays.itemsize < 4 or _no_complex(case, arrays)):
            takes_it = False
        if name in ADDED_BY_TORCH and arrays.dtype == "longdouble":
            takes_it = False
        if name == "divided_difference" and arrays.dtype == "float16":  # which has no room below rounding
            takes_it = False
        reason = method.supports(problem)
        assert (reason is None) == takes_it, f"{case}: {reason}"
        if takes_it:
            gradient = method.prepare(problem)(problem.parameters).gradient
            assert_like(gradient, problem.parameters)
            error = relative_error(gradient, reference(problem))
            assert error <= rounding(arrays.dtype), f"{case}: {error:.1e} is more than rounding"


def _no_complex(case: str, arrays: Arrays) -> bool:
    return case in NOT_COMPLEX and arrays.backend in ("torch", "jax")
