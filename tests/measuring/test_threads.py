"""Threads are pinned for a while, and put back."""

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from gradmark.errors import UsageError
from gradmark.measuring.threads import in_use, pinned


def blas_threads() -> set[int]:
    np.ones((2, 2)) @ np.ones((2, 2))
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_pinned_libraries_use_one_thread_and_then_what_they_used_before() -> None:
    before, torch_before = blas_threads(), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pinned(1):
            assert blas_threads() == {1}
            assert torch.get_num_threads() == 1
        assert blas_threads() == before
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(torch_before)


def test_threads_are_put_back_after_an_error() -> None:
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), pinned(1):
        raise ZeroDivisionError
    assert torch.get_num_threads() == before


def test_the_libraries_in_use_are_named_with_their_threads() -> None:
    with pinned(1):
        libraries = in_use()
    assert {"blas", "torch"} <= {library["user_api"] for library in libraries}
    assert all(library["num_threads"] == 1 for library in libraries if library["user_api"] != "torch")


def test_no_threads_at_all_is_refused() -> None:
    with pytest.raises(UsageError, match="at least 1"), pinned(0):
        pass
