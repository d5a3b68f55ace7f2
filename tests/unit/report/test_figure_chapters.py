"""What the figures of a report say: layouts of curves, marks of the censored, balance, studies, funnels, predictions."""

from __future__ import annotations

from dataclasses import replace
from math import exp, log

import pytest
from bench_study import bench_plan, bench_result, block, calibration, roc
from made_up_study import ECMO, IABP, LABELS, make_plan, make_result, placed, plain
from scene_checks import assert_clean

from counterpulse.report.chapters.blocks.renderers import RENDERERS
from counterpulse.report.chapters.context import Context
from counterpulse.report.document import Figure, Table
from counterpulse.report.figures.funnel import CONTOURS, Z_95, Funnel, FunnelStudy, draw_funnel
from counterpulse.report.figures.lettering import ONE_COLUMN, TWO_COLUMNS
from counterpulse.report.figures.scene import Path, Text
from counterpulse.report.number_styles import EM_DASH, STYLES
from counterpulse.results import Block

HALF_POINT = 0.5  # of the page: finer than print
HUNDREDTH = 0.01  # half a point of a line 100 points long


def context(style="plain", *, plan=None, result=None, **looks):
    plan, result = plan or make_plan(), result or make_result()
    report = plan.protocol.report
    report = report.model_copy(update={"figures": report.figures.model_copy(update=looks)})
    plan = replace(plan, protocol=plan.protocol.model_copy(update={"report": report}))
    return Context(plan, replace(result, data_kind="real"), STYLES[style])


def figures(shown, made):
    return [part for part in RENDERERS[made.kind](shown, made) if isinstance(part, Figure)]


def texts(scene):
    return [shape.text for shape in scene.shapes if isinstance(shape, Text)]


def survival(values, *, censored=0, groups=(IABP, ECMO)):
    rows = [
        (group, float(day), value, value - 0.02, value + 0.02, 0.01, 100.0, 1.0, float(day <= censored))
        for group in groups for day, value in enumerate(values, start=1)
    ]  # fmt: skip
    return block("A3.death_30d.survival-curve", rows)


def at_risk(counts=(100, 80, None, 812.4)):
    rows = [
        (group, float(10 * k), n, None if n is None else k, None if n is None else 2 * k)
        for group in (IABP, ECMO) for k, n in enumerate(counts)
    ]  # fmt: skip
    return block("A3.death_30d.numbers-at-risk", rows)


# -- curves ------------------------------------------------------------------------------------------------------------


def test_counts_stand_in_the_order_of_kmunicate():
    curve, risk = survival([0.9, 0.5]), at_risk()
    (picture,) = figures(context(result=replace(make_result(), blocks=(curve, risk))), curve)
    found = [text for text in texts(picture.scene) if text in ("IABP after ECMO", "At risk", "Censored", "Events")]
    assert found[:4] == ["IABP after ECMO", "At risk", "Censored", "Events"]
    assert found[4:7] == ["At risk", "Censored", "Events"]
    assert "Numbers at risk" not in texts(picture.scene)
    assert_clean(picture.scene)


def test_numbers_at_risk_alone_where_they_are_asked_for():
    curve, risk = survival([0.9, 0.5]), at_risk()
    result = replace(make_result(), blocks=(curve, risk))
    (picture,) = figures(context(result=result, risk_table="at-risk"), curve)
    assert "Numbers at risk" in texts(picture.scene)
    assert "Events" not in texts(picture.scene)
    assert "Censored and events" not in picture.caption


def test_a_hidden_count_is_a_dash_and_weights_have_a_decimal():
    curve, risk = survival([0.9, 0.5]), at_risk()
    result = replace(make_result(), blocks=(curve, risk))
    (picture,) = figures(context("lancet", result=result), curve)
    assert EM_DASH in texts(picture.scene)
    assert "812·4" in texts(picture.scene)


