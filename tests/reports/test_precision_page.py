"""The page on precision: its numbers are those of the records, whatever is missing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradmark.measuring.underflow import underflow_of_normal
from reports.command import make_report
from reports.page import Page
from reports.run import Run, of_study, read
from reports.studies import pages
from reports.studies.precision import costs, networks, zeros
from reports.table import Cell, Table
from tests.reports.synthetic import SyntheticRun

STUDY = "precision"
SHRINK = 0.236
"""By which deltas shrink a layer."""
UNIT = {"float64": 2.0**-53, "float32": 2.0**-24, "bfloat16": 2.0**-8, "float16": 2.0**-11}
MIXED: tuple[dict[str, Any], ...] = (
    {"precision": "float16", "loss_scale": "none", "scale": 2.0**16},
    {"precision": "float16", "loss_scale": "static", "scale": 2.0**8},
    {"precision": "float16", "loss_scale": "dynamic", "scale": 2.0**16},
    {"precision": "bfloat16", "loss_scale": "none", "scale": 2.0**16},
)
WIDTHS = [64, 64, 10]


def place(dtype: str) -> dict[str, str]:
    return {"backend": "torch", "dtype": dtype}


def size_of(layer: int, depth: int) -> float:
    """The root mean square of the gradient of a layer, counted from 1."""
    return float(SHRINK ** (depth + 1 - layer))


def arrays(depth: int, precision: str, scale: float) -> dict[str, dict[str, float]]:
    """Errors by the law of normal entries: rounding, and as much more as is zero."""
    found: dict[str, dict[str, float]] = {}
    for layer in range(1, depth + 2):
        size = size_of(layer, depth)
        zero = underflow_of_normal(size, scale) if precision == "float16" else 0.0
        zero = 1.0 if zero > 0.999 else round(zero, 6)
        error = {"relative": max(UNIT[precision], zero), "absolute": size * zero, "digits": 1.0}
        error |= {"underflowed": zero, "root_mean_square": size}
        found |= {f"layers.{2 * layer}.{part}": error for part in ("weight", "bias")}
    return found


class Precision(SyntheticRun):
    """Records as the study writes them."""

    def errors(self, key: dict[str, Any], depth: int, scale: float = 1.0, rows: int = 16) -> None:
        """The case, and its error and state."""
        precision = key["hyper"].get("precision", key["dtype"])
        every = arrays(depth, precision, scale)
        self.of_case(key, depth, rows)
        lost = float(np.mean([each["underflowed"] for each in every.values()]))
        detail = {"reference": "by hand", "vouched_by": [], "arrays": every, "underflowed": lost}
        self.add(key, "error", 2 * UNIT[precision], STUDY, detail=detail)
        self.add(key, "digits", -float(np.log10(2 * UNIT[precision])), STUDY)
        state = {"state": {"scale": scale, "good_steps": 1, "skipped": 0, "reason": None}}
        passes = {"forward": 1, "tangent": 0, "pullback": 3 if scale == 2.0**16 else 1, "declared": False}
        self.add(key, "passes", 2, STUDY, detail=passes | (state if key["hyper"] else {}))

    def of_case(self, key: dict[str, Any], depth: int, rows: int = 16) -> None:
        """The claims: so many hidden layers, and one affine layer more."""
        detail = {"family": "reverse", "exactness": "exact", "P": 1000 * depth, "rows": rows}
        self.add(key, "case", None, STUDY, detail={**detail, "depth": depth + 1, "black_box": False})

    def deep(self, depths: tuple[int, ...] = (6, 12, 24)) -> None:
        """Every format at every depth."""
        for depth in depths:
            sizes = {"depth": depth, "width": 32, "batch": 16, "activation": "sigmoid"}
            for dtype in UNIT:
                self.errors(self.key("deep_mlp", sizes, "backprop", **place(dtype)), depth)
            for hyper in MIXED:
                key = self.key("deep_mlp", sizes, "mixed_precision_backprop", **place("float32"))
                self.errors(key | {"hyper": hyper}, depth, scale_of(hyper))

    def law(self) -> None:
        """Two scales, one row."""
        sizes = {"depth": 16, "width": 128, "batch": 1, "activation": "sigmoid"}
        for scale in (1.0, 2.0**8):
            hyper = {"precision": "float16", "loss_scale": "static", "scale": scale}
            key = self.key("deep_mlp", sizes, "mixed_precision_backprop", hyper=hyper, **place("float32"))
            self.errors(key, 16, scale, rows=1)

    def costs(self) -> None:
        """Time and memory: 16 bits keep half, take three times the time, and peak at 0.8."""
        sizes = {"widths": WIDTHS, "batch": 2048, "activation": "tanh"}
        for dtype in ("float32", "float16"):
            self.cost(self.key("mlp", sizes, "backprop", **place(dtype)), 1.0 if dtype == "float32" else 2.0)
        key = self.key("mlp", sizes, "mixed_precision_backprop", hyper=MIXED[2], **place("float32"))
        self.cost(key, 2.0, peak=0.8)

    def cost(self, key: dict[str, Any], saving: float, peak: float | None = None) -> None:
        self.of_case(key, 2, 2048)
        seconds = 1e-3 * (3.0 if saving > 1 else 1.0)
        self.add(key, "time", seconds, STUDY, low=0.9 * seconds, high=1.1 * seconds)
        saved = {"layers.0": int(4000 / saving), "loss": int(96 / saving)}
        detail = {"resolution": 1, "saved": saved}
        self.add(key, "peak_bytes", 9000 * (peak or 1 / saving), STUDY, detail=detail)


def scale_of(hyper: dict[str, Any]) -> float:
    return 1.0 if hyper["loss_scale"] == "none" else float(hyper["scale"])


@pytest.fixture
def records() -> Precision:
    return Precision()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """All of the study."""
    records = Precision()
    records.deep()
    records.law()
    records.costs()
    return read(records.write(tmp_path_factory.mktemp("precision")))


@pytest.fixture(scope="module")
def whole_page(whole: Run) -> Page:
    return pages.of_run(whole)[STUDY]


def study(records: Precision, folder: Path) -> Run:
    found = of_study(read(records.write(folder / "run")), STUDY)
    assert found is not None
    return found


def page(records: Precision, folder: Path) -> Page:
    return pages.of_run(read(records.write(folder / "run")))[STUDY]


def cells(table: Table, name: str) -> list[str]:
    """The row of the format `name` as words."""
    return [str(cell) for row in table.rows if row[0].text == name for cell in row]


def said(page: Page) -> dict[str, str]:
    return {label: "".join(map(str, parts)) for label, parts in page.lead}


def test_the_figures_show_the_records_numbers(whole_page: Page) -> None:
    found = {figure.name: figure for figure in whole_page.figures}
    assert list(found) == ["precision-layers", "precision-depths", "precision-zeros"]
    layers = found["precision-layers"].data
    assert set(layers["hidden"]) == {24}
    mixed = layers[layers["format"] == "mixed float16, scale from 2¹⁶"].sort_values("layer")
    expected = arrays(24, "float16", 2.0**16)
    assert list(mixed["layer"]) == list(range(1, 26))
    for column in ("relative", "underflowed", "root_mean_square"):
        assert list(mixed[column]) == [each[column] for name, each in expected.items() if "weight" in name]
    depths = found["precision-depths"].data
    plain = depths[depths["format"] == "float16"].set_index("hidden")
    assert plain["error"].to_dict() == dict.fromkeys((6, 12, 24), 2 * UNIT["float16"])
    assert plain["first_layer"].to_dict() == {
        depth: arrays(depth, "float16", 1.0)["layers.2.weight"]["relative"] for depth in (6, 12, 24)
    }


def test_each_half_of_a_figure_has_its_own_formats_and_each_format_its_own_look(whole_page: Page) -> None:
    figure = whole_page.figures[0]
    assert [len(axes.lines) for axes in figure.canvas.axes] == [len(UNIT), len(MIXED)]
    looks = {(line.get_color(), line.get_marker()) for axes in figure.canvas.axes for line in axes.lines}
    assert len(looks) == len(UNIT) + len(MIXED)


def test_the_law_of_zeros_is_that_of_the_biases_of_one_row(records: Precision, tmp_path: Path) -> None:
    records.deep((6,))
    records.law()
    law = zeros.of_law(networks.of_run(study(records, tmp_path)))
    assert set(law["start"]) == {1.0, 256.0}
    assert set(law["part"]) == {"bias"}
    assert len(law) == 2 * 17
    for row in law.to_dict("records"):
        size = size_of(row["layer"], 16)
        assert row["predicted"] == underflow_of_normal(size, row["start"])
        assert row["underflowed"] == pytest.approx(row["predicted"], abs=1e-3)


def test_the_table_counts_what_is_lost(whole_page: Page) -> None:
    table = whole_page.summary[0]
    assert table.title == "deep_mlp (sigmoid, width 32, batch 16), 24 hidden layers"
    wide, bare = cells(table, "float32"), cells(table, "mixed float16, no scale")
    every = [each for name, each in arrays(24, "float16", 1.0).items() if "weight" in name]
    lost = sum(each["underflowed"] == 1 for each in every)
    assert lost > 10
    assert bare[4] == f"{lost} of 25"
    assert bare[1] == "9.77×10⁻⁴"
    assert bare[3] == "1.00"
    assert wide[4] == "0 of 25"
    assert wide[-3:] == ["0\u202f%"] * 3
    mean = 100 * np.mean([each["underflowed"] for each in every])
    assert bare[-1] == f"{mean:.3g}\u202f%"
    assert cells(table, "mixed float16, scale from 2¹⁶")[5] == "2¹⁶ 2 repeated"


def test_savings_are_float32_over_the_format(records: Precision, tmp_path: Path) -> None:
    records.costs()
    run = study(records, tmp_path)
    table = costs.build(networks.of_run(run))[0]
    assert cells(table, "float32")[2::2] == ["1.00×"] * 3
    mixed = cells(table, "mixed float16, scale from 2¹⁶ float32 master copy".partition(" float32")[0])
    assert mixed[2] == "0.33×"
    assert mixed[4] == "1.25×"
    assert mixed[6] == "2.00×"
    assert "digits" not in table.columns


def test_the_lead_gives_verdicts_from_the_numbers(whole_page: Page) -> None:
    lead = said(whole_page)
    scaling = lead["Claim: half precision needs loss scaling"]
    assert scaling.startswith("for float16 it holds: ")
    assert "for bfloat16 it is refuted: 0\u202f% without any scale" in scaling
    assert lead["Claim: half the memory"].startswith(
        "holds for what is kept between the passes, not for the peak"
    )
    assert "2.00× the bytes kept and 1.25× the peak" in lead["Claim: half the memory"]
    assert lead["Claim: 2 to 4 times as fast"].startswith("refuted on cpu")
    assert (
        "float32 takes 0.33× (mixed float16 on mlp (tanh, 64-64-10, batch 2048))"
        in lead["Claim: 2 to 4 times as fast"]
    )
    assert lead["Claim: float32 is for the loss scale"].startswith("refuted")
    assert "that of the first layer 1.00" in lead["Hidden by the norm"]
    assert "34 bias gradients at 2 loss scales" in lead["Law of zeros"]


def test_verdicts_turn_with_the_numbers(records: Precision, tmp_path: Path) -> None:
    """bfloat16 that underflows, and 16 bits that are three times as fast."""
    records.deep((6, 24))
    records.costs()
    for record in records.records:
        key = record["key"]
        if key["hyper"].get("precision") == "bfloat16" and record["quantity"] == "error":
            record["detail"]["underflowed"] = 0.25
        if key["problem"] == "mlp" and key["hyper"] and record["quantity"] == "time":
            record["value"] = 1e-3 / 3
    lead = said(page(records, tmp_path))
    assert "for bfloat16 it holds as well: 25\u202f%" in lead["Claim: half precision needs loss scaling"]
    assert lead["Claim: 2 to 4 times as fast"].startswith("holds on cpu")


def test_a_call_that_was_skipped_has_no_gradient_and_says_why(records: Precision, tmp_path: Path) -> None:
    records.deep((6, 12))
    for depth in (6, 12):
        sizes = {"depth": depth, "width": 32, "batch": 16, "activation": "sigmoid"}
        hyper = {"precision": "float16", "loss_scale": "static", "scale": 2.0**24}
        key = records.key("deep_mlp", sizes, "mixed_precision_backprop", hyper=hyper, **place("float32"))
        records.of_case(key, depth)
        records.add(key, "error", None, STUDY, reason="the gradient is not finite")
        state = {"scale": 2.0**24, "good_steps": 0, "skipped": 1, "reason": "it overflowed"}
        records.add(key, "passes", 2, STUDY, detail={"forward": 1, "pullback": 1, "state": state})
    found = page(records, tmp_path)
    row = next(row for row in found.summary[0].rows if row[0].text == "mixed float16, scale 2²⁴")
    assert (row[1].text, row[1].note) == ("none", "it overflowed")
    assert str(row[5]) == "2²⁴ 1 skipped"
    assert "scale 2²⁴" not in said(found)["Underflow"]


def test_every_number_links_to_a_case_of_the_run(whole: Run, whole_page: Page) -> None:
    parts = [part for _, sentence in whole_page.lead for part in sentence if isinstance(part, Cell)]
    assert len(parts) > 15
    cited = {part.case for part in parts}.union(*(table.cited for table in whole_page.summary))
    assert cited <= set(whole.of_studies["case"])


@pytest.mark.parametrize(
    "keep",
    [
        lambda key: key["method"] == "backprop",
        lambda key: key["method"] == "mixed_precision_backprop",
        lambda key: key["dtype"] == "float16",
        lambda key: key["problem"] == "mlp",
        lambda key: key["sizes"].get("depth") == 24,
        lambda key: key["sizes"].get("batch") == 1,
        lambda key: key["hyper"].get("loss_scale") == "none",
    ],
    ids=["plain", "mixed", "one dtype", "costs", "one depth", "law", "no scale"],
)
def test_a_part_of_the_study_makes_a_page(keep: Any, records: Precision, tmp_path: Path) -> None:
    records.deep()
    records.law()
    records.costs()
    records.records = [record for record in records.records if keep(record["key"])]
    found = page(records, tmp_path)
    assert found.summary or found.figures
    assert "Measured" in said(found)


def test_failures_and_cases_without_any_number_make_a_page(records: Precision, tmp_path: Path) -> None:
    sizes = {"depth": 6, "width": 32, "batch": 16, "activation": "sigmoid"}
    key = records.key("deep_mlp", sizes, "torch_autocast", hyper=MIXED[0], **place("float32"))
    records.add(key, "case", None, STUDY, status="failed", reason="no such kernel")
    index = make_report(records.write(tmp_path / "run"))
    assert "no such kernel" in (index.parent / "precision.html").read_text()
    records.deep((6,))
    assert cells(page(records, tmp_path).summary[0], "float16")


def test_a_method_of_ones_own_stands_beside_backprop(records: Precision, tmp_path: Path) -> None:
    records.deep((6, 12))
    for depth in (6, 12):
        sizes = {"depth": depth, "width": 32, "batch": 16, "activation": "sigmoid"}
        records.errors(records.key("deep_mlp", sizes, "/my/own.py:mine", **place("float16")), depth)
    assert cells(page(records, tmp_path).summary[0], "own.py:mine float16")


def test_the_index_of_a_run_of_this_study_alone_leads_to_its_page(records: Precision, tmp_path: Path) -> None:
    records.deep((6,))
    index = make_report(records.write(tmp_path / "run"))
    text = index.read_text()
    assert "precision.html" in text
    assert '<h2 id="figures">' not in text
    csv = (index.parent / "tables" / "precision.csv").read_text()
    assert json.dumps("float16")[1:-1] in csv
