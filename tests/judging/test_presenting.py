"""A judgement on paper: nothing lost, nothing executed, nothing that a reader of XML or JSON refuses."""

import json
import math
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as xml

import numpy as np
import pytest

from gradmark import UsageError
from gradmark.judging.judgement import GradientCheck, Judgement, ValidationReport
from gradmark.judging.presenting.html import all_to_html
from gradmark.judging.presenting.json import from_json
from gradmark.judging.presenting.junit import all_to_junit
from gradmark.judging.presenting.matrix import matrix, trial_of
from gradmark.judging.presenting.text import WIDTH
from gradmark.judging.verdict import Evidence, Finding

HOSTILE = '<script>alert("x")</script> \x1b[31m\x00 &amp; ]]> \ud800 \u202e{{ 7 * 7 }}\n'
MLP = "mlp(widths=3-4-2, activation=tanh) numpy float64"
QUADRATIC = "quadratic(size=3) torch float32"
EVIDENCE = Evidence(
    what="one entry of the gradient",
    array="layers.0.weight",
    index=(1, 2),
    found=0.1 + 0.2,
    expected=1 / 3,
    uncertainty=2e-13,
    error=0.1,
    point="as built",
    code="gradmark.check_gradient(loss, gradient, numpy.ones(3))",
)
FINDINGS = (
    Finding("contract.names", "passed", "as they should be", f"{MLP}, as built", "float64", seconds=0.25),
    Finding("contract.names", "passed", "as they should be", f"{MLP}, after descent", "float64"),
    Finding("accuracy", "failed", "the gradient is off", f"{MLP}, as built", "float64", EVIDENCE, 1.0, 1e-12),
    Finding("accuracy", "passed", "it agrees", f"{QUADRATIC}, as built", "float32", None, 6.1, 2e-6, 0.4),
    Finding("order", "skipped", "it claims to be exact", MLP, "float64"),
    Finding("order", "skipped", "it claims to be exact", QUADRATIC, "float32"),
    Finding("cost", "undecided", "the exponent is too uncertain", MLP, "float64"),
    Finding("invariance", "expected", "it differs. Expected: known for long", MLP, "float64"),
)
WRONG = ValidationReport("mine", FINDINGS, 1.5, 300.0, {"seed": 0}, {"exactness": "exact"}, {"step": 1e-5})
CORRECT = replace(WRONG, findings=tuple(f for f in FINDINGS if f.status in ("passed", "skipped")))
UNDECIDED = GradientCheck("loss", (Finding("points", "undecided", "f is noisy"),), gradient_calls=3)
NOTHING = GradientCheck("loss", (Finding("points", "skipped", "there was no time"),))
EVERY = [WRONG, CORRECT, UNDECIDED, NOTHING]
every = pytest.mark.parametrize("judgement", EVERY, ids=["wrong", "correct", "undecided", "nothing"])


def hostile() -> ValidationReport:
    """A report in which every text that a plug-in could have a hand in is hostile."""
    evidence = replace(EVIDENCE, what=HOSTILE, array=HOSTILE, point=HOSTILE, code=HOSTILE)
    findings = [replace(f, check=HOSTILE, reason=HOSTILE, where=HOSTILE, evidence=evidence) for f in FINDINGS]
    named = {HOSTILE: HOSTILE}
    return ValidationReport(HOSTILE, tuple(findings), record=named, claims=named, hyper=named)


def strict_json(text: str) -> dict[str, object]:
    def refuse(constant: str) -> None:
        raise ValueError(constant)

    found: dict[str, object] = json.loads(text, parse_constant=refuse)
    return found


@every
def test_json_brings_back_the_judgement_itself(judgement: Judgement) -> None:
    assert from_json(judgement.to_json()) == judgement


@every
def test_json_says_what_the_properties_say(judgement: Judgement) -> None:
    found = strict_json(judgement.to_json())
    assert found["verdict"] == judgement.verdict
    assert found["reason"] == judgement.reason
    assert found["digits"] == judgement.digits
    assert found["smallest_detectable"] == judgement.smallest_detectable
    assert (found["evidence"] is None) == (judgement.evidence is None)