def test_counts_are_centered_under_their_ticks():
    curve, risk = survival([0.9, 0.5]), at_risk((832, 104, 55, 7))
    (picture,) = figures(context(result=replace(make_result(), blocks=(curve, risk))), curve)
    centers = {
        shape.text: shape.x for shape in picture.scene.shapes if isinstance(shape, Text) and shape.anchor == "middle"
    }
    assert centers["0"] == centers["832"]
    assert centers["20"] == centers["55"]


@pytest.mark.parametrize(("lowest", "upward"), [(0.95, True), (0.4, False)])
def test_rare_events_are_drawn_upward(lowest, upward):
    curve = survival([0.99, lowest])
    (picture,) = figures(context(result=replace(make_result(), blocks=(curve,))), curve)
    assert picture.title.startswith("Cumulative incidence" if upward else "Event-free survival")
    assert ("one minus event-free survival" in picture.caption) is upward
    assert ("5.0% at" in picture.alternative) is upward
    assert ("100" in texts(picture.scene)) is not upward


@pytest.mark.parametrize(("censored", "marked"), [(0, False), (20, True), (80, False)])
def test_few_censored_have_their_marks(censored, marked):
    curve = survival([0.9 - k / 200 for k in range(100)], censored=censored)
    (picture,) = figures(context(result=replace(make_result(), blocks=(curve,))), curve)
    upright = [
        shape for shape in picture.scene.shapes
        if isinstance(shape, Path) and len(shape.points) == 2 and shape.width == 0.7 and shape.points[0][0] == shape.points[1][0]
    ]  # fmt: skip
    assert ("Upright marks" in picture.caption) is marked
    assert len(upright) == (2 * censored if marked else 0)


@pytest.mark.parametrize(("width", "points"), [("one-column", ONE_COLUMN), ("two-column", TWO_COLUMNS)])
def test_figures_have_the_printed_width(width, points):
    curve, risk = survival([0.9, 0.5]), at_risk()
    shown = context(result=replace(make_result(), blocks=(curve, risk)), width=width)
    assert figures(shown, curve)[0].scene.width == points
    assert all(shape.size == 8.5 for shape in figures(shown, curve)[0].scene.shapes if isinstance(shape, Text))


# -- balance -----------------------------------------------------------------------------------------------------------

BALANCE = [
    ("age", None, "unadjusted", 0.05, None, "pooled", 61.2, 60.5, 1.3, 0.12), ("age", None, "matched", -0.01, None, "pooled", 61.2, 61.3, 1.0, 0.02),
    ("lactate", None, "unadjusted", -0.55, None, "pooled", 5.1, 7.25, 1.9, 0.2), ("lactate", None, "matched", 0.12, None, "pooled", 5.1, 4.9, 1.1, 0.1),
    ("sex", "F", "unadjusted", 0.2, None, "pooled", 0.287, 0.3, None, 0.01), ("sex", "F", "matched", None, None, "pooled", None, None, None, None),
]  # fmt: skip


def test_balance_before_and_after():
    made = block("A1.death_hospital.balance", BALANCE)
    picture, table = RENDERERS["balance"](context(), made)
    shown = texts(picture.scene)
    assert [text for text in shown if text in ("Age", "Lactate", "Sex: Female")] == ["Lactate", "Sex: Female", "Age"]
    assert "root of the mean of the groups' variances" in picture.caption
    assert "no test" in picture.caption
    assert "Unadjusted, 2 of 3 beyond 0.10; Matched, 1 of 2 beyond 0.10" in picture.alternative
    assert isinstance(table, Table)
    assert [cell.text for cell in table.rows[1].cells] == [
        "Lactate, mmol/L", "5.10", "7.25", "−0.550", "1.90", "0.20", "5.10", "4.90", "0.120", "1.10", "0.10",
    ]  # fmt: skip
    assert [cell.text for cell in table.rows[2].cells][:6] == ["Sex: Female, %", "28.7", "30.0", "0.200", "", "0.01"]
    assert table.columns[2].head.text == LABELS[ECMO]
    assert [spanner.text for spanner in table.spanners] == ["Unadjusted", "Matched"]
    assert_clean(picture.scene)


