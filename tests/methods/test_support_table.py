"""docs/support.md: which method runs on which backend and device, in which dtypes, by running each one.

Write it anew with ``python -m tests.methods.test_support_table > docs/support.md``.
"""

from pathlib import Path

import pytest

import gradmark
from gradmark.arrays import Arrays, installed
from gradmark.claims import Unbiased
from gradmark.method import Method
from gradmark.problem import Problem
from tests.methods.cases import CASES, Numbers, assert_like, cosine, flat, reference, relative_error

DOCUMENT = Path(__file__).parents[2] / "docs" / "support.md"
PLACES = [
    *[Arrays("numpy", "cpu", dtype) for dtype in ("float64", "float32", "longdouble")],
    *[Arrays("torch", "cpu", dtype) for dtype in ("float64", "float32", "bfloat16", "float16")],
]
JAX_DTYPES = ("float64", "float32")
CASE = "mlp tanh cross_entropy"
HYPER = {"clipped_by_norm": {"limit": 1e3}, "clipped_by_value": {"limit": 1e3}}
TEXT = """# Which method runs where

Made by running each method on a small tanh network, or on one that is unrolled in time where that is what it
is for (`tests/methods/test_support_table.py`, which fails when this page is out of date and says how to write
it anew).

- **yes**: it runs, and the error is below a fifth of the gradient; for random methods, the cosine is that of
  their law, or above a half where they claim none; what clips is given a limit that cuts nothing.
- **noise**: it runs, and the error is larger: the dtype is too narrow for differences.
- a number: it does not run, for the reason below.

What a method computes beside the gradient, or instead of it, it computes wherever it runs.

`cuda` is what the method declares: there it takes torch tensors, in the dtypes of torch. What runs on NumPy
runs on any library of the array API; the tests use `array_api_strict` with two devices. Not here is
`evotorch_pgpe`, whose package is not among those that the tests install.

"""
# So the page is the same whether or not somebody has the package.
LEFT_OUT = ("evotorch_pgpe",)


def mark(name: str, arrays: Arrays) -> str:
    """yes, noise, or the reason in words why the method does not run."""
    method = gradmark.get_method(name, **HYPER.get(name, {}))
    problem = unrolled(arrays) if "unroll" in method.claims.reads else CASES[CASE](arrays)
    reason: str | None = method.supports(problem)
    if reason is not None:
        return reason
    gradient = method.prepare(problem)(problem.parameters).gradient
    assert_like(gradient, problem.parameters)
    exact = reference(problem)
    if method.claims.stochastic:
        predicted = law(method, exact)
        assert cosine(gradient, exact) == pytest.approx(predicted, abs=0.25), f"{name} in {arrays.dtype}"
        return "yes"
    return "yes" if relative_error(gradient, exact) < 0.2 else "noise"


def unrolled(arrays: Arrays) -> Problem:
    """A recurrent network of three steps."""
    place = {"backend": arrays.backend, "device": arrays.device, "dtype": arrays.dtype}
    return gradmark.get_problem("rnn", length=3, hidden=3, batch=7, **place)


def law(method: Method, exact: Numbers) -> float:
    """The cosine that a random method claims; where it claims none, any that chance does not give."""
    claimed = method.claims.exactness
    if isinstance(claimed, Unbiased) and claimed.variance_factor is not None:
        return claimed.cosine(getattr(method, claimed.samples), flat(exact).size)
    return 0.75


def document() -> str:
    """The page, in Markdown."""
    places = PLACES + [Arrays("jax", "cpu", dtype) for dtype in JAX_DTYPES]
    reasons: list[str] = []
    rows = []
    for name in sorted({*gradmark.list_methods()} - {*LEFT_OUT}):
        cells = [mark(name, arrays) for arrays in places]
        reasons += [cell for cell in dict.fromkeys(cells) if cell not in ("yes", "noise", *reasons)]
        cuda = "declared" if "cuda" in gradmark.get_method(name).claims.devices else "no"
        shown = [cell if cell in ("yes", "noise") else f"({reasons.index(cell) + 1})" for cell in cells]
        on_torch = "torch" in gradmark.get_method(name).claims.backends
        beside = ", ".join(sorted(gradmark.get_method(name).claims.wants - {"gradient"})) or "-"
        rows.append([f"`{name}`", beside, *shown, cuda if on_torch else "no"])
    header = [
        "method",
        "beside the gradient",
        *[f"{arrays.backend} {arrays.dtype}" for arrays in places],
        "cuda",
    ]
    lines = ["| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows]]
    numbered = [f"{number}. {reason}" for number, reason in enumerate(reasons, 1)]
    return TEXT + "\n".join(lines) + "\n\n" + "\n".join(numbered) + "\n"


@pytest.mark.skipif(not installed("jax"), reason="jax is not installed here, and the page has its columns")
def test_the_page_on_what_runs_where_is_up_to_date() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), __doc__


if __name__ == "__main__":
    print(document(), end="")