def test_json_has_no_number_that_json_does_not_know_and_loses_none() -> None:
    evidence = replace(EVIDENCE, found=math.nan, expected=math.inf, error=-math.inf)
    finding = replace(FINDINGS[2], evidence=evidence, digits=math.inf)
    text = replace(WRONG, findings=(finding,), record={"load": math.nan}).to_json()
    strict_json(text)
    back = from_json(text).findings[0]
    assert back.evidence is not None and back.evidence.found is not None
    assert math.isnan(back.evidence.found)
    assert (back.evidence.expected, back.evidence.error, back.digits) == (math.inf, -math.inf, math.inf)


def test_json_takes_the_numbers_of_numpy() -> None:
    index = tuple(np.array([1, 2]))
    evidence = replace(EVIDENCE, found=np.longdouble(0.25), expected=np.float32(0.5), index=index)
    record = {"seed": np.int64(3), "shape": (2, 3), "list": [np.float64(0.1)]}
    report = replace(WRONG, findings=(replace(FINDINGS[2], evidence=evidence),), record=record)
    back = from_json(report.to_json())
    assert back.findings[0].evidence == replace(EVIDENCE, found=0.25, expected=0.5)
    assert back.record == {"seed": 3, "shape": [2, 3], "list": [0.1]}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": "gradmark.judgement", "schema_version": 99}'])
def test_json_of_something_else_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="this is not a judgement"):
        from_json(text)


def test_junit_counts_are_those_of_its_cases() -> None:
    suite = xml.fromstring(WRONG.to_junit()).find("testsuite")
    assert suite is not None
    cases = suite.findall("testcase")
    counts = [len(suite.findall(f"testcase/{name}")) for name in ("failure", "error", "skipped")]
    assert [suite.get(name) for name in ("failures", "errors", "skipped")] == list(map(str, counts))
    assert counts == [1, 1, 3]  # the failure that was expected counts as skipped
    assert suite.get("tests") == str(len(cases)) == str(len(FINDINGS))
    assert cases[0].get("time") == "0.250000"


def test_junit_says_why_and_how_to_see_it_again() -> None:
    failure = xml.fromstring(WRONG.to_junit()).find(".//failure")
    assert failure is not None and failure.text is not None
    assert failure.get("message") == "the gradient is off"
    assert "0.30000000000000004" in failure.text
    assert str(EVIDENCE.code) in failure.text
    skipped = [element.get("message") for element in xml.fromstring(WRONG.to_junit()).iter("skipped")]
    assert skipped == ["it claims to be exact"] * 2 + ["it differs. Expected: known for long"]


@every
def test_junit_is_red_exactly_when_the_verdict_is_not_correct(judgement: Judgement) -> None:
    root = xml.fromstring(judgement.to_junit())
    red = [*root.iter("failure"), *root.iter("error")]
    assert bool(red) == (judgement.verdict != "correct")
    assert bool([*root.iter("failure")]) == (judgement.verdict == "wrong")


def test_junit_cases_have_names_of_their_own() -> None:
    twice = replace(WRONG, findings=(*FINDINGS, *FINDINGS))
    names = [case.get("name") for case in xml.fromstring(twice.to_junit()).iter("testcase")]
    assert len(set(names)) == len(names) == 2 * len(FINDINGS)


def test_junit_has_a_suite_for_each_method() -> None:
    suites = xml.fromstring(all_to_junit([WRONG, CORRECT])).findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["mine(step=1e-05)"] * 2


def test_hostile_text_leaves_xml_and_json_whole() -> None:
    xml.fromstring(hostile().to_junit().encode("utf-8"))
    strict_json(hostile().to_json().encode("utf-8").decode())


def test_hostile_text_cannot_command_the_terminal() -> None:
    text = str(hostile())
    assert not {"\x1b", "\x00", "\u202e", "\ud800"} & set(text)
    assert r"\x1b[31m" in text  # but it is told