def test_the_largest_difference_of_several_groups():
    made = block("A1.death_hospital.balance", [("age", None, "unadjusted", None, 0.4, "all", *[None] * 4)])
    picture, table = RENDERERS["balance"](context(), made)
    assert "the largest difference between any two" in picture.caption
    assert [cell.text for cell in table.rows[0].cells] == ["Age", "0.400"]


def test_balance_over_imputations_has_its_mean_and_its_largest():
    rows = [(*row[:4], abs(row[3]) + 0.05 if row[3] is not None else None, *row[5:]) for row in BALANCE]
    picture, table = RENDERERS["balance"](context(), block("A1.death_hospital.balance", rows))
    assert "Largest over imputations" in texts(picture.scene)
    assert "Lactate: 0.55 (largest 0.60), 0.12 (largest 0.17)" in picture.alternative
    assert [column.head.text for column in table.columns][4] == "Largest SMD"
    assert_clean(picture.scene)


# -- studies -----------------------------------------------------------------------------------------------------------


def study_block():
    rows = []
    for subgroup in ("Randomized", "Observational"):
        for k in range(3):
            value = 0.7 + k / 5
            rows.append((f"{subgroup} {k}", subgroup, "study", "risk ratio", 10 + k, 100, 15, 98, value, value / 2, value * 2, 1 / 6, *[None] * 5))  # fmt: skip
        rows.append(
            (None, subgroup, "subtotal", "risk ratio", 33, 300, 45, 294, 0.9, 0.6, 1.3, 0.5, 0.01, 0.0, 1.2, 2.0, 0.55)
        )
    rows.append(
        (None, None, "total", "risk ratio", 66, 600, 90, 588, 0.9, 0.7, 1.2, 1.0, 0.0216, 0.27, 6.84, 5.0, 0.2328)
    )
    rows.append((None, None, "prediction", "risk ratio", *[None] * 4, None, 0.5, 1.6, None, *[None] * 5))
    rows.append(
        ("Failed 2001", "Observational", "study", "risk ratio", 0, 10, 0, 9, None, None, None, None, *[None] * 5)
    )
    return block("A1.death_hospital.study-forest", rows)


@pytest.mark.parametrize("style", sorted(STYLES))
def test_studies_with_subtotals_total_and_prediction(style):
    (picture,) = figures(context(style), study_block())
    assert_clean(picture.scene)
    shown = texts(picture.scene)
    assert shown.count("Subtotal") == 2
    assert ("Weight, %" in shown, "Prediction interval" in shown, "Not estimable" in shown) == (True, True, True)
    assert ("10/100" in shown) is (style == "jama")
    assert ("Events" in shown) is (style != "jama")
    assert "Bar: where the effect of a new study would lie." in picture.caption


def test_heterogeneity_stands_under_what_was_pooled():
    (picture,) = figures(context(), study_block())
    assert "Heterogeneity: τ² = 0.022; Q = 6.84 (df = 5, P = 0.23); I² = 27%" in texts(picture.scene)
    assert "Total: 0.90 (0.70 to 1.20), 66/600 vs 90/588" in picture.alternative


def test_a_funnel_with_filled_in_studies():
    rows = [(f"S{k}", "odds ratio", 0.6 + k / 20, 0.05 + k / 30, "yes" if k > 9 else "no", 0.9) for k in range(12)]
    (picture,) = figures(context(), block("A1.death_hospital.funnel", rows))
    assert_clean(picture.scene)
    assert "10 studies and 2 filled in" in picture.alternative
    assert "nobody observed them" in picture.caption
    assert {words for words, *_ in CONTOURS} <= set(texts(picture.scene))


