"""The group of all commands: gradmark's own, and those that other packages register as entry points.

A registered command is imported when it runs. Its line in ``gradmark --help`` is read from the source file.
"""

import ast
import importlib.util
import inspect
import os
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from gradmark.errors import TRACEBACK, UsageError, unknown_name

_GROUP = "gradmark.commands"


class Commands(TyperGroup):
    """Own and registered commands; every error is one sentence on standard error, and an exit code."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Own commands first, then the registered ones."""
        return [*self.commands, *sorted(set(registered()) - set(self.commands))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, imported if it is a registered one; None where there is none."""
        if cmd_name in self.commands or cmd_name not in registered():
            return self.commands.get(cmd_name)
        return loaded(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the arguments begin with; `UsageError` with a suggestion where there is none."""
        if args and not args[0].startswith("-") and args[0] not in self.list_commands(ctx):
            raise unknown_name("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """One line for each command."""
        rows = []
        for name in self.list_commands(ctx):
            own = self.commands.get(name)
            rows.append(
                (name, first_line(registered()[name]) if own is None else own.get_short_help_str(100))
            )
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and exit: 0, 1 for what went wrong, 2 for bad input, 130 for an interruption."""
        given = (args, prog_name or "gradmark", complete_var, False, windows_expand_args)
        if not standalone_mode:
            return super().main(*given, **extra)
        try:
            code = super().main(*given, **extra)
        except Exception as error:
            code = _explained(error)
        sys.exit(code if isinstance(code, int) else 0)


def registered() -> dict[str, EntryPoint]:
    """The registered commands by name."""
    return {point.name: point for point in entry_points(group=_GROUP)}


def loaded(name: str) -> Any:
    """A registered command, from a function, a Typer app or a ready command."""
    from gradmark.registry import load

    try:
        found = load("command", name)
    except ImportError as error:
        raise UsageError(f"the command `{name}` cannot be loaded: {error}.") from error
    if inspect.isfunction(found):
        app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        app.command(name)(found)
        found = app
    return typer.main.get_command(found) if isinstance(found, typer.Typer) else found


def first_line(point: EntryPoint) -> str:
    """The first line of a command's docstring, read without importing it; empty where there is none."""
    try:
        tree = ast.parse(_source(point.module).read_text(encoding="utf-8"))
    except (ImportError, OSError, SyntaxError, ValueError):
        return ""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == point.attr:
            return (ast.get_docstring(node) or "").partition("\n")[0]
    return (ast.get_docstring(tree) or "").partition("\n")[0]


def _source(module: str) -> Path:
    """The file of a module. Only its topmost package is looked up: what is below would be imported for it."""
    top, *below = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or (below and not spec.submodule_search_locations):
        raise ImportError(module)
    if not below:
        return Path(spec.origin or "")
    return Path((spec.submodule_search_locations or [""])[0], *below).with_suffix(".py")


def _explained(error: Exception) -> int:
    """Write the one sentence that an error deserves, and return the exit code."""
    if os.environ.get(TRACEBACK):
        raise error
    if isinstance(error, UsageError):
        return _said(str(error), 2)
    if hasattr(error, "format_message"):
        command = getattr(getattr(error, "ctx", None), "command_path", "gradmark")
        sentence = str(error.format_message()).strip().rstrip(".")
        return _said(f"{sentence}. See `{command} --help`.", int(getattr(error, "exit_code", 2)))
    from gradmark.run.appending import StorageError

    if isinstance(error, StorageError):
        return _said(str(error), 1)
    if isinstance(error, typer.Abort):
        return _said("interrupted.", 130)
    kind = type(error).__name__
    return _said(f"an error that should not be: {kind}: {error} ({TRACEBACK}=1 shows where).", 1)


def _said(sentence: str, code: int) -> int:
    typer.echo(f"gradmark: {' '.join(sentence.split())}", err=True)
    return code