class Elements(HTMLParser):
    """The names of all elements of a page, and the addresses it refers to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("href", "src")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


@pytest.mark.parametrize("page", [hostile().to_html(), all_to_html([hostile(), WRONG])], ids=["one", "two"])
def test_a_page_runs_nothing_and_loads_nothing(page: str) -> None:
    page.encode("utf-8")
    elements = Elements(page)
    assert not elements.names & {"script", "link", "img", "iframe", "object"}
    assert all(address.startswith("#") for address in elements.addresses)
    assert elements.handlers == []
    assert "alert(&#34;x&#34;)" in page  # what the plug-in said can be read
    assert "{{ 7 * 7 }}" in page
    assert "\x1b" not in page


@every
def test_a_page_shows_verdict_reason_and_all_findings(judgement: Judgement) -> None:
    page = judgement.to_html()
    assert f'<p class="word">{judgement.verdict}</p>' in page
    assert judgement.reason in page
    assert all(finding.reason in page for finding in judgement.findings)


def test_a_page_of_several_leads_to_each() -> None:
    page = all_to_html([WRONG, CORRECT])
    assert all(f'href="#judgement-{n}"' in page and f'id="judgement-{n}"' in page for n in (1, 2))


def test_an_infinite_or_missing_power_is_drawn_nowhere() -> None:
    findings = (
        replace(FINDINGS[2], digits=math.inf, smallest_detectable=0.0),
        replace(FINDINGS[3], digits=None, smallest_detectable=math.inf),
    )
    assert "<svg" not in replace(WRONG, findings=findings).to_html()
    assert "<svg" in WRONG.to_html()


@every
def test_text_begins_with_the_verdict(judgement: Judgement) -> None:
    first = str(judgement).splitlines()[0]
    assert first.startswith(f"{judgement.verdict}: {judgement.subject}")
    assert judgement.reason in " ".join(str(judgement).split())


@every
def test_text_fits_a_hundred_columns(judgement: Judgement) -> None:
    long = replace(judgement, subject=f"{judgement.subject} {'and so on ' * 30}")
    assert max(map(len, str(long).splitlines())) <= WIDTH


def test_text_keeps_the_line_of_code_whole() -> None:
    code = "print(" + "1 + " * 60 + "1)"
    finding = replace(FINDINGS[2], evidence=replace(EVIDENCE, code=code))
    assert f"  {code}" in str(replace(WRONG, findings=(finding,))).splitlines()


def test_text_shows_checks_by_trials() -> None:
    lines = str(WRONG).splitlines()
    assert any(line.split() == ["accuracy", "float64", "X", "1.0", "1.0e-12"] for line in lines)
    assert any(line.split() == ["order", "-", "-"] for line in lines)
    assert f"A  {MLP}" in lines and f"B  {QUADRATIC}" in lines
    assert "- order (2 times): it claims to be exact" in lines


def test_text_with_many_trials_continues_below() -> None:
    findings = [replace(FINDINGS[0], where=f"problem_{n}(size=3) numpy float64") for n in range(120)]
    text = str(replace(WRONG, findings=tuple(findings)))
    assert max(map(len, text.splitlines())) <= WIDTH
    rows = [line for line in text.splitlines() if line.startswith("contract")]
    assert sum(row.count("+") for row in rows) == 120


def test_many_sizes_of_a_problem_share_a_column() -> None:
    findings = [replace(FINDINGS[0], where=f"quadratic(size={n}) numpy float64") for n in range(30)]
    findings.append(replace(FINDINGS[3], where="quadratic(size=9) torch cuda float32, as built"))
    findings.append(replace(FINDINGS[2], where="quadratic(size=31) numpy float64, as built"))
    table = matrix(findings)
    assert table.trials == ("quadratic numpy", "quadratic torch cuda")
    assert [row.cells for row in table.rows] == [("passed", None), (None, "passed"), ("failed", None)]


def test_a_trial_is_told_from_the_site_behind_it() -> None:
    assert {trial_of(replace(FINDINGS[0], where=f"{MLP}, {site}")) for site in ("as built", "a, b")} == {MLP}
    assert trial_of(replace(FINDINGS[0], where="the first point")) == "the first point"


def test_a_cell_shows_the_worst_of_its_findings() -> None:
    findings = (FINDINGS[2], replace(FINDINGS[2], status="passed", digits=0.5))
    (row,) = matrix(findings).rows
    assert (row.cells, row.digits) == (("failed",), 0.5)
