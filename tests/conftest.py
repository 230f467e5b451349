"""What the tests of problems share: every backend with the devices it has on any machine."""

import pytest

from gradmark.arrays import Arrays

KINDS = {
    "numpy": ("numpy", "cpu"),
    "torch": ("torch", "cpu"),
    "jax": ("jax", "cpu"),
    "array_api_strict": ("array_api_strict", "cpu"),
    "array_api_strict device1": ("array_api_strict", "device1"),
    "array_api_strict device2": ("array_api_strict", "device2"),
}


@pytest.fixture(params=KINDS.values(), ids=KINDS.keys())
def everywhere(request: pytest.FixtureRequest) -> Arrays:
    """float64 arrays of each backend; array_api_strict pretends to have devices, and refuses to mix them."""
    backend, device = request.param
    if backend in ("jax", "array_api_strict"):
        pytest.importorskip(backend, reason=f"{backend} is not installed here")
    return Arrays(backend, device)
