"""Where arrays live: backends, devices, dtypes, and numbers carried from one to another."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gradmark.arrays import BACKENDS, Arrays, dtype_name, epsilon, installed, real_dtype, to_numpy
from gradmark.backends import TRACED_NUMPY
from gradmark.dtypes import DTYPES
from gradmark.errors import UsageError

EVERY_BACKEND = (*BACKENDS, *TRACED_NUMPY)
EVERY_DTYPE = [(backend, dtype) for backend in EVERY_BACKEND for dtype in DTYPES[backend]]
every_dtype = pytest.mark.parametrize(("backend", "dtype"), EVERY_DTYPE)


def arrays_of(backend: str, dtype: str) -> Arrays:
    if not installed(backend):
        pytest.skip(f"{backend} is not installed here")
    return Arrays(backend, dtype=dtype)


@every_dtype
def test_arrays_have_the_dtype_and_its_name(backend: str, dtype: str) -> None:
    arrays = arrays_of(backend, dtype)
    for array in (arrays.array([[1.0, 2.0]]), arrays.zeros((1, 2))):
        assert dtype_name(array) == dtype and tuple(array.shape) == (1, 2)
        assert array.dtype == arrays.dtype_object


@every_dtype
def test_epsilon_is_the_distance_from_one_to_the_next_number(backend: str, dtype: str) -> None:
    arrays = arrays_of(backend, dtype)
    if dtype.startswith("c"):
        assert arrays.epsilon == epsilon(real_dtype(dtype))
        return
    one, half = arrays.array([1.0]), arrays.array([arrays.epsilon / 2])
    assert to_numpy(one + 2 * half)[0] > 1
    assert to_numpy(one + half)[0] == 1  # a tie, which goes to the even 1


@every_dtype
def test_numbers_survive_the_way_there_and_back(backend: str, dtype: str) -> None:
    arrays = arrays_of(backend, dtype)
    numbers = np.array([[0.0, -1.5], [3.25, 2.0**-10]])  # exact in every dtype
    np.testing.assert_array_equal(to_numpy(arrays.array(numbers)), numbers)
    assert arrays.itemsize == to_numpy(arrays.zeros((1,))).itemsize or dtype in ("bfloat16", "float16")


@given(st.floats(allow_nan=False, width=64, min_value=-1e300, max_value=1e300))
def test_numbers_are_rounded_once_and_alike_everywhere(number: float) -> None:
    with np.errstate(over="ignore"):
        wanted = np.float32(number)
        for backend in ("numpy", "torch", "jax", "array_api_strict"):
            if installed(backend):
                found = to_numpy(Arrays(backend, dtype="float32").array([number]))[0]
                assert found == wanted and found.dtype == np.float32


def test_a_longdouble_is_not_rounded_twice_on_its_way_to_float32() -> None:
    """Just above a tie of float32: by way of float64 it would become the tie, and go down to the even 1."""
    number = np.longdouble(1) + np.longdouble(2) ** -24 + np.longdouble(2) ** -60
    for backend in ("numpy", "torch"):
        assert to_numpy(Arrays(backend, dtype="float32").array(number)) == 1 + np.float32(2) ** -23


@pytest.mark.parametrize("backend", EVERY_BACKEND)
def test_arrays_are_copies(backend: str) -> None:
    arrays = arrays_of(backend, "float64")
    numbers = np.ones(3)
    array, integers = arrays.array(numbers), arrays.integers(np.array([1, 2]))
    numbers[0] = 7
    np.testing.assert_array_equal(to_numpy(array), np.ones(3))
    assert dtype_name(integers) == "int64" and dtype_name(arrays.booleans([True])) == "bool"


def test_negative_strides_and_column_order_are_no_obstacle(everywhere: Arrays) -> None:
    numbers = np.arange(6.0).reshape(2, 3)
    for view in (numbers[::-1], numbers.T, np.asfortranarray(numbers)):
        np.testing.assert_array_equal(to_numpy(everywhere.array(view)), view)


def test_cast_changes_floating_arrays_only(everywhere: Arrays) -> None:
    named = {"x": everywhere.array([1.5]), "labels": everywhere.integers([3])}
    cast = Arrays(everywhere.backend, everywhere.device, "float32").cast(named)
    assert {name: dtype_name(array) for name, array in cast.items()} == {"x": "float32", "labels": "int64"}


def test_to_numpy_reads_tensors_that_torch_would_not_convert() -> None:
    z = torch.tensor([1 + 2j], requires_grad=True)
    np.testing.assert_array_equal(to_numpy(z), [1 + 2j])
    np.testing.assert_array_equal(to_numpy(z.detach().conj()), [1 - 2j])
    np.testing.assert_array_equal(to_numpy(z.detach().conj().imag), [-2])
    assert to_numpy(torch.tensor([1.5], dtype=torch.bfloat16)).dtype == np.float32
    assert to_numpy(torch.tensor([3])).dtype == np.int64
    with pytest.raises(UsageError, match="no numbers"):
        to_numpy(torch.ones(2, device="meta"))


def test_torch_computes_full_float32_products() -> None:
    assert Arrays("torch", dtype="float32").xp is not None
    assert not torch.backends.cuda.matmul.allow_tf32 and not torch.backends.cudnn.allow_tf32


def test_synchronize_is_harmless_everywhere(everywhere: Arrays) -> None:
    everywhere.synchronize()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backend": "cupy"}, "unknown backend `cupy`"),
        ({"backend": None}, "`backend=None` must be a name"),
        ({"dtype": np.float32}, "must be a name, such as dtype="),
        ({"device": 0}, "`device=0` must be a name"),
        ({"dtype": "bfloat16"}, "numpy backend does not carry `dtype=bfloat16`"),
        ({"device": "cuda"}, "NumPy arrays live on the cpu"),
        ({"backend": "torch", "device": "cuda:x"}, "allowed are cpu, cuda, cuda:0"),
        ({"backend": "array_api_strict", "device": "device3"}, "pretended devices cpu, device1, device2"),
    ],
)
def test_what_does_not_exist_is_said(arguments: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Arrays(**arguments)
    assert message in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_missing_gpu_is_said() -> None:
    with pytest.raises(UsageError, match="shows torch no CUDA device; use cpu"):
        Arrays("torch", "cuda")


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradmark.arrays.installed", lambda backend: backend != "jax")
    with pytest.raises(UsageError, match="the backend `jax` is not installed"):
        Arrays("jax")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_arrays_live_on_the_gpu_they_were_asked_for() -> None:
    arrays = Arrays("torch", "cuda:0", "float32")
    assert arrays.array([1.0]).is_cuda and arrays.integers([1]).is_cuda and arrays.zeros((1,)).is_cuda
    arrays.synchronize()
    with pytest.raises(UsageError, match="CUDA device"):
        Arrays("torch", f"cuda:{torch.cuda.device_count()}")
