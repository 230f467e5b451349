"""The first door, watched from outside: a method that hangs or crashes gets its verdict all the same.

Each method is judged in a process of its own, which tells every finding as it is made. What was found before
the process ended stays, and one finding more says how it ended.
"""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gradmark.errors import UsageError
from gradmark.judging.judgement import ValidationReport
from gradmark.judging.presenting.json import finding_from, from_object
from gradmark.judging.process import ending
from gradmark.judging.process.watch import Stopwatch
from gradmark.judging.verdict import Finding, with_expected
from gradmark.run.process import Worker

_MODULE = "gradmark.judging.process.worker"
_TICK = 0.25
"""Seconds between two looks at the clock."""


@dataclass(frozen=True)
class Case:
    """What to judge: the arguments of `gradmark.validate`, the method and the problems by name."""

    method: str
    problems: Sequence[str] | None = None
    budget: float | None = None
    profile: str = "full"
    seed: int = 0
    false_alarm: float = 1e-6
    expected: Mapping[str, str] = field(default_factory=dict)


class Listener:
    """Who is told how the judging gets on. Nothing is done with it unless a method is overridden."""

    def doing(self, stage: str, where: str) -> None:
        """The judge has come to `stage`, at `where` (empty: at no problem in particular)."""

    def found(self, finding: Finding) -> None:
        """There is another finding."""

    def waiting(self, seconds: float, budget: float | None) -> None:
        """Some time has passed."""


class Interrupted(Exception):
    """A person stopped it; `report` holds what was found before."""

    def __init__(self, report: ValidationReport) -> None:
        super().__init__("interrupted")
        self.report = report


@dataclass
class _Heard:
    """What the process has told so far."""

    case: Case
    started: float = field(default_factory=time.monotonic)
    opened: float | None = None
    budget: float | None = None
    name: str = ""
    stage: str = ""
    where: str = ""
    claims: Mapping[str, str] = field(default_factory=dict)
    hyper: Mapping[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    report: ValidationReport | None = None

    def spent(self) -> float:
        """Seconds since the process was started."""
        return time.monotonic() - self.started


def supervised(case: Case, listener: Listener | None = None) -> ValidationReport:
    """`gradmark.validate` in a process of its own; it always ends, and with a report.

    A method that does not return, ends its process or takes all memory is wrong: the report has the findings
    that were made before, and one named after the stage that says how it ended. Raises `UsageError` for what
    a person can mend, and `Interrupted` where one pressed Ctrl-C.
    """
    listener, heard, marks = listener or Listener(), _Heard(case), Stopwatch()
    with tempfile.TemporaryDirectory(prefix="gradmark-") as folder:
        log = Path(folder) / "output"
        worker = Worker({"case": asdict(case), "marks": str(marks.path)}, 1, log, _MODULE)
        try:
            _listen(worker, heard, listener, marks)
            if heard.report is not None:
                return heard.report
            call = marks.read()
            code = worker.end()
            return _ended(heard, ending.finding(code, heard.stage, heard.where, *call, heard.spent(), log))
        except KeyboardInterrupt:
            raise Interrupted(_ended(heard, ending.interrupted(heard.stage, heard.where))) from None
        finally:
            worker.end()
            marks.close()
            ending.show_output(log)


def _listen(worker: Worker, heard: _Heard, listener: Listener, marks: Stopwatch) -> None:
    """Hear the process out, until it has finished, ended or lost its time."""

    def overtime() -> float:
        listener.waiting(heard.spent(), heard.budget)
        since_opened = None if heard.opened is None else time.monotonic() - heard.opened
        in_call = marks.read()[0] is not None
        limit = ending.limit(heard.budget, heard.case.budget, in_call=in_call)
        return _TICK if (heard.spent() if since_opened is None else since_opened) < limit else 0.0

    for message in worker.messages(0.0, overtime):
        if _hear(message, heard, listener):
            return


def _hear(message: Mapping[str, Any], heard: _Heard, listener: Listener) -> bool:
    """Note one message; True for the last one."""
    match message["event"]:
        case "refused":
            raise UsageError(message["sentence"])
        case "opened":
            heard.opened, heard.budget = time.monotonic(), message["budget"]
            heard.name, heard.claims, heard.hyper = message["name"], message["claims"], message["hyper"]
        case "doing":
            heard.stage, heard.where = message["stage"], message["where"]
            listener.doing(heard.stage, heard.where)
        case "finding":
            heard.findings.append(finding_from(message["finding"]))
            listener.found(heard.findings[-1])
        case "finished":
            report = from_object(message["report"])
            assert isinstance(report, ValidationReport)
            heard.report = report
    return heard.report is not None


def _ended(heard: _Heard, last: Finding) -> ValidationReport:
    """The report of a process that did not write its own."""
    case = heard.case
    findings = with_expected([*heard.findings, last], case.expected)
    return ValidationReport(
        subject=heard.name or case.method,
        findings=tuple(findings),
        seconds=heard.spent(),
        evaluations=sum(finding.evaluations for finding in findings),
        record={"profile": case.profile, "seed": case.seed, "false_alarm": case.false_alarm},
        claims=heard.claims,
        hyper=heard.hyper,
    )
