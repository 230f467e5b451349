"""``gradmark list``: what there is, one line each."""

import inspect
from typing import Annotated, Any

import typer

_KINDS = {"methods": "method", "problems": "problem", "reports": "command", "profiles": "profile"}


def list_registered(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="methods, problems, reports or profiles.")],
) -> None:
    """List methods, problems, reports or profiles, with what each claims or is."""
    from gradmark.errors import unknown_name
    from gradmark.registry import names

    if what not in _KINDS:
        raise unknown_name("kind", what, _KINDS)
    kind: Any = _KINDS[what]
    found = names(kind)
    width = max(map(len, found), default=0)
    for name in found:
        typer.echo(f"{name:<{width}}  {_line(kind, name)}")


def _line(kind: Any, name: str) -> str:
    from gradmark.cli.commands import first_line, registered
    from gradmark.registry import load

    if kind == "command":
        return first_line(registered()[name])
    try:
        found = load(kind, name)
        return _claims(found) if kind == "method" else _first_line(found)
    except Exception as error:
        return f"(cannot be loaded: {type(error).__name__}: {error})"


def _claims(found: Any) -> str:
    """What a method says of itself: family, exactness, target, what it computes and reads, where it runs."""
    method = found() if isinstance(found, type) else found
    claims = method.claims
    parts = [claims.family, str(claims.exactness)]
    if claims.target.kind != "gradient":
        parts.append(f"of the {claims.target}")
    if claims.wants != {"gradient"}:
        parts.append(f"computes {', '.join(sorted(claims.wants))}")
    parts += [f"reads {', '.join(sorted(claims.reads))}", f"on {', '.join(sorted(claims.backends))}"]
    return f"{'; '.join(parts)}: {_first_line(found)}"


def _first_line(found: Any) -> str:
    return (inspect.getdoc(found) or "").partition("\n")[0]
