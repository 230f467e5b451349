"""gradmark: what a gradient costs, how wrong it is, and which method to use.

Nothing heavy is loaded until it is used: ``import gradmark`` imports neither torch, JAX, pandas, SciPy nor
matplotlib.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradmark.errors import UsageError
    from gradmark.function_problem import from_function
    from gradmark.judging.check import check_gradient, check_jvp, check_vjp
    from gradmark.judging.judgement import GradientCheck, ValidationReport
    from gradmark.judging.validation import validate
    from gradmark.method import Estimate
    from gradmark.notebook import compare, load, measure
    from gradmark.parameters import ravel
    from gradmark.registry import get_method, get_problem, list_methods, list_problems
    from gradmark.short_form import gradient_method
    from gradmark.torch_problem import from_torch
    from gradmark.vector_function import vector_problem

__version__ = "0.1.0"

_HOMES = {
    "Estimate": "method",
    "GradientCheck": "judging.judgement",
    "UsageError": "errors",
    "ValidationReport": "judging.judgement",
    "check_gradient": "judging.check",
    "check_jvp": "judging.check",
    "check_vjp": "judging.check",
    "compare": "notebook",
    "from_function": "function_problem",
    "from_torch": "torch_problem",
    "get_method": "registry",
    "get_problem": "registry",
    "gradient_method": "short_form",
    "list_methods": "registry",
    "list_problems": "registry",
    "load": "notebook",
    "measure": "notebook",
    "ravel": "parameters",
    "validate": "judging.validation",
    "vector_problem": "vector_function",
}
__all__ = [
    "Estimate",
    "GradientCheck",
    "UsageError",
    "ValidationReport",
    "__version__",
    "check_gradient",
    "check_jvp",
    "check_vjp",
    "compare",
    "from_function",
    "from_torch",
    "get_method",
    "get_problem",
    "gradient_method",
    "list_methods",
    "list_problems",
    "load",
    "measure",
    "ravel",
    "validate",
    "vector_problem",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'gradmark' has no attribute '{name}'")
    return getattr(import_module(f"gradmark.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
