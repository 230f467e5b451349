"""The scorecard: a battery of wrong and of awkward gradients, and what each checker says of them.

`battery` holds the cases, `checkers` gradmark's own checker and its peers. `asking` asks one checker about
one case within the limits of `counting`, `outcome` names what came of it, `tally` counts, `record` writes and
reads ``scorecard.json``, `tables` and `page` show it, `terminal` shows a table in one, `command` is
``gradmark scorecard``.
"""

from pathlib import Path

NAME = "scorecard.json"
"""The file that holds the results."""


def is_alone(run: Path) -> bool:
    """Whether the folder `run` holds a scorecard and no records of a run."""
    return (run / NAME).is_file() and not (run / "records.jsonl").exists()


def page_of(run: Path, folder: Path) -> Path:
    """Write the page of the scorecard in `run` into `folder` and return the path of its index.html."""
    from reports.scorecard import page, record

    return page.write(record.read(run / NAME), folder)
