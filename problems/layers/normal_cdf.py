"""The distribution function of a normal number, Phi, which gelu is made of."""

from scipy import special

from gradmark.arrays import Array, Arrays


def normal_cdf(arrays: Arrays, z: Array) -> Array:
    """Phi(z) = erfc(-z / sqrt 2) / 2. The array API has no erf, so each backend's own is looked up."""
    scaled = z * -(0.5**0.5)
    if arrays.backend == "numpy":
        return 0.5 * special.erfc(scaled)
    if arrays.backend == "torch":
        return arrays.xp.special.erfc(scaled).mul_(0.5)  # in place: new memory is what takes the time
    if arrays.backend == "autograd":
        return 0.5 * arrays.xp.special.erfc(scaled)
    from jax.scipy.special import erfc

    return 0.5 * erfc(scaled)


ERFC_DTYPES = {
    "numpy": ("float32", "float64", "complex64", "complex128"),
    "torch": ("bfloat16", "float16", "float32", "float64"),
    "jax": ("float32", "float64"),
    "autograd": ("float32", "float64"),
}
"""Where there is an erfc: SciPy's has no longdouble, torch's and JAX's no complex numbers."""
