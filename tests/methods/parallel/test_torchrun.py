"""The same methods in processes that torchrun has started: each gets the whole gradient."""

import json
import os
import subprocess
import sys
from pathlib import Path

import gradmark

ROOT = Path(gradmark.__file__).parents[1]
SCRIPT = """
import json, os, sys
import gradmark
from gradmark.arrays import to_numpy

problem = gradmark.get_problem("mlp", widths=(64, 6, 10), batch=7, backend="torch", dtype="float32")
exact = gradmark.get_method("backprop").prepare(problem.to(dtype="float64"))
exact = exact(problem.to(dtype="float64").parameters)
rank, found = os.environ["RANK"], {}
for name in ("data_parallel_backprop", "pipeline_backprop"):
    prepared = gradmark.get_method(name, workers=9) if name[0] == "d" else gradmark.get_method(name, stages=9)
    prepared = prepared.prepare(problem)
    estimate = prepared(problem.parameters)
    found[name] = [float(estimate.value) - float(exact.value), *(
        abs(to_numpy(array) - to_numpy(exact.gradient[key])).max().item()
        for key, array in estimate.gradient.items()
    )]
plain, shared = (
    gradmark.get_method(name, pairs=5, **more).prepare(problem)(problem.parameters, 3).gradient
    for name, more in (("gaussian_es", {}), ("distributed_es", {"workers": 9}))
)
largest = max(abs(to_numpy(array)).max().item() for array in plain.values())
found["distributed_es"] = [
    abs(to_numpy(array) - to_numpy(shared[key])).max().item() / largest for key, array in plain.items()
]
with open(f"{sys.argv[1]}/{rank}.json", "w") as file:
    json.dump(found, file)
import torch.distributed
torch.distributed.destroy_process_group()
"""


def test_every_process_of_torchrun_gets_the_whole_gradient(tmp_path: Path) -> None:
    """Nine workers were asked for: the group that is there is used whatever its size."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--nproc-per-node=2",
            script,
            tmp_path,
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        timeout=300,
    )
    for rank in (0, 1):
        found = json.loads((tmp_path / f"{rank}.json").read_text())
        for name, errors in found.items():
            assert max(map(abs, errors)) <= 16 * 2.0**-23, name
