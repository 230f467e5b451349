"""Bad input is answered with one sentence and exit code 2, before anything is measured or lost."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradmark.errors import UsageError
from gradmark.run.naming import parsed
from gradmark.run.plan import Comparison
from gradmark.run.store import RECORDS
from tests.cli.conftest import SPHERE, Gradmark
from tests.run.plans import IMPOSTORS

HONEST = f"--method={IMPOSTORS}:honest"


def assert_one_sentence(result: object, *words: str) -> None:
    output, code = result.stderr, result.exit_code  # type: ignore[attr-defined]
    assert code == 2, output
    assert result.stdout == ""  # type: ignore[attr-defined]
    assert output.startswith("gradmark: ")
    assert output.count("\n") == 1
    assert "Traceback" not in output
    assert output.rstrip().endswith((".", "?"))
    for word in words:
        assert word in output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("rum",), ("unknown command `rum`", "did you mean `run`")),
        (("run", "--profile", "quik"), ("unknown profile `quik`", "did you mean `quick`")),
        (("run", "--problem", "mpl"), ("unknown problem `mpl`", "did you mean `mlp`")),
        (("run", "--problem", "mlp", "--method", "bakprop"), ("did you mean `backprop`",)),
        (("run", "--problem", "mlp:width=3"), ("unknown argument `width`", "did you mean `widths`")),
        (("run", "--problem", "quadratic:size=5,dtype=float32"), ("`dtype=float32`", "`--dtype`")),
        (("run", "--problem", "mlp:widths=a,b"), ("`widths=('a', 'b')`", "separated by commas")),
        (("run", "--problem", "mlp:widths=3"), ("`widths=3`",)),
        (("run", "--problem", "mlp:widths=64,-1,10"), ("-1",)),
        (("run", "--problem", "quadratic:size=ten"), ("`size='ten'` must be an integer",)),
        (("run", "--problem", "quadratic:size=2.5"), ("`size=2.5` must be an integer",)),
        (("run", "--problem", "quadratic:size"), ("`size` is not key=value",)),
        (("run", "--problem", "quadratic:size="), ("is not key=value",)),
        (("run", "--problem", "quadratic:size=1,size=2"), ("is not key=value",)),
        (("run", "--problem", ":size=1"), ("has no name",)),
        (("run", "--problem", "nowhere.py:mine"), ("there is no file",)),
        (("run", "--problem", f"{IMPOSTORS}:spheer"), ("did you mean `sphere`",)),
        (("run", "--problem", f"{IMPOSTORS}:honest"), ("not a problem",)),
        (("run", "--problem", SPHERE, "--method", f"{IMPOSTORS}:not_a_method"), ("not a gradient method",)),
        (("run", "--problem", SPHERE, "--method", SPHERE), ("not a gradient method",)),
        (("run", "--problem", SPHERE, "--method", "gaussian_es:pairs=many"), ("must be an integer",)),
        (("run", "--problem", SPHERE, "--method", "gaussian_es:pears=3"), ("did you mean `pairs`",)),
        (("run", "--problem", SPHERE, "--method", "central_difference:step=-1"), ("step",)),
        (("run", "--problem", SPHERE, "--backend", "nunpy"), ("did you mean `numpy`",)),
        (("run", "--problem", SPHERE, "--dtype", "float46"), ("float46",)),
        (("run", "--problem", SPHERE, "--backend", "numpy", "--dtype", "bfloat16"), ("bfloat16", "numpy")),
        (("run", "--problem", SPHERE, "--backend", "numpy", "--device", "cuda"), ("cuda",)),
        (("run", "--problem", SPHERE, "--device", "abacus"), ("abacus",)),
        (("run", "--problem", SPHERE, "--seed", "one"), ("--seed", "valid integer")),
        (("run", "--problem", SPHERE, "--seed", "-1"), ("`seed=-1`",)),
        (("run", "--problem", SPHERE, "--threads", "0"), ("`threads=0`",)),
        (("run", "--problem", SPHERE, "--repetitions", "0"), ("`repetitions=0`",)),
        (("run", "--problem", SPHERE, "--time-limit", "0"), ("`time_limit=0.0`",)),
        (("run", "--problem", SPHERE, "--time-limit", "nan"), ("`time_limit=nan`",)),
        (("run", "--problem", SPHERE, "--out", "/dev/null/run"), ("cannot be used",)),
        (("run", "--problem", SPHERE, "--dtype", "complex128"), ("real dtype is float64",)),
        (("run", "--profile", "quick", "--problem", "quadratic:size=7"), ("sizes of its own", "size=7")),
        (("run", "--profile", "quick", "--backend", "fortran"), ("fortran", "only")),
        (("run", "--profile", "quick", "--problem", SPHERE), ("Leave out `--profile`",)),
        (("run", "--profil", "quick"), ("--profil", "gradmark run --help")),
        (("list",), ("WHAT",)),
        (("list", "everything"), ("unknown kind `everything`",)),
        (("show",), ("RUN",)),
        (("show", "/nowhere"), ("is not there",)),
        (("show", "/"), ("holds no records.jsonl",)),
        (("compare", "/nowhere", "/nowhere"), ("is not there",)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_mistake_is_named_in_one_sentence(
    arguments: tuple[str, ...], words: tuple[str, ...], gradmark: Gradmark, tmp_path: Path
) -> None:
    out = ("--out", tmp_path / "run") if arguments[0] == "run" and "--out" not in arguments else ()
    assert_one_sentence(gradmark(*arguments, *out), *words)
    assert not (tmp_path / "run" / RECORDS).exists()


def test_a_scheduler_that_cannot_be_used_is_named(gradmark: Gradmark, tmp_path: Path) -> None:
    command = ("run", "--problem", SPHERE, HONEST, "--out", tmp_path, "--scheduler", "tcp://127.0.0.1:9")
    assert_one_sentence(gradmark(*command), "--scheduler")


def test_thresholds_below_one_make_no_sense(gradmark: Gradmark, finished_run: Path) -> None:
    for option in ("--ratio-threshold", "--error-threshold"):
        assert_one_sentence(gradmark("compare", finished_run, finished_run, option, "0.5"), option)


def test_a_study_that_a_run_does_not_have_is_named(gradmark: Gradmark, finished_run: Path) -> None:
    assert_one_sentence(gradmark("show", finished_run, "--study", "costs"), "did you mean `cost`")


def test_bad_input_loses_nothing_that_was_measured(gradmark: Gradmark, finished_run: Path) -> None:
    before = (finished_run / RECORDS).read_bytes()
    mistake = ("run", "--problem", SPHERE, "--method", "nobody", "--out", finished_run)
    assert_one_sentence(gradmark(*mistake), "unknown method `nobody`")
    assert (finished_run / RECORDS).read_bytes() == before


def test_a_file_that_cannot_be_loaded_says_why(gradmark: Gradmark, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def\n")
    command = (
        "run",
        "--problem",
        SPHERE,
        "--method",
        f"{tmp_path}/broken.py:mine",
        "--out",
        tmp_path / "run",
    )
    assert_one_sentence(gradmark(*command), "SyntaxError")


def test_a_mistake_in_a_method_of_ones_own_is_said_with_its_file(gradmark: Gradmark, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "import gradmark\n"
        "@gradmark.gradient_method(family='forward', order=1, evaluations=lambda size: size)\n"
        "def mine(problem, parameters, seed):\n    return parameters\n"
    )
    result = gradmark("run", "--problem", SPHERE, "--method", f"{file}:mine", "--out", tmp_path / "run")
    assert_one_sentence(result, str(file), "step")
    assert "UsageError" not in result.stderr


def test_a_method_that_fails_says_why_at_the_end_of_the_run(gradmark: Gradmark, tmp_path: Path) -> None:
    method = f"--method={IMPOSTORS}:raises"
    result = gradmark("run", "--problem", f"{SPHERE}:size=3", method, "--out", tmp_path / "run")
    assert "failed: impostors.py:raises on impostors.py:sphere: " in result.stderr


words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    option=st.sampled_from(
        ["--method", "--problem", "--profile", "--backend", "--dtype", "--device", "--seed"]
    ),
    prefix=st.sampled_from(
        ["", "mlp:", "quadratic:size=", "central_difference:step=", "gaussian_es:", "x.py:"]
    ),
    word=words.filter(lambda word: not word.strip().isdigit()),
)
def test_garbage_is_answered_in_one_sentence(
    option: str, prefix: str, word: str, gradmark: Gradmark, tmp_path: Path
) -> None:
    # An option that cannot be right beside it: whatever the garbage happens to mean, nothing is measured.
    command = ["run", f"{option}={prefix}{word}", "--threads=0", f"--out={tmp_path / 'run'}"]
    if option != "--problem":
        command.append(f"--problem={SPHERE}")
    result = gradmark(*command)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("gradmark: ")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


@given(words)
def test_a_name_is_parsed_or_refused_with_a_sentence(text: str) -> None:
    try:
        name, arguments = parsed("method", text)
    except UsageError as error:
        assert "method `" in str(error)
    else:
        assert name
        assert all(key.isidentifier() for key in arguments)


@given(
    st.dictionaries(
        st.sampled_from(["threads", "seed", "repetitions", "time_limit", "quantities"]),
        st.none() | st.booleans() | st.integers(-3, 0) | st.floats() | words | st.tuples(words),
        min_size=1,
        max_size=2,
    )
)
def test_a_comparison_takes_possible_numbers_only(given_values: dict[str, object]) -> None:
    try:
        comparison = Comparison("cost", "mlp", {}, (), **given_values)  # type: ignore[arg-type]
    except UsageError:
        return
    assert comparison.threads >= 1 and comparison.repetitions >= 1 and comparison.seed >= 0
    assert 0 < comparison.time_limit < float("inf")
