"""How long gradmark takes to begin."""

import os
import subprocess
import sys
import time

_COMMANDS = {
    "gradmark --help": ["-m", "gradmark", "--help"],
    "import gradmark": ["-c", "import gradmark"],
}


def print_times() -> None:
    """The best of five starts, in seconds; a start is a new process."""
    print()
    for name, arguments in _COMMANDS.items():
        seconds = min(_seconds([sys.executable, *arguments]) for _ in range(5))
        print(f"{name:24}{seconds:9.3f} s")


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env={**os.environ})
    return time.perf_counter() - start
