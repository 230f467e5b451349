"""Objects of a person's own file, named as ``path/to/file.py:name``."""

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from gradmark.errors import UsageError, unknown_name

_PRIVATE = "_gradmark_file_"


def file_of(module: str) -> Path | None:
    """The file that was loaded as `module` here; None for other modules."""
    return Path(str(sys.modules[module].__file__)) if module.startswith(_PRIVATE) else None


def from_file(kind: str, name: str) -> Any:
    """The object of a file; `kind` ("method", "problem") is said in errors.

    Raises `UsageError` where the file does not exist, cannot be loaded, or holds no such object.
    """
    path_text, _, attribute = name.rpartition(":")
    path = Path(path_text).expanduser().resolve()
    if not path.is_file():
        raise UsageError(f"{kind} `{name}`: there is no file {path}; give an existing path/to/file.py:name.")
    module = loaded(path)
    if not hasattr(module, attribute):
        public = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise UsageError(f"{kind} `{name}`: {unknown_name('name', attribute, public)}")
    return getattr(module, attribute)


def loaded(path: Path) -> ModuleType:
    """The module of a file under a private name, so that it hides nothing and nothing hides it.

    A file that was changed is loaded anew: in a notebook a person edits a method and asks for it again.
    """
    version = f"{path}:{path.stat().st_mtime_ns}"
    private = f"{_PRIVATE}{hashlib.sha256(version.encode()).hexdigest()[:16]}"
    if private in sys.modules:
        return sys.modules[private]
    spec = importlib.util.spec_from_file_location(private, path)
    assert spec is not None and spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up in sys.modules while their class is made.
    sys.modules[private] = module
    try:
        spec.loader.exec_module(module)
    except UsageError as error:
        del sys.modules[private]
        raise UsageError(f"the file {path} could not be loaded: {error}") from error
    except (Exception, SystemExit) as error:
        del sys.modules[private]
        raise UsageError(
            f"the file {path} could not be loaded: {type(error).__name__}: {error}; mend it and try again."
        ) from error
    return module
