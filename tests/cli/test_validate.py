"""``gradmark validate``: every verdict has its exit code, and nothing a method does can keep it from one."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as xml

import pytest
from typer.testing import Result

from gradmark.cli.verdicts import exit_code
from gradmark.cli.whole_file import write_whole
from gradmark.errors import UsageError
from gradmark.judging.judgement import ValidationReport
from gradmark.judging.presenting.json import from_json
from gradmark.judging.process import ending
from gradmark.judging.process.supervised import Case, supervised
from gradmark.judging.verdict import Finding
from tests.cli.conftest import SPHERE, Gradmark
from tests.run.plans import IMPOSTORS

PROBLEM = f"--problem={SPHERE}:size=3"
CORRECT = ("complex_step", "--problem=rosenbrock:size=4")
ZEROS = f"{IMPOSTORS}:zeros"


def only(result: Result) -> str:
    """The one line that was printed on standard output."""
    (line,) = result.stdout.splitlines()
    return str(line)


def test_a_correct_method_exits_with_zero_and_its_text_begins_with_the_verdict(gradmark: Gradmark) -> None:
    result = gradmark("validate", *CORRECT)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("correct: complex_step")


def test_a_wrong_method_exits_with_one(gradmark: Gradmark) -> None:
    result = gradmark("validate", ZEROS, PROBLEM, "--quiet")
    assert result.exit_code == 1
    assert only(result).startswith("wrong: ")


def test_the_worst_verdict_is_the_exit_code() -> None:
    correct, wrong, undecided = (
        ValidationReport("m", (Finding("cost", status, ""),)) for status in ("passed", "failed", "undecided")
    )
    assert exit_code([correct, correct]) == 0
    assert exit_code([correct, undecided]) == 3
    assert exit_code([undecided, wrong, correct]) == 1


def test_all_outputs_of_several_methods(gradmark: Gradmark, tmp_path: Path) -> None:
    paths = {name: tmp_path / f"it.{name}" for name in ("json", "junit", "html")}
    options = [f"--{name}={path}" for name, path in paths.items()]
    result = gradmark("validate", CORRECT[0], ZEROS, PROBLEM, "-q", *options)
    assert result.exit_code == 1
    found = json.loads(paths["json"].read_text())
    assert found["verdict"] == "wrong"
    assert len(found["judgements"]) == 2
    assert found["judgements"][1]["verdict"] == "wrong"
    assert len(xml.parse(paths["junit"]).findall("testsuite")) == 2
    assert "before the judge" in paths["html"].read_text()
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in paths.values()}


def test_json_on_standard_output_is_nothing_but_json_whatever_the_method_prints(gradmark: Gradmark) -> None:
    result = gradmark("validate", f"{IMPOSTORS}:prints", PROBLEM, "--json=-")
    report = from_json(result.stdout)
    assert report.verdict == json.loads(result.stdout)["verdict"]
    assert "and it complains" in result.stderr
    assert "prints" in result.stderr  # the text and the progress are there


ENDINGS = {
    "crashes": ("crash", "crashed with SIGSEGV"),
    "is_killed": ("memory", "as the kernel does when memory runs out"),
    "vanishes": ("exit", "exit code 3"),
    "hangs": ("hang", "a call had not returned after"),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_a_method_that_takes_its_process_with_it_is_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "_LEAST_GRACE", 0.3)
    report = supervised(Case(f"{IMPOSTORS}:{name}", [f"{SPHERE}:size=3"], budget=3.0))
    word, sentence = ENDINGS[name]
    last = report.findings[-1]
    assert report.verdict == "wrong"
    assert last.check.endswith(f".{word}") and last.status == "failed"
    assert sentence in last.reason
    assert "sphere" in last.reason or "loaded" in last.reason


def test_a_file_that_hangs_while_it_is_loaded_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "_LOADING", 2.0)
    path = tmp_path / "late.py"
    path.write_text("import time\ntime.sleep(3600)\n")
    report = supervised(Case(f"{path}:late"))
    assert report.verdict == "wrong"
    assert "while the method was loaded" in report.reason


def test_a_slow_method_is_not_accused() -> None:
    found = ending.finding(None, "accuracy", "sphere", 12.0, 3.0, 60.0, Path("none"))
    assert found.status == "undecided"
    assert "give a larger budget" in found.reason
    assert ending.finding(None, "accuracy", "sphere", 40.0, 3.0, 60.0, Path("none")).status == "failed"


@pytest.mark.parametrize("code", [None, -signal.SIGSEGV, -signal.SIGKILL, 1, 0])
def test_a_process_that_ends_between_calls_accuses_nobody(code: int | None) -> None:
    found = ending.finding(code, "accuracy", "sphere", None, 3.0, 60.0, Path("none"))
    assert found.status == "undecided"
    assert "the process of the judge" in found.reason


def test_what_was_found_before_a_crash_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "later.py"
    path.write_text(
        "import os\n"
        "from gradmark import gradient_method\n"
        "calls = []\n"
        "@gradient_method(family='reverse', exact=True, evaluations=lambda size: 1)\n"
        "def later(problem, parameters, seed):\n"
        "    calls.append(seed)\n"
        "    if len(calls) > 5:\n"
        "        os._exit(7)\n"
        "    problem.loss(parameters)\n"
        "    return {name: 2 * array for name, array in parameters.items()}\n"
    )
    report = supervised(Case(f"{path}:later", [f"{SPHERE}:size=3"]))
    assert "exit code 7" in report.findings[-1].reason
    assert len(report.findings) > 1
    assert report.claims["family"] == "reverse"


def test_ctrl_c_keeps_what_was_found_and_ends_with_130(tmp_path: Path) -> None:
    pid_file, page = tmp_path / "pid", tmp_path / "it.json"
    method = f"{IMPOSTORS}:hangs:pid_file={pid_file}"
    command = [sys.executable, "-m", "gradmark", "validate", method, PROBLEM, f"--json={page}"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not pid_file.exists() or not pid_file.read_text():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    report = from_json(page.read_text())
    assert report.findings[-1].check == "contract.interrupted"
    assert report.verdict == "undecided"
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid_file.read_text()), 0)


BAD = {
    "no name": ((), "no method is named"),
    "unknown": (("bakprop",), "did you mean `backprop`"),
    "no file": (("nowhere/mine.py:mine",), "there is no file nowhere/mine.py"),
    "no such object": ((f"{IMPOSTORS}:nobody",), "unknown name `nobody`"),
    "no method": ((f"{IMPOSTORS}:not_a_method",), "is not a gradient method"),
    "hyper-parameter": (("central_difference:stop=1",), "unknown argument `stop`"),
    "problem": (("backprop", "--problem=mpl"), "did you mean `mlp`"),
    "size": (("backprop", "--problem=mlp:width=3"), "unknown argument `width`"),
    "profile": (("backprop", "--profile=fast"), "unknown profile `fast`"),
    "budget": (("backprop", "--budget=-1"), "`--budget -1`"),
    "no budget": (("backprop", "--budget=nan"), "`--budget nan`"),
    "seed": (("backprop", "--seed=-1"), "`--seed -1`"),
    "false alarm": (("backprop", "--false-alarm=1"), "`--false-alarm 1`"),
    "expect": (("backprop", "--expect=cost"), "has no reason"),
    "expect what": (("backprop", "--expect=costs=because"), "did you mean `cost`"),
    "folder": (("backprop", "--html=nowhere/it.html"), "there is no folder"),
    "a folder": (("backprop", "--json=."), "is a folder"),
    "twice": (("backprop", "--json=it", "--html=it"), "are one file"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_sentence_and_exit_code_two(case: str, gradmark: Gradmark) -> None:
    arguments, sentence = BAD[case]
    result = gradmark("validate", *arguments)
    assert result.exit_code == 2, result.output
    last = result.stderr.strip().splitlines()[-1]
    assert sentence in last and last.endswith((".", "?"))
    assert "Traceback" not in result.output


def test_claims_and_problems_that_cannot_be_read_are_bad_input(gradmark: Gradmark, tmp_path: Path) -> None:
    file = tmp_path / "odd.py"
    file.write_text(
        "number = 3\n"
        "class Claimless:\n"
        "    claims = property(lambda self: 1 / 0)\n"
        "    supports = prepare = lambda self, problem, want='gradient': None\n"
    )
    for arguments, sentence in (
        ((f"{file}:Claimless",), "its claims could not be read: ZeroDivisionError"),
        (("backprop", f"--problem={file}:number"), "is a int, not a function that makes a problem"),
    ):
        result = gradmark("validate", *arguments)
        assert result.exit_code == 2, result.output
        assert sentence in result.stderr and "Traceback" not in result.output


def test_what_a_method_says_commands_no_terminal_in_one_line_either(
    gradmark: Gradmark, tmp_path: Path
) -> None:
    file = tmp_path / "odd.py"
    file.write_text(
        "import gradmark\n"
        "@gradmark.gradient_method(family='reverse', exact=True)\n"
        "def odd(problem, parameters, seed):\n"
        "    raise ValueError('\\x1b]0;title\\x07')\n"
    )
    result = gradmark("validate", f"{file}:odd", "--problem=rosenbrock:size=4", "--quiet")
    assert "\x1b" not in only(result) and "title" in only(result)


LATE = """
import time
from dataclasses import dataclass
from methods.finite_difference.central_difference import CentralDifference

