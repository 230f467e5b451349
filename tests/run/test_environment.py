"""Where a run was measured is recorded, and what makes its numbers doubtful is said."""

import subprocess
from pathlib import Path

import pytest

from gradmark.run import environment
from gradmark.run.kernels import cpu_flags, warnings

AVX512 = frozenset({"sse2", "avx", "avx2", "avx512f"})
AVX2 = frozenset({"sse2", "avx", "avx2"})


def test_the_environment_names_machine_versions_and_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    found = environment.describe(["numpy"], 1, ["gradmark", "run", "--out", "a b"], "quick")
    assert found["command"] == "gradmark run --out 'a b'"
    assert found["profile"] == "quick"
    assert {"started", "commit", "dirty", "cpu", "cores", "memory_bytes", "devices", "tf32"} <= found.keys()
    assert found["versions"]["numpy"]
    assert found["variables"]["OPENBLAS_CORETYPE"] == "Haswell"
    blas = [pool for pool in found["blas"] if pool["user_api"] == "blas"]
    assert blas and all(pool["num_threads"] == 1 for pool in blas)
    # Recorded as it is in force, not silently changed.
    if "avx2" in cpu_flags():
        openblas = [pool for pool in blas if pool.get("internal_api") == "openblas"]
        assert {pool["architecture"] for pool in openblas} <= {"Haswell"}


@pytest.mark.parametrize(
    ("variables", "flags", "words"),
    [
        ({"OPENBLAS_CORETYPE": "Haswell"}, AVX512, "OPENBLAS_CORETYPE=Haswell pins avx2 kernels"),
        ({"OPENBLAS_CORETYPE": "Haswell"}, AVX2, None),
        ({"OPENBLAS_CORETYPE": "SkylakeX"}, AVX512, None),
        ({"OPENBLAS_CORETYPE": "Nehalem"}, AVX2, "pins sse2 kernels on a CPU with avx2"),
        ({"MKL_ENABLE_INSTRUCTIONS": "AVX2"}, AVX512, "MKL_ENABLE_INSTRUCTIONS=AVX2"),
        ({"MKL_CBWR": "AVX2,STRICT"}, AVX512, "MKL_CBWR"),
        ({"ATEN_CPU_CAPABILITY": "default"}, AVX2, "ATEN_CPU_CAPABILITY"),
        ({"NPY_DISABLE_CPU_FEATURES": "AVX512F AVX512_SKX"}, AVX512, "NPY_DISABLE_CPU_FEATURES"),
        ({"OPENBLAS_L2_SIZE": "512"}, AVX2, "OPENBLAS_L2_SIZE=512"),
        ({"XLA_FLAGS": "", "CUDA_VISIBLE_DEVICES": "0"}, AVX512, None),
    ],
)
def test_a_variable_that_pins_slower_kernels_than_the_cpu_has_is_warned_of(
    variables: dict[str, str], flags: frozenset[str], words: str | None
) -> None:
    found = warnings(variables, flags)
    assert len(found) == (words is not None)
    assert words is None or words in found[0]


def test_an_installation_inside_somebody_else_s_repository_has_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "venv" / "gradmark" / "run" / "environment.py"
    module.parent.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    monkeypatch.setattr(environment, "__file__", str(module))
    assert environment.commit() == {"commit": None, "dirty": None}


def test_a_resumed_run_says_what_has_changed() -> None:
    before = {"cpu": "A", "commit": "1", "versions": {"numpy": "2.0", "torch": "2.6"}}
    now = {"cpu": "A", "commit": "2", "versions": {"numpy": "2.1", "jax": "0.5"}}
    assert environment.differences(before, now) == ["commit", "numpy 2.0 -> 2.1"]
