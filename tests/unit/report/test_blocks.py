from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from itertools import combinations

import pytest
from bench_study import (
    LONG,
    associations,
    bench_plan,
    bench_result,
    block,
    calibration,
    decision,
    distribution,
    effect_curve,
    funnel,
    roc,
)
from made_up_study import ECMO, IABP

from counterpulse.report import compose, render_html, write_report
from counterpulse.report.chapters.blocks import block_tables, renderers
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.results.models import ladder
from counterpulse.report.document import Figure, Paragraph, Table, blocks_of
from counterpulse.report.figures.histograms import Bar, Histograms, Panel, draw_histograms
from counterpulse.report.figures.matrix import Matrix, draw_matrix
from counterpulse.report.figures.scene import Path, Text
from counterpulse.report.figures.svg import to_svg
from counterpulse.report.figures.xy import Axis, Line, Plane, draw_plane
from counterpulse.report.number_styles import STYLES
from counterpulse.results import Block, Status
from counterpulse.results.block import KINDS


@pytest.fixture(scope="module")
def bench():
    return bench_plan(), bench_result()


@pytest.fixture(scope="module")
def document(bench):
    plan, result = bench
    return compose(result, plan)


def drawn(figure):
    return to_svg(figure.scene, prefix=figure.id)


def found(document, kind):
    return [item for item in blocks_of(document.sections) if isinstance(item, kind)]


def table(document, id_):
    return next(item for item in found(document, Table) if item.id == id_)


