"""A call of a JAX function as a function of the arrays that it is differentiated by."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gradmark.dtypes import dtype_name
from gradmark.errors import UsageError, in_one_line
from gradmark.testing.jax_shaken import shaken
from gradmark.testing.modes import Differentiated, no_forward_mode, refuse_empty

Arrays = Mapping[str, Any]
_WIDE = ("float64", "complex64", "complex128")
"""What JAX computes with under ``jax_enable_x64`` only, or what comes from the judge alone."""


@dataclass(frozen=True)
class Call:
    """``function(*inputs)`` of the arrays named in `at`; `x64` is the caller's setting."""

    function: Callable[..., Any]
    inputs: tuple[Any, ...]
    at: Arrays
    x64: bool

    def outputs(self, at: Arrays) -> dict[str, Any]:
        """The outputs with real (or complex) numbers, by name."""
        with self._setting(at):
            return self._run(at)

    def vjp(self, at: Arrays, cotangent: Arrays) -> dict[str, Any]:
        """What JAX's reverse mode gives for `cotangent`."""
        import jax

        with self._setting(at):
            outputs, pullback = jax.vjp(self._run, dict(at))
            weights = {name: cotangent[name].astype(out.dtype) for name, out in outputs.items()}
            return dict(pullback(weights)[0])

    def jvp(self, at: Arrays, tangent: Arrays) -> dict[str, Any]:
        """What JAX's forward mode gives along `tangent`."""
        import jax

        with self._setting(at):
            return dict(jax.jvp(self._run, (dict(at),), (dict(tangent),))[1])

    def _run(self, at: Arrays) -> dict[str, Any]:
        import jax

        arguments = jax.tree_util.tree_map_with_path(
            lambda path, leaf: at.get(_name("inputs", path), leaf), self.inputs
        )
        return named(self.function(*arguments), "output")

    @contextmanager
    def _setting(self, at: Arrays) -> Iterator[None]:
        import jax

        wide = dtype_name(next(iter(at.values()))) in _WIDE
        with jax.enable_x64(wide or self.x64):
            yield


def differentiated(
    function: Callable[..., Any], inputs: tuple[Any, ...], x64: bool, *, forward: bool
) -> Differentiated:
    """The call with its derivatives; `UsageError` where there is nothing to differentiate, or by."""
    import jax.numpy as jnp

    if not callable(function):
        raise UsageError(f"`function={function!r}` must be a function of arrays.")
    at = named(inputs, "inputs")
    refuse_empty(at, "give an array of real numbers, or a pytree that holds one.")
    call = Call(function, inputs, at, x64)
    try:
        outputs = call.outputs(at)
    except Exception as error:
        raise UsageError(f"`function` cannot be evaluated at these inputs: {in_one_line(error)}") from error
    if not outputs:
        raise UsageError("`function` returns no array of real numbers: there is no gradient to examine.")
    reason = no_forward_mode(call.jvp, at, jnp.ones_like, _declined) if forward else None
    name = getattr(function, "__qualname__", type(function).__name__)
    jvp = None if reason else call.jvp
    return Differentiated(name, at, call.outputs, call.vjp, jvp, shaken, "assert_jax_gradient", reason or "")


@contextmanager
def setting_restored() -> Iterator[bool]:
    """Whether ``jax_enable_x64`` is set, which the judge changes; afterwards it is again what it was."""
    import jax

    config: Any = jax.config
    before = bool(config.jax_enable_x64)
    try:
        yield before
    finally:
        config.update("jax_enable_x64", before)


def named(tree: Any, name: str) -> dict[str, Any]:
    """The arrays of real or complex numbers in a pytree, by the expression that leads to each."""
    import jax
    import jax.numpy as jnp

    leaves = jax.tree_util.tree_flatten_with_path(tree)[0]
    arrays = {_name(name, path): leaf for path, leaf in leaves if hasattr(leaf, "dtype")}
    inexact = {key: leaf for key, leaf in arrays.items() if jnp.issubdtype(leaf.dtype, jnp.inexact)}
    return {key: leaf if isinstance(leaf, jax.Array) else jnp.asarray(leaf) for key, leaf in inexact.items()}


def _name(name: str, path: Any) -> str:
    import jax

    return f"{name}{jax.tree_util.keystr(path)}"


def _declined(error: Exception) -> str:
    """What JAX says of a function without forward mode, as one with a `jax.custom_vjp`."""
    text = " ".join(str(error).split())
    return text if isinstance(error, TypeError) and ("forward-mode" in text or "jvp" in text) else ""
