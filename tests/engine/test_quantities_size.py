"""What is too large for the memory is refused before anything is computed."""

import pytest

import gradmark


@pytest.mark.parametrize(
    ("name", "want"),
    [("autograd", "hessian"), ("func_grad", "hessian"), ("jvp", "hessian"), ("autograd", "jacobian")],
)
def test_a_matrix_beyond_the_memory_is_refused_in_a_sentence(name: str, want: str) -> None:
    large = gradmark.get_problem(
        "mlp", widths=(512, 2000, 512), data="synthetic", batch=4096, backend="torch", dtype="float32"
    )
    small = gradmark.get_problem("mlp", widths=(4, 3, 2), data="synthetic", batch=3, backend="torch")
    method = gradmark.get_method(name)
    reason = method.supports(large, want)
    assert reason is not None and f"a {want} of" in reason and "GiB" in reason
    assert method.supports(small, want) is None
