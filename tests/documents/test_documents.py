"""What the documents say can be done, is done; and the harness that does it notices when it can't."""

from pathlib import Path

import pytest

from tests.documents.blocks import blocks, commands
from tests.documents.running import ROOT, DocumentError, follow


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_following_a_document_to_the_letter_works(name: str, tmp_path: Path) -> None:
    assert follow(ROOT / name, tmp_path) > 0


def written(folder: Path, text: str) -> Path:
    document = folder / "document.md"
    document.write_text(text, encoding="utf-8")
    return document


IMPOSTORS = {
    "a command that fails": ("```console\n$ python -c 'raise SystemExit(3)'\n```\n", "ended with 3, not 0"),
    "a command that should fail": ("```console\n$ python -c ''\n# exit code 2\n```\n", "ended with 0, not 2"),
    "other output": (
        "<!-- test: exact -->\n```console\n$ python -c 'print(1)'\n2\n```\n",
        "printed\n1\nnot\n2",
    ),
    "an unknown command": ("```console\n$ frobnicate\n```\n", "no test knows how"),
    "a target that is not there": ("```console\n$ make dinner\n```\n", "no target `dinner`"),
    "an exception": ("```python\n1 / 0\n```\n", "ZeroDivisionError"),
    "a wrong result": ("```python\n>>> 1 + 1\n3\n```\n", "Got:\n    2"),
}


@pytest.mark.parametrize("impostor", IMPOSTORS)
def test_a_document_that_is_wrong_is_caught_with_its_line(impostor: str, tmp_path: Path) -> None:
    text, message = IMPOSTORS[impostor]
    with pytest.raises(DocumentError, match=r"document.md line \d+") as caught:
        follow(written(tmp_path, "# Title\n\n" + text), tmp_path)
    assert message in str(caught.value)


def test_python_blocks_share_names_and_titled_blocks_become_files(tmp_path: Path) -> None:
    text = """
```python title="mine.py"
answer = 42
```
```python
import pathlib
text = pathlib.Path("mine.py").read_text()
```
```python
>>> "42" in text
True
```
```console
$ python -c "import mine; \\
    raise SystemExit(mine.answer)"
# exit code 42
```
"""
    assert follow(written(tmp_path, text), tmp_path) == 4


def test_a_skipped_block_is_not_run_and_a_mark_counts_only_for_the_block_below_it(tmp_path: Path) -> None:
    text = "<!-- test: skip takes an hour -->\n```python\n1 / 0\n```\n```python\nx = 1\n```\n"
    document = written(tmp_path, text)
    assert [block.skipped for block in blocks(document)] == [True, False]
    assert follow(document, tmp_path) == 1


def test_commands_carry_their_exit_code_and_output() -> None:
    first, second = commands(
        "$ gradmark show \\\n    runs/a\n# exit code 2\nsorry\n$ gradmark list methods\na\nb\n"
    )
    assert (first.text, first.exit_code, first.output) == ("gradmark show runs/a", 2, "sorry")
    assert (second.text, second.exit_code, second.output) == ("gradmark list methods", 0, "a\nb")
