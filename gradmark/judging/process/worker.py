"""The process in which one method is judged: ``python -P -m gradmark.judging.process.worker``.

It reads the case from standard input and answers on its standard output with one JSON object a line: what it
does, every finding, at last the whole report. What plug-ins print goes to standard error.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gradmark.errors import TRACEBACK, UsageError, in_one_line
from gradmark.judging.process import watch
from gradmark.run.cpus import settle
from gradmark.run.worker import Send, die_with, private_channel

LOADING = "loading"
"""What comes before all stages: the method's code is imported and its claims are read."""


def main() -> None:
    """Judge one method and leave."""
    send = private_channel()
    message = json.loads(sys.stdin.buffer.read())
    die_with(message["supervisor"])
    settle(1)
    try:
        judge(message["case"], send, Path(message["marks"]))
    except UsageError as error:
        send({"event": "refused", "sentence": str(error)})
    except BaseException as error:
        if os.environ.get(TRACEBACK):
            raise
        sys.exit(in_one_line(error))


def judge(case: Mapping[str, Any], send: Send, marks: Path) -> None:
    """Validate the method of a case, and tell everything as it happens."""
    from gradmark.judging.clock import seconds_for
    from gradmark.judging.docket import as_trial
    from gradmark.judging.presenting.json import as_object, finding_object
    from gradmark.judging.protocol import claims_in_words
    from gradmark.judging.validation import claims_of, validate
    from gradmark.notebook import resolved

    def doing(stage: str, where: str) -> None:
        send({"event": "doing", "stage": stage, "where": where})

    watch.watched_by(watch.Marks(marks, doing))
    watch.examining(LOADING)
    with watch.calling(str(case["method"])):
        name, method, hyper = resolved(case["method"])
        claims = claims_of(name, method)
    for problem in case["problems"] or ():
        as_trial(problem, frozenset()).build()  # where it can't be built, the person has to know first
    opened = {"name": name, "hyper": hyper, "claims": claims_in_words(claims)}
    budget = seconds_for(claims) if case["budget"] is None else case["budget"]
    send({"event": "opened", "budget": budget, **_plain(opened)})
    report = validate(
        case["method"],
        problems=case["problems"],
        budget=budget,
        profile=case["profile"],
        seed=case["seed"],
        false_alarm=case["false_alarm"],
        expected_failures=case["expected"],
        on_finding=lambda found: send({"event": "finding", "finding": finding_object(found)}),
    )
    send({"event": "finished", "report": as_object(report)})


def _plain(named: Mapping[str, Any]) -> dict[str, Any]:
    from gradmark.run.records import plain

    return {name: plain(value) for name, value in named.items()}


if __name__ == "__main__":
    main()
