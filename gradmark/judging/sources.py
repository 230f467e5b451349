"""Whether a stored judgement still speaks of the code that is here."""

import hashlib
from pathlib import Path

import gradmark

_PACKAGES = ("gradmark/judging", "gradmark/reference", "gradmark/measuring", "methods", "problems")
"""What a verdict on a built-in method depends on; the rest of the engine is held by its own tests."""


def digest() -> dict[str, str]:
    """A hash of the Python sources of each package that decides verdicts, by its path.

    >>> sorted(digest())[-1]
    'problems'
    """
    root = Path(gradmark.__file__).parents[1]
    return {package: _of_folder(root / package) for package in _PACKAGES}


def _of_folder(folder: Path) -> str:
    content = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()[:16]
