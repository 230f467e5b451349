"""Tensors and dtypes that the tests of torch's derivatives share."""

import pytest

torch = pytest.importorskip("torch")
DTYPES = [torch.float64, torch.float32, torch.bfloat16]
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: str(dtype).removeprefix("torch."))


def normal(*shape, dtype=torch.float64, seed=0, device="cpu"):
    """Standard normal numbers that require a gradient."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64).to(device, dtype).requires_grad_()
