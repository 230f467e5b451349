"""The assertion about JAX's own derivatives of a function."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gradmark.testing.gradient import asserted
from gradmark.testing.modes import check_modes

if TYPE_CHECKING:
    from gradmark.judging.judgement import GradientCheck


def assert_jax_gradient(
    function: Callable[..., Any],
    *inputs: Any,
    forward: bool = True,
    allow_undecided: bool = False,
    seed: int = 0,
    digits: float | None = None,
    points: Iterable[Any] | None = None,
    bounds: Sequence[float] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    seconds: float | None = None,
) -> "GradientCheck":
    """Raise `AssertionError` unless JAX's reverse and forward mode of ``function(*inputs)`` are right.

    `inputs` are pytrees; their arrays of real numbers are differentiated by (all float32, or all float64),
    what else is in them is constant. The result is a pytree of which all real arrays are examined. `jax.vjp`
    and `jax.jvp` run in the dtype of the inputs and under the caller's setting of ``jax_enable_x64``; the
    function itself is evaluated in float64 too, and the setting is afterwards what it was. A function with a
    `jax.custom_vjp` has no forward mode, which is skipped with that reason.

    The options are those of `gradmark.testing.assert_autograd`. An undecided check raises as well; with
    `allow_undecided` it passes, and only a wrong derivative raises. Raises `UsageError` for an option that is
    none, for inputs or results without real arrays, and for a function that cannot be evaluated at these
    inputs. Returns the `gradmark.GradientCheck`.

    >>> import jax.numpy as jnp
    >>> assert_jax_gradient(lambda x: jnp.sum(jnp.tanh(x) ** 2), jnp.linspace(-1, 1, 5)).verdict
    'correct'
    """
    from gradmark.testing.jax_call import differentiated, setting_restored

    options = {"digits": digits, "points": points, "bounds": bounds}
    with setting_restored() as x64:
        found = differentiated(function, inputs, x64, forward=forward)
        check = check_modes(
            found, forward=forward, seed=seed, expected_failures=expected_failures, seconds=seconds, **options
        )
    return asserted(check, allow_undecided=allow_undecided)
