"""Assertions about gradients, for a test suite: each raises `AssertionError` with the judge's whole text.

`assert_gradient` takes a function and a gradient that somebody wrote, `assert_autograd` torch's own backward
and forward mode of a function or module, `assert_jax_gradient` JAX's. Nothing heavy is imported before one is
called.
"""

from gradmark.testing.autograd import assert_autograd
from gradmark.testing.gradient import assert_gradient
from gradmark.testing.jax_gradient import assert_jax_gradient

__all__ = ["assert_autograd", "assert_gradient", "assert_jax_gradient"]