def texts(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


def context(bench, *blocks):
    plan, result = bench
    return Context(plan, replace(result, blocks=blocks), STYLES["plain"])


def test_every_kind_has_a_renderer():
    assert set(renderers.RENDERERS) == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_block_without_rows_is_no_accident(bench, kind):
    empty = block(f"A1.death_hospital.{kind}", [])
    for part in renderers.RENDERERS[kind](context(bench, empty), empty):
        assert isinstance(part, Paragraph | Table | Figure)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_block_of_dashes_is_no_accident(bench, kind):
    cells = [None if cell["type"] != ["string", "null"] else "x" for cell in KINDS[kind].values()]
    odd = block(f"A1.death_hospital.{kind}", [cells, cells])
    for part in renderers.RENDERERS[kind](context(bench, odd), odd):
        assert isinstance(part, Paragraph | Table | Figure)


def test_a_kind_without_a_renderer_is_a_plain_table(bench, monkeypatch):
    plan, result = bench
    monkeypatch.setattr(renderers, "RENDERERS", {})
    odd = replace(result, blocks=(decision("A7.death_hospital.decision-curve"),))
    shown = next(item for item in found(compose(odd, plan), Table) if item.id == "A7-death_hospital-decision-curve")
    assert [column.head.text for column in shown.columns] == ["Model", "Threshold", "Net benefit"]
    assert shown.footnotes[0].text == f"The first {block_tables.MOST_PLAIN_ROWS} of 120 rows; all stand in the bundle."


def test_blocks_of_one_kind_all_appear(document):
    ids = [item.id for item in found(document, Figure)]
    assert {"A1-death_hospital-age-effect-curve", "A1-death_hospital-lactate-effect-curve"} <= set(ids)
    assert len(ids) == len(set(ids))
    labels = [item.label for item in (*found(document, Table), *found(document, Figure))]
    assert len(labels) == len(set(labels))


def test_each_block_is_a_table_in_the_bundle(bench, document):
    plan, result = bench
    files = write_report(document, result, plan.protocol.report)
    for item in result.blocks:
        rows = list(csv.reader(io.StringIO(files[f"tables/{item.id.replace('.', '-')}.csv"].decode("utf-8-sig"))))
        assert rows[0] == list(item.columns)
        assert len(rows) == 1 + len(item.rows())


# -- tables ------------------------------------------------------------------------------------------------------------


def test_the_ladder_is_one_table_with_the_main_model_marked(bench, document):
    plan, result = bench
    shown = table(document, "models-A4")
    assert texts(shown) == [
        ["Death within 30 days: hazard ratio", "", "", "", "", ""][:1],
        ["main (main model)", "Age, Sex, Lactate", "5480", "2450", "0.91 (0.79 to 1.05)", "0.20"],
        ["crude", "nothing", "5480", "2450", "0.86 (0.75 to 0.98)", "0.02"],
        ["all candidates", "Age, selected from 4 candidates (stepwise)", "5480", "2450", "0.93 (0.80 to 1.08)", "0.34"],
    ]  # fmt: skip
    assert [row.strong for row in shown.rows] == [True, False, False, False]
    assert [model.name for model in ladder(Context(plan, result, STYLES["plain"]), "A4")] == [
        "main",
        "crude",
        "all candidates",
    ]
    rows = [row for row in texts(table(document, "all-analyses")) if row[0].startswith("A4")]
    assert rows == [["A4. Death within 30 days: Cox regression (main)", "399/832", "2451/4648", "Adjusted hazard ratio", "0.91 (0.79 to 1.05)", "0.20"]]  # fmt: skip


def test_the_screen_is_one_table_and_no_effect(document):
    assert texts(table(document, "screen-A6")) == [
        ["Age", "per 10 years", "44/5480", "1.03 (1.02 to 1.04)", "<0.001"],
        ["Sex", "Male", "32/4580", "1.00 (reference)", "—"],
        ["", "Female", "12/900", "1.10 (0.90 to 1.30)", "0.31"],
        ["Diabetes", "no", "32/4580", "1.00 (reference)", "—"],
        ["", "yes", "12/900", "1.20 (1.00 to 1.44)", "0.05"],
    ]
    assert not [row for row in texts(table(document, "all-analyses")) if "Age" in row[0]]


def test_counts_of_a_model_are_never_those_of_a_level(bench):
    plan, result = bench
    rows = tuple(replace(row, groups=()) if row.model == "screen" else row for row in result.estimates)
    shown = texts(table(compose(replace(result, estimates=rows), plan, style="jama"), "screen-A6"))
    assert shown[1:4] == [
        ["Sex", "", "44/5480", "", ""],
        ["", "Male", "", "1 [Reference]", "NA"],
        ["", "Female", "", "1.10 (0.90-1.30)", ".31"],
    ]


def test_selection_says_that_intervals_are_too_narrow(document):
    words = [item.text for item in found(document, Paragraph)]
    assert any("the intervals are too narrow" in text for text in words)
    assert texts(table(document, "A6-bleeding-selection-frequency"))[2] == ["Sex: Female", "no", "31"]
    assert texts(table(document, "A6-bleeding-selection-path"))[0] == [
        "1",
        "enter",
        "Lactate",
        "91.20",
        "1",
        "<0.001",
        "7201.4",
    ]


def test_predictions_stand_in_their_own_table(document):
    rows = texts(table(document, "predictions-A7"))
    assert rows[1] == ["C-statistic, apparent", "1; 0.5 by chance", "0.742 (0.729 to 0.755)"]
    assert rows[4] == ["Calibration slope", "1", "0.970 (0.900 to 1.040)"]
    with pytest.raises(StopIteration):
        table(document, "estimates-A7")


def test_a_value_without_an_interval_is_printed_with_its_status(document):
    shown = table(document, "estimates-A8")
    assert shown.rows[1].cells[-2].text == "0.84"
    assert shown.rows[1].cells[-2].notes == ("a",)
    notes = [(note.mark, note.text) for note in shown.footnotes]
    assert ("a", Status.FEW_CLUSTERS.text) in notes
    assert ("", "A8: interval and P value by Student's t with 14.3 degrees of freedom (27 clusters).") in notes
    assert [row.cells[0].text for row in shown.rows[2:4]] == [
        "Variance between clusters, center",
        "Median odds ratio, center",
    ]


def test_a_value_of_a_fit_that_failed_is_never_printed(bench):
    plan, result = bench
    rows = tuple(
        replace(row, estimate=replace(row.estimate, status=Status.NOT_CONVERGED)) if row.analysis == "A8" else row
        for row in result.estimates
    )
    shown = table(compose(replace(result, estimates=rows), plan), "estimates-A8")
    assert {row.cells[-1].text for row in shown.rows[1:]} <= {"Not estimable", "0.03", "0.07", "—"}
    assert shown.rows[1].cells[-2].text == "Not estimable"


def test_description_tables(document):
    assert texts(table(document, "description-sex-diabetes-crosstab")) == [
        ["Male", "410 (21.4%)", "1500 (78.4%)", "3 (0.2%)"],
        ["Female", "120 (15.8%)", "640 (84.2%)", "—"],
        ["Missing", "5 (41.7%)", "7 (58.3%)", "0 (0.0%)"],
    ]
    assert texts(table(document, "description-missing-pattern"))[1:] == [
        ["Lactate", "1", "300", "5.5"], ["Lactate, Diabetes", "2", "73", "1.3"], ["Diabetes", "1", "—", "—"],
    ]  # fmt: skip
    assert texts(table(document, "description-rows-lost"))[0] == [
        "A1: In-hospital death",
        "Lactate 373; Diabetes 80",
        "5480",
        "380 (6.9%)",
    ]
    assert texts(table(document, "description-death_hospital-center-funnel-table"))[-1] == [
        "3 smaller centers",
        "19",
        "11",
        "57.9",
        "—",
        "—",
    ]
    assert texts(table(document, "description-events-per-parameter"))[2:] == [
        ["A6, Bleeding complication (full)", "5480", "44", "6", "7.3"],
    ]  # a screen of one predictor a model has no line
    assert texts(table(document, "description-variance-inflation"))[-1] == ["Lactate", "1", "—", "—"]


def test_small_cells_reach_no_table_worked_out_here(bench):
    plan, result = bench
    nodes = plan.protocol.model_copy(update={"privacy": plan.protocol.privacy.model_copy(update={"small_cells": 10})})
    shown = table(compose(result, replace(plan, protocol=nodes)), "description-sex-diabetes-crosstab")
    assert [row[-1] for row in texts(shown)] == ["—", "—", "0 (0.0%)"]


def test_references_of_what_no_analysis_cites(document):
    cited = " ".join(item.text for item in document.references)
    for author in ("Freedman D", "Fox J", "Spiegelhalter DJ", "Peduzzi P", "van Smeden M", "Riley RD"):
        assert author in cited


def test_each_cause_has_its_curve_and_only_the_outcome_its_contrast(document):
    figures = {item.id: item for item in found(document, Figure) if "cumulative-incidence" in item.id}
    assert len(figures) == 2
    assert {item.title for item in figures.values()} == {
        "Cumulative incidence: Death within 30 days.", "Cumulative incidence: Death within 30 days: weaned from support.",
    }  # fmt: skip
    assert all("Any event" in drawn(item) and "log-rank" not in drawn(item) for item in figures.values())


def test_the_page_is_whole(document):
    page = render_html(document)
    assert not re.search(r"[>( ]nan\b", page.lower())
    assert page.count("<figure") == len(found(document, Table)) + len(found(document, Figure))


# -- figures -----------------------------------------------------------------------------------------------------------


def boxes(scene):
    for shape in scene.shapes:
        if isinstance(shape, Text) and shape.upright:
            yield (
                shape.text,
                (shape.left, shape.y - 0.72 * shape.size, shape.left + shape.width, shape.y + 0.2 * shape.size),
            )


def assert_legible(scene):
    """Nothing leaves the picture, and no two texts overlap."""
    for shape in scene.shapes:
        for x, y in shape.points if isinstance(shape, Path) else ():
            assert -0.01 <= x <= scene.width + 0.01
            assert -0.01 <= y <= scene.height + 0.01
    for text, box in boxes(scene):
        assert box[0] >= -0.01, text
        assert box[2] <= scene.width + 0.01, text
        assert box[3] <= scene.height + 0.01, text
    for (one, a), (other, b) in combinations(boxes(scene), 2):
        apart = a[2] <= b[0] + 0.5 or b[2] <= a[0] + 0.5 or a[3] <= b[1] + 0.5 or b[3] <= a[1] + 0.5
        assert apart, (one, other)


PANELS = [
    Panel(label=f"{LONG} {k}", bars=[Bar(None, 10, 5), Bar(10, 20, 30), Bar(20, None, 4)], note="n = 39")
    for k in range(5)
]


def plane(lines, **more):
    axis = Axis(label=LONG, ticks=(0.0, 1e5, 2e5, 3e5))
    return Plane(title="P", x=axis, y=Axis(label=LONG, ticks=(0.001, 0.01, 0.1), log=True), lines=lines, **more)


SCENES = {
    "histograms": draw_histograms(Histograms(title="H", panels=PANELS, x_label=f"{LONG}, mg", y_label="Patients of the group, %")),
    "one histogram": draw_histograms(Histograms(title="H", panels=PANELS[:1], x_label="Age", y_label="%")),
    "one bin": draw_histograms(Histograms(title="H", panels=[Panel(label="A", bars=[Bar(None, None, 5)])], x_label="Age", y_label="%")),
    "hidden": draw_histograms(Histograms(title="H", panels=[Panel(label="A", bars=[Bar(0, 1, None), Bar(1, 2, None)])], x_label="Age", y_label="%")),
    "matrix": draw_matrix(Matrix(title="M", labels=[LONG] * 14, cells={(i, j): ("−0.99", 0.99) for i in range(14) for j in range(i)})),
    "one variable": draw_matrix(Matrix(title="M", labels=["Age"], cells={})),
    "lines": draw_plane(plane([Line(label=f"{LONG} {k}", points=[(0.0, 0.01), (2e5, 0.05 + k / 100)]) for k in range(6)])),
    "marks": draw_plane(plane([Line(label="Center", points=[(1e5 + k, 0.01) for k in range(9)], marks=True, names=["Center"] * 9)])),
    "nothing": draw_plane(plane([])),
}  # fmt: skip


@pytest.mark.parametrize("name", SCENES)
def test_long_labels_and_odd_numbers_stay_legible(name):
    assert_legible(SCENES[name])


def test_looks_are_told_apart_and_twins_are_not():
    lines = [Line(label="a", points=[(0, 0.01), (1, 0.1)]), Line(label="", points=[(0, 0.02), (1, 0.1)], twin=True), Line(label="b", points=[(0, 0.03), (1, 0.1)])]  # fmt: skip
    strokes = [
        shape.stroke for shape in draw_plane(plane(lines)).shapes if isinstance(shape, Path) and shape.width == 1.5
    ]
    assert strokes[0] == strokes[1] != strokes[2]


def test_a_ratio_has_a_log_axis_whose_band_is_cut(bench):
    odd = effect_curve("A1.death_hospital.age.effect-curve", "age", reach=40.0)
    (picture,) = renderers.RENDERERS["effect-curve"](context(bench, odd), odd)
    assert "Logarithmic axis." in picture.caption
    assert "cut where it leaves the axis" in picture.caption
    assert picture.title == "Odds ratio by age: A1, In-hospital death."


@pytest.mark.parametrize("make", [calibration, roc, decision])
def test_curves_of_every_style(bench, make):
    plan, result = bench
    shown = make(
        "A7.death_hospital."
        + {"calibration": "calibration-curve", "decision": "decision-curve"}.get(make.__name__, "roc")
    )
    for style in STYLES.values():
        pictures = renderers.RENDERERS[shown.kind](Context(plan, replace(result, blocks=(shown,)), style), shown)
        assert pictures
        assert all(picture.alternative for picture in pictures)


def test_groups_of_a_histogram_come_in_the_order_of_the_plan(bench):
    odd = distribution(groups=(ECMO, IABP))
    (picture,) = renderers.RENDERERS["distribution"](context(bench, odd), odd)
    assert drawn(picture).index("IABP after ECMO") < drawn(picture).index("ECMO only")


def test_centers_beyond_their_limits_are_named(bench):
    odd = funnel()
    picture, _ = renderers.RENDERERS["center-funnel"](context(bench, odd), odd)
    beyond = [
        row["center"]
        for row in odd.rows()
        if row["low_95"] is not None and not row["low_95"] <= row["risk"] <= row["high_95"]
    ]
    assert beyond
    assert all(f">{name}</text>" in drawn(picture) for name in beyond)


def test_two_variables_make_a_triangle_of_one(bench):
    odd, _ = associations(("age", "sex"))
    (picture,) = renderers.RENDERERS["correlation"](context(bench, odd), odd)
    assert "the 5100 patients" in picture.caption
    assert isinstance(odd, Block)
