"""What all tests share: what JAX compiled, and every backend with the devices it has on any machine."""

import os
import shutil
import tempfile

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


def pytest_configure(config: pytest.Config) -> None:
    """What JAX compiles once in a session is loaded the next time: the same programs come in every file."""
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="compiled-by-jax-")
        os.environ["JAX_COMPILATION_CACHE_DIR"] = folder
        os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.fixture(params=KINDS.values(), ids=KINDS.keys())
def everywhere(request: pytest.FixtureRequest) -> Arrays:
    """float64 arrays of each backend; array_api_strict pretends to have devices, and refuses to mix them."""
    backend, device = request.param
    if backend in ("jax", "array_api_strict"):
        pytest.importorskip(backend, reason=f"{backend} is not installed here")
    return Arrays(backend, device)
