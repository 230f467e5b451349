"""Which cases belong together is read off their keys."""

from pathlib import Path

import pytest

from reports.run import Run, read
from reports.series import scenes
from tests.reports.synthetic import SyntheticRun


def test_the_scenes_are_the_problems_with_their_settings(full: Run) -> None:
    names = scenes(full.main)
    assert names[0] == "mlp (tanh, batch 256, digits, cross_entropy, 2 affine layers)"
    assert sorted(names[1:]) == ["log_sum_exp", "quadratic", "rosenbrock"]


def test_a_sweep_is_told_from_variants_by_its_length(tmp_path: Path, synthetic_run: SyntheticRun) -> None:
    for pairs in (4, 8):
        key = synthetic_run.key("quadratic", {"size": 100}, "gaussian_es", hyper={"pairs": pairs})
        synthetic_run.measure(key, "cost", 100, None)
    two = read(synthetic_run.write(tmp_path / "two"))
    assert set(two.main["variant"]) == {"gaussian_es pairs=4", "gaussian_es pairs=8"}
    assert two.cases["sweep"].isna().all()


def test_what_only_belongs_to_a_sweep_is_no_method_of_its_own(full: Run) -> None:
    assert set(full.main["variant"]) == set(full.main["method"])
    swept = full.cases[full.cases["sweep"] == "step"]
    assert len(swept) == 2 * 2 * 12
    assert not swept["main"].any()


def test_a_run_of_a_sweep_alone_shows_its_variants(tmp_path: Path, synthetic_run: SyntheticRun) -> None:
    for step in (1e-8, 1e-6, 1e-4):
        key = synthetic_run.key("quadratic", {"size": 100}, "forward_difference", hyper={"step": step})
        synthetic_run.measure(key, "", 100, None)
    run = read(synthetic_run.write(tmp_path / "run"))
    assert run.main["variant"].tolist() == [
        f"forward_difference step={step}" for step in ("1e-08", "1e-06", "0.0001")
    ]


@pytest.mark.parametrize("threads", [(1, 1), (1, 2)])
def test_threads_and_device_are_named_where_they_differ(
    tmp_path: Path, synthetic_run: SyntheticRun, threads: tuple[int, int]
) -> None:
    for index, number in enumerate(threads):
        key = synthetic_run.key("quadratic", {"size": 100}, "backprop", threads=number, seed=index)
        synthetic_run.measure(key, "cost", 100, None)
    run = read(synthetic_run.write(tmp_path / "run"))
    expected = {"numpy"} if threads == (1, 1) else {"numpy, 1 threads", "numpy, 2 threads"}
    assert set(run.cases["place"]) == expected
    assert set(run.cases["scene"]) == {"quadratic (seed 0)", "quadratic (seed 1)"}


def test_a_setting_that_is_held_while_p_grows_is_part_of_the_scene(
    tmp_path: Path, synthetic_run: SyntheticRun
) -> None:
    for condition in (10.0, 1000.0):
        for size in (100, 1000):
            sizes = {"size": size, "condition": condition}
            synthetic_run.measure(synthetic_run.key("quadratic", sizes, "backprop"), "cost", size, None)
    run = read(synthetic_run.write(tmp_path / "run"))
    assert set(run.cases["scene"]) == {"quadratic (condition 10)", "quadratic (condition 1000)"}


def test_methods_from_files_are_named_by_file_and_name(tmp_path: Path, synthetic_run: SyntheticRun) -> None:
    key = synthetic_run.key("quadratic", {"size": 100}, "/home/me/ideas/newton.py:secant")
    synthetic_run.case(key, "", 100, None)
    assert read(synthetic_run.write(tmp_path / "run")).cases["variant"].tolist() == ["newton.py:secant"]


def test_of_a_quantity_of_two_studies_the_one_with_more_repetitions_counts(
    tmp_path: Path, synthetic_run: SyntheticRun
) -> None:
    key = synthetic_run.key("quadratic", {"size": 100}, "gaussian_es", hyper={"pairs": 4})
    synthetic_run.case(key, "samples", 100, None)
    synthetic_run.add(key, "cosine", 0.5, "samples", detail={"repetitions": 16})
    synthetic_run.add(key, "cosine", 0.9, "cost", detail={"repetitions": 2})
    run = read(synthetic_run.write(tmp_path / "run"))
    assert run.cases["cosine"].tolist() == [0.5]


def test_a_cosine_predicted_with_the_gradient_at_hand_counts_before_one_of_the_size_alone(
    tmp_path: Path, synthetic_run: SyntheticRun
) -> None:
    key = synthetic_run.key("quadratic", {"size": 100}, "gaussian_es", hyper={"pairs": 4})
    synthetic_run.case(key, "cost", 100, None)
    synthetic_run.add(key, "error", 5.0, "cost", detail={"predicted_cosine": 0.25})
    assert read(synthetic_run.write(tmp_path / "run")).cases["predicted_cosine"].tolist() == [0.25]


def test_versions_of_a_method_are_variants_on_one_scene(tmp_path: Path, synthetic_run: SyntheticRun) -> None:
    for method, version in (("backprop", 1), ("mine.py:mine", "1+aaaa"), ("mine.py:mine", "1+bbbb")):
        key = synthetic_run.key("quadratic", {"size": 100}, method, version=version)
        synthetic_run.case(key, "", 100, None)
    run = read(synthetic_run.write(tmp_path / "run"))
    assert set(run.cases["scene"]) == {"quadratic"}
    expected = ["backprop", "mine.py:mine version=1+aaaa", "mine.py:mine version=1+bbbb"]
    assert run.cases["variant"].tolist() == expected
