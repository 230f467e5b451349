"""Which errors mean that memory ran out: every library has its own."""

_SIGNS = ("can't allocate memory", "out of memory", "Unable to allocate", "RESOURCE_EXHAUSTED")
"""What torch's CPU allocator, CUDA, NumPy and JAX write."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` is Python's MemoryError, or what torch, CUDA or JAX raise in its place."""
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)
