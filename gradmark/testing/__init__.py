"""Assertions about gradients, for a test suite: each raises `AssertionError` with the judge's whole text.

`assert_gradient` (in `gradient`) takes a function and a gradient that somebody wrote, `assert_autograd` (in
`autograd`) torch's own backward and forward mode of a function or module, `assert_jax_gradient` (in
`jax_gradient`) JAX's; `pytest_plugin` holds the fixture. Nothing heavy is imported before one is called.

`modes` checks reverse and forward mode one after the other, `precision` what a narrow dtype adds. A call is
made a function of the arrays it is differentiated by in `torch_call` (nested tensors in `torch_structure`, a
module in other dtypes in `torch_module`) and `jax_call`; `torch_shaken` and `jax_shaken` make operations err.
"""

from gradmark.testing.autograd import assert_autograd
from gradmark.testing.gradient import assert_gradient
from gradmark.testing.jax_gradient import assert_jax_gradient

__all__ = ["assert_autograd", "assert_gradient", "assert_jax_gradient"]
