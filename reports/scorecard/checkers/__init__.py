"""The checkers: gradmark's own and its peers, a file for each.

`gradmark`; `torch_slow` and `torch_fast`, both by way of `torch_gradcheck`; `jax`; `hips`; `scipy`. `said` is
what each answers, and `arguments` puts a question as peers want it.

Each file has `TITLE`; `installed()`; `refuses(question)`, None or the reason why it cannot be asked;
`check(question)`, what it says, with its default settings; and `REJECTIONS`, the exceptions by which it
rejects a gradient beside those that `check` knows: with peers any, as of a wrong shape they say nothing else.
"""

import importlib
from types import ModuleType

from gradmark.errors import unknown_name

NAMES = ("gradmark", "torch_slow", "torch_fast", "jax", "hips", "scipy")
"""The checkers in the order of the table; each is a file here."""


def checker(name: str) -> ModuleType:
    """The checker of that name. Raises `UsageError` where there is none."""
    if name not in NAMES:
        raise unknown_name("checker", name, NAMES)
    return importlib.import_module(f"reports.scorecard.checkers.{name}")
