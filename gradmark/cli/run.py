"""``gradmark run``: measure, and keep every record."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gradmark.cli.selection import Selection
    from gradmark.run.plan import Comparison

_INTERRUPTED = 130


def run(
    profile: Annotated[
        str | None,
        typer.Option(help="A plan by name: quick (a few minutes on two cores), full, or one of your own."),
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A method, or file.py:name, with name:step=1e-5 for hyper-parameters. Repeatable.",
        ),
    ] = None,
    problem: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A problem, or file.py:name, with sizes as mlp:widths=64,32,10. Repeatable."
        ),
    ] = None,
    backend: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="numpy, torch or jax. Repeatable.")
    ] = None,
    device: Annotated[str | None, typer.Option(metavar="NAME", help="cpu, cuda, cuda:1.")] = None,
    dtype: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="float64, float32, bfloat16, float16. Repeatable."),
    ] = None,
    want: Annotated[
        str | None,
        typer.Option(
            metavar="QUANTITY",
            help="What is measured: gradient (unless said), jvp, vjp, jacobian, hvp or hessian.",
        ),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads of each library; 1 unless said.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of weights, data and search noise.")] = None,
    repetitions: Annotated[
        int | None, typer.Option(help="Seeds that a stochastic method is tried with for its error.")
    ] = None,
    time_limit: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", help="For one comparison: what runs after it is stopped."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="RUN", help="The run folder; runs/DATE-NAME unless said.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A Dask cluster to run on, as tcp://host:8786.")
    ] = None,
) -> None:
    """Measure methods on problems and keep the records in a run folder.

    Without --problem this is the profile "quick", or with --method that part of it. With --problem it is
    those problems with those methods (all there are, unless said). Given again with the same --out it
    measures what is missing, and Ctrl-C keeps what is done.

    \b
    gradmark run --profile quick --out runs/quick
    gradmark run --problem mlp:widths=64,32,10 --method backprop --method central_difference:step=1e-5
    gradmark run --problem quadratic:size=1000 --method mine.py:mine --dtype float32
    """
    from gradmark.cli.selection import Selection
    from gradmark.run.naming import parsed
    from gradmark.run.plan import MethodCall

    selection = Selection(
        profile=profile,
        methods=tuple(MethodCall(*parsed("method", text)) for text in method or ()),
        problems=tuple(parsed("problem", text) for text in problem or ()),
        backends=tuple(dict.fromkeys(backend or ())),
        dtypes=tuple(dict.fromkeys(dtype or ())),
        device=device,
        want=want,
        threads=threads,
        seed=seed,
        repetitions=repetitions,
        time_limit=time_limit,
    )
    _measure(selection, out or _default_folder(selection), scheduler)


def _measure(selection: "Selection", folder: Path, scheduler: str | None) -> None:
    from gradmark.cli.cluster import executor_at
    from gradmark.cli.selection import plan
    from gradmark.run.execute import execute, lacking, prepared
    from gradmark.run.progress import failures, summary, watching
    from gradmark.run.store import opened

    tasks = prepared(plan(selection))
    with executor_at(scheduler) as executor, opened(folder) as store:
        if not lacking(tasks, store):
            typer.echo(
                f"Nothing was missing: {summary(store.records)} in {folder}. Next: gradmark report {folder}"
            )
            return
        try:
            comparisons = [task.comparison for task in tasks]
            _note_environment(selection, comparisons, folder)
            with watching(comparisons) as watcher:
                execute(tasks, store, executor=executor, watcher=watcher)
        except KeyboardInterrupt:
            typer.echo(
                f"Stopped; what was measured is kept: {summary(store.records)}. To continue:", err=True
            )
            typer.echo(f"  {_command(folder)}", err=True)
            raise typer.Exit(_INTERRUPTED) from None
        for line in failures(store.records):
            typer.echo(line, err=True)
        typer.echo(f"{summary(store.records)}; the records are in {folder}. Next: gradmark report {folder}")


def _note_environment(selection: "Selection", comparisons: "list[Comparison]", folder: Path) -> None:
    """Write `environment.json`, or say what has changed since, and print its warnings."""
    import sys

    from gradmark.run.environment import describe, differences
    from gradmark.run.store import read_environment, write_environment

    now = describe(
        {comparison.backend for comparison in comparisons},
        max(comparison.threads for comparison in comparisons),
        sys.argv,
        None if selection.is_own else selection.name,
    )
    before = read_environment(folder)
    changed = differences(before, now) if before else []
    for warning in now["warnings"]:
        typer.echo(f"warning: {warning}", err=True)
    if changed:
        typer.echo(f"warning: this run was begun with another {', '.join(changed)}.", err=True)
    resumed = {key: now[key] for key in ("started", "command", "commit")} | {"changed": changed}
    write_environment(folder, {**before, "resumed": [*before.get("resumed", []), resumed]} if before else now)


def _default_folder(selection: "Selection") -> Path:
    from datetime import datetime

    return Path("runs") / f"{datetime.now():%Y-%m-%d-%H%M%S}-{selection.name}"


def _command(folder: Path) -> str:
    """The command that continues this run: the same, with its folder."""
    import shlex
    import sys

    arguments = ["gradmark", *sys.argv[1:]]
    named = any(argument == "--out" or argument.startswith("--out=") for argument in arguments)
    return shlex.join(arguments if named else [*arguments, "--out", str(folder)])