def test_limits_and_contours_of_a_funnel_are_those_of_the_normal_distribution():
    """The lines end where the axis or the plot does; on them (x - center) / error is the quantile."""
    studies = [FunnelStudy(label="a", estimate=0.5, std_error=0.4), FunnelStudy(label="b", estimate=1.4, std_error=0.1)]
    scene = draw_funnel(Funnel(title="F", studies=studies, x_label="Odds ratio", pooled=0.8))
    dashed = [
        shape.points for shape in scene.shapes if isinstance(shape, Path) and shape.dash and len(shape.points) == 2
    ]
    limits = [points for points in dashed if points[0][1] != points[1][1]]
    frame = next(
        shape.points for shape in scene.shapes if isinstance(shape, Path) and len(shape.points) == 3 and not shape.fill
    )
    (left, top), (_, bottom), (right, _) = frame
    ticks = [float(text) for text in texts(scene) if text.replace(".", "").isdigit()]
    x_ticks = [tick for tick in ticks if tick in (0.2, 0.5, 1.0, 2.0, 5.0)]
    low, high = log(min(x_ticks)), log(max(x_ticks))
    deepest = 0.4
    assert len(limits) == 2
    for points in limits:
        (apex, foot) = sorted(points, key=lambda point: point[1])
        value = low + (foot[0] - left) / (right - left) * (high - low)
        error = deepest * (foot[1] - top) / (bottom - top)
        assert apex[0] == pytest.approx(left + (log(0.8) - low) / (high - low) * (right - left), abs=HALF_POINT)
        assert abs(value - log(0.8)) / error == pytest.approx(Z_95, rel=HUNDREDTH)


def test_a_difference_has_no_log_axis():
    rows = [("S1", "risk difference", -0.05, 0.02, "no", -0.04), ("S2", "risk difference", 0.01, 0.04, "no", -0.04)]
    (picture,) = figures(context(), block("A1.death_hospital.funnel", rows))
    assert "percentage points" in picture.alternative
    assert "log" not in picture.alternative


# -- predictions -------------------------------------------------------------------------------------------------------


def test_the_area_under_each_curve_stands_in_the_legend():
    result = bench_result()
    own = [
        placed(f"A7.death_hospital.{name}.c", "A7", plain("c-statistic", value, value - 0.01, value + 0.01, term=name, variable=None, reference=None), groups=(), estimand=None)
        for name, value in (("Clinical", 0.742), ("SAVE", 0.655))
    ]  # fmt: skip
    result = replace(result, estimates=(*[row for row in result.estimates if row.analysis != "A7"], *own))
    shown = context(plan=bench_plan(), result=result)
    (picture,) = figures(shown, roc("A7.death_hospital.roc"))
    words = " ".join(texts(picture.scene))
    assert "Clinical: AUC 0.742 (95% CI 0.732 to 0.752)" in words
    assert "SAVE: AUC 0.655 (95% CI 0.645 to 0.665)" in words
    assert "Clinical and lactate" in words
    assert "No discrimination" in words


def test_calibration_shows_where_the_patients_are_and_names_the_diagonal():
    first, *_ = figures(
        context(plan=bench_plan(), result=bench_result()), calibration("A7.death_hospital.calibration-curve")
    )
    assert "Perfect agreement" in texts(first.scene)
    bars = [shape for shape in first.scene.shapes if isinstance(shape, Path) and shape.width == 2.2]
    assert len(bars) == 10
    assert "patients of each tenth" in first.caption


def test_a_plane_is_described_with_its_ends():
    made = block(
        "A1.death_hospital.effect-curve",
        [
            ("age", "odds ratio", 60.0, 40.0 + k, exp((k - 20) / 40), exp((k - 22) / 40), exp((k - 18) / 40))
            for k in range(41)
        ],
    )
    (picture,) = figures(context(), made)
    assert "from 0.61 at 40.0 to 1.65 at 80.0" in picture.alternative


def test_a_block_has_the_columns_of_its_kind():
    with pytest.raises(ValueError, match="study-forest"):
        Block(id="x", analysis="A1", kind="study-forest", columns={"study": ()})
