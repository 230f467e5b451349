"""`assert_jax_gradient`: JAX's right derivatives pass whatever x64 is set to, faulty rules do not."""

import numpy as np
import pytest

from gradmark import UsageError
from gradmark.testing import assert_jax_gradient

jax = pytest.importorskip("jax", reason="jax is not installed here")
jnp = jax.numpy
X = np.linspace(-1.2, 1.4, 5)


@pytest.fixture(params=[False, True], ids=["x32", "x64"])
def x64(request):
    """The setting a person may have."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", request.param)
    yield request.param
    jax.config.update("jax_enable_x64", before)


def tanh_layer(parameters, x):
    return jnp.tanh(x @ parameters["w"] + parameters["b"])


def parameters():
    random = np.random.default_rng(0)
    return {"w": jnp.asarray(random.normal(size=(3, 2))), "b": jnp.asarray(random.normal(size=2))}


def test_a_layer_is_right_under_either_setting_which_stays_as_it_was(x64) -> None:
    x = jnp.asarray(np.random.default_rng(1).normal(size=(4, 3)))
    check = assert_jax_gradient(tanh_layer, parameters(), x)
    assert check.record["dtype"] == ("float64" if x64 else "float32")
    assert jax.config.jax_enable_x64 == x64
    assert {finding.check.split(".")[0] for finding in check.findings} == {"reverse", "forward"}


@jax.custom_jvp
def wrong_rule(x):
    return jnp.sin(x)


@wrong_rule.defjvp
def _wrong_rule_jvp(primals, tangents):
    return jnp.sin(primals[0]), 0.99 * jnp.cos(primals[0]) * tangents[0]


@jax.custom_vjp
def wrong_backward(x):
    return jnp.sum(x**2)


wrong_backward.defvjp(lambda x: (jnp.sum(x**2), x), lambda x, cotangent: (x * cotangent,))


@jax.custom_vjp
def right_backward(x):
    return jnp.sum(x**2)


right_backward.defvjp(lambda x: (jnp.sum(x**2), x), lambda x, cotangent: (2 * x * cotangent,))


def test_a_wrong_rule_is_caught_in_both_modes(x64) -> None:
    with pytest.raises(AssertionError, match=r"\Awrong: ") as caught:
        assert_jax_gradient(wrong_rule, jnp.asarray(X))
    assert "X reverse.value" in str(caught.value)
    assert "X forward.value" in str(caught.value)


def test_a_wrong_backward_is_caught_and_its_forward_mode_skipped(x64) -> None:
    with pytest.raises(AssertionError, match=r"\Awrong: ") as caught:
        assert_jax_gradient(wrong_backward, jnp.asarray(X))
    assert "- forward: it has no forward mode" in str(caught.value)


def test_a_right_custom_backward_passes_without_forward_mode(x64) -> None:
    check = assert_jax_gradient(right_backward, jnp.asarray(X))
    (skipped,) = [finding for finding in check.findings if finding.check == "forward"]
    assert skipped.status == "skipped"


def test_compiled_functions_and_nested_outputs() -> None:
    @jax.jit
    def function(pair, count):
        return {"a": pair[0] * pair[1], "b": (jnp.exp(pair[0]), count)}

    assert_jax_gradient(function, (jnp.asarray(X), jnp.asarray(X[::-1].copy())), 3)


def test_what_cannot_be_differentiated_is_said_in_a_sentence() -> None:
    with pytest.raises(UsageError, match="nothing to differentiate by"):
        assert_jax_gradient(jnp.sin, 3)
    with pytest.raises(UsageError, match="returns no array of real numbers"):
        assert_jax_gradient(jnp.argmax, jnp.asarray(X))
    with pytest.raises(UsageError, match="cannot be evaluated"):
        assert_jax_gradient(lambda x: x @ jnp.ones((7, 7)), jnp.asarray(X))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_a_dtype_that_gradmark_does_not_carry_is_not_denied_to_jax(dtype) -> None:
    said = f"`inputs` is {dtype}, and gradmark's jax backend does not carry {dtype}: convert it to float32 or"
    with pytest.raises(UsageError) as caught:
        assert_jax_gradient(jnp.tanh, jnp.ones(3, dtype))
    assert str(caught.value).startswith(said)