@dataclass(frozen=True)
class Late(CentralDifference):
    step: float = 1e-5

    def prepare(self, problem, want="gradient"):
        if self.step != 1e-5:
            time.sleep(3600)
        return super().prepare(problem, want)
"""


def test_a_method_that_hangs_while_it_is_prepared_with_another_step_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending, "_LEAST_GRACE", 0.3)
    path = tmp_path / "late.py"
    path.write_text(LATE)
    report = supervised(Case(f"{path}:Late", ["rosenbrock:size=4"], budget=3.0))
    assert report.verdict == "wrong"
    assert "a call had not returned after" in report.findings[-1].reason


def test_one_bad_name_of_several_costs_none_of_the_others(gradmark: Gradmark, tmp_path: Path) -> None:
    page = tmp_path / "it.json"
    result = gradmark("validate", f"{IMPOSTORS}:nobody", ZEROS, PROBLEM, "-q", f"--json={page}")
    assert result.exit_code == 2
    assert only(result).startswith("wrong: ")
    assert json.loads(page.read_text())["verdict"] == "wrong"


def test_an_expected_failure_is_expected(gradmark: Gradmark) -> None:
    case = Case(ZEROS, [f"{SPHERE}:size=3"])
    failing = {
        finding.check.split(".")[0] for finding in supervised(case).findings if finding.status == "failed"
    }
    assert failing
    options = [f"--expect={check}=it returns zeros" for check in failing]
    result = gradmark("validate", ZEROS, PROBLEM, *options, "--json=-")
    statuses = {finding.status for finding in from_json(result.stdout).findings}
    assert "expected" in statuses and "failed" not in statuses
    assert result.exit_code != 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_sentence(gradmark: Gradmark) -> None:
    result = gradmark("validate", *CORRECT, "-q", "--json=/dev/full")
    assert result.exit_code == 2
    assert result.stdout.startswith("correct: ")  # the verdict is not lost
    assert "No space left on device" in result.stderr
    assert Path("/dev/full").is_char_device()


def test_a_file_that_cannot_be_written_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "it.json"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "\ud800")
    with pytest.raises(UsageError, match="cannot be written"):
        write_whole(tmp_path / "nowhere" / "it.json", "new")
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["it.json"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    write_whole(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_text() == "new"
