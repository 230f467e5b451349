"""The fenced blocks of a Markdown document, as data."""

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(
    r"(?:<!-- test: (?P<mark>.*?) -->\n+)?"
    r"^```(?P<language>\w+)(?: +title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_EXIT_CODE = re.compile(r"# exit code (\d+)")


@dataclass(frozen=True)
class Block:
    """One fenced block. `mark` is what a comment ``<!-- test: ... -->`` just above it says, or ""."""

    language: str
    title: str | None
    text: str
    line: int
    mark: str

    @property
    def skipped(self) -> bool:
        """Whether the comment says ``skip REASON``."""
        return self.mark.startswith("skip ")

    @property
    def exact(self) -> bool:
        """Whether the comment says ``exact``: commands must print what the block shows."""
        return self.mark == "exact"


@dataclass(frozen=True)
class Command:
    """A command of a console block, the exit code it should end with, and what the block shows below it."""

    text: str
    exit_code: int
    output: str


def blocks(document: Path) -> list[Block]:
    """The fenced blocks of `document` that name a language, in order."""
    text = document.read_text(encoding="utf-8")
    return [
        Block(
            language=match["language"],
            title=match["title"],
            text=match["text"],
            line=text.count("\n", 0, match.start("language")) + 1,
            mark=(match["mark"] or "").strip(),
        )
        for match in _FENCE.finditer(text)
    ]


def commands(text: str) -> list[Command]:
    """The commands of a console block: lines that begin with ``$``, continued after a backslash.

    A line ``# exit code N`` below a command says how it ends; the other lines are its output.
    """
    found = []
    for part in re.split(r"^\$ ", text.replace("\\\n", ""), flags=re.MULTILINE)[1:]:
        line, *rest = part.rstrip("\n").split("\n")
        codes = [int(match[1]) for match in map(_EXIT_CODE.fullmatch, rest) if match]
        output = [shown for shown in rest if not _EXIT_CODE.fullmatch(shown)]
        found.append(Command(" ".join(line.split()), codes[0] if codes else 0, "\n".join(output).strip()))
    return found
