"""Environment variables that pin slower kernels than the CPU has: numbers would be fair to nobody."""

from collections.abc import Mapping
from pathlib import Path

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "MKL_ENABLE_INSTRUCTIONS",
    "MKL_CBWR",
    "MKL_DEBUG_CPU_TYPE",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY",
    "NPY_DISABLE_CPU_FEATURES",
    "XLA_FLAGS",
    "JAX_PLATFORMS",
    "CUDA_VISIBLE_DEVICES",
    "NVIDIA_TF32_OVERRIDE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "PYTORCH_CUDA_ALLOC_CONF",
)
"""Variables that change how fast or how exact the numerical libraries are; a run records them."""

_LEVELS = ("sse2", "avx", "avx2", "avx512f")
_OPENBLAS = {
    **dict.fromkeys(("prescott", "core2", "penryn", "dunnington", "atom", "nano", "opteron", "barcelona"), 0),
    **dict.fromkeys(("nehalem", "bobcat", "generic"), 0),
    **dict.fromkeys(("sandybridge", "bulldozer", "piledriver", "steamroller"), 1),
    **dict.fromkeys(("haswell", "zen", "excavator"), 2),
}
"""Instruction set of OpenBLAS's kernels by core type (OpenBLAS TargetList.txt): an index of `_LEVELS`."""
_BY_WORD = {
    "sse41": 0,
    "sse42": 0,
    "sse4_1": 0,
    "sse4_2": 0,
    "default": 0,
    "compatible": 0,
    "avx": 1,
    "avx2": 2,
}
"""The same for variables whose value begins with the name of an instruction set."""
_WORD_VARIABLES = (
    "MKL_ENABLE_INSTRUCTIONS",
    "MKL_CBWR",
    "ONEDNN_MAX_CPU_ISA",
    "DNNL_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY",
)


def warnings(variables: Mapping[str, str], flags: frozenset[str]) -> list[str]:
    """One sentence for each variable that holds a library below what a CPU with these `flags` can do.

    >>> warnings({"OPENBLAS_CORETYPE": "Haswell"}, frozenset({"avx", "avx2", "avx512f"}))[0][:58]
    'OPENBLAS_CORETYPE=Haswell pins avx2 kernels on a CPU with '
    """
    best = max((level for level, name in enumerate(_LEVELS) if name in flags), default=0)
    found = []
    for name, value in variables.items():
        level = _level(name, value)
        if level is not None and level < best:
            found.append(
                f"{name}={value} pins {_LEVELS[level]} kernels on a CPU with {_LEVELS[best]}: matrix "
                "products may be half as fast as they could be; unset it for timings that others "
                "can compare with."
            )
    if "OPENBLAS_L2_SIZE" in variables:
        found.append(
            f"OPENBLAS_L2_SIZE={variables['OPENBLAS_L2_SIZE']} overrides the cache size that OpenBLAS blocks "
            "for: unset it for timings that others can compare with."
        )
    return found


def cpu_flags() -> frozenset[str]:
    """The instruction sets of this CPU as /proc/cpuinfo names them; empty where there is no such file."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    flags = next((line for line in lines if line.startswith("flags")), ":")
    return frozenset(flags.partition(":")[2].split())


def _level(name: str, value: str) -> int | None:
    if name == "OPENBLAS_CORETYPE":
        return _OPENBLAS.get(value.lower())
    if name in _WORD_VARIABLES:
        return _BY_WORD.get(value.lower().partition(",")[0])
    if name == "NPY_DISABLE_CPU_FEATURES" and "avx512" in value.lower():
        return 2
    return None
