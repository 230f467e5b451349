"""Methods that a quick plan measures at one network alone, and in the studies about them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from gradmark.run.plan import Comparison, MethodCall

_VARIANTS = frozenset({
    "checkpointed_backprop", "reversible_backprop", "torch_checkpoint", "mixed_precision_backprop",
    "torch_autocast", "data_parallel_backprop", "pipeline_backprop", "clipped_by_norm", "clipped_by_value",
    "path_sum", "compiled", "numdifftools_gradient", "scipy_jacobian", "scipy_difference",
    "backward_difference", "stencil_difference", "richardson", "adaptive_difference", "forward_ad",
    "dual_numbers", "weight_difference", "node_difference",
    "spsa", "sphere_es", "orthogonal_es", "sobol_es", "least_squares_es", "guided_es", "mezo",
    "hadamard_node_es", "persistent_es", "noise_reuse_es", "control_variate", "distributed_es",
    "evosax_open_es", "evotorch_pgpe",
})  # fmt: skip
"""They vary another method, start processes, compile for seconds, or take many times what another takes."""
_SECONDS = 60.0
"""So long may the comparison with them take: with less, a method is timed once or not at all."""


def without_variants(comparison: Comparison, but_at: Mapping[str, Any]) -> Comparison:
    """`comparison` without them; with them, and with more time, at a network `but_at` in float64."""
    if comparison.sizes == but_at and comparison.dtype == "float64":
        return replace(comparison, time_limit=max(comparison.time_limit, _SECONDS))
    return replace(comparison, methods=common(comparison.methods))


def common(calls: tuple[MethodCall, ...]) -> tuple[MethodCall, ...]:
    """Those of `calls` that are none of them."""
    return tuple(each for each in calls if each.name not in _VARIANTS)
