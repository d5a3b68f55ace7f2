"""What a report says of matching, weighting, imputation, immortal time and robustness, and where."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench_study import block
from comparative_study import (
    balance,
    comparative_blocks,
    comparative_result,
    density,
    e_values,
    effective,
    immortal,
    imputation,
    overlap,
    specifications,
    tipping,
    trace,
    weights,
)
from made_up_study import ECMO, IABP, make_plan, make_result
from scene_checks import assert_clean
from test_figure_chapters import context, texts

from counterpulse.protocol.plan import PlannedBalancing, PlannedShift
from counterpulse.report.chapters.blocks.immortal_time import immortal_time_blocks
from counterpulse.report.chapters.blocks.renderers import RENDERERS
from counterpulse.report.chapters.limitations.section import limitations
from counterpulse.report.chapters.order import compose
from counterpulse.report.chapters.results.comparability import comparability
from counterpulse.report.chapters.results.estimate_notes import footnotes_of
from counterpulse.report.chapters.results.robustness_section import robustness_section
from counterpulse.report.chapters.unshifted import unshifted
from counterpulse.report.document import Figure, Paragraph, Table, blocks_of, sections_of
from counterpulse.report.figures.lettering import ONE_COLUMN, TWO_COLUMNS
from counterpulse.report.number_styles import EM_DASH
from counterpulse.results.block import KINDS
from counterpulse.results.privacy import suppress


def parts(made, **looks):
    return list(RENDERERS[made.kind](context(result=comparative_result(), **looks), made))


def tables(made):
    return [part for part in parts(made) if isinstance(part, Table)]


def figures(made, **looks):
    return [part for part in parts(made, **looks) if isinstance(part, Figure)]


def cells(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


# -- every kind --------------------------------------------------------------------------------------------------------


def test_every_kind_of_block_has_its_renderer():
    assert set(RENDERERS) == set(KINDS)


@pytest.mark.parametrize("made", comparative_blocks(), ids=lambda made: made.kind)
def test_a_kind_renders_whatever_is_known_of_it(made):
    blank = {
        name: [None if isinstance(cell, float | int) else cell for cell in cells]
        for name, cells in made.columns.items()
    }
    none = {name: [] for name in made.columns}
    for columns in (made.columns, blank, none):
        for part in parts(replace(made, columns=columns)):
            if isinstance(part, Figure):
                assert_clean(part.scene)


@pytest.mark.parametrize(("width", "points"), [("one-column", ONE_COLUMN), ("two-column", TWO_COLUMNS)])
def test_figures_have_the_width_of_print(width, points):
    for made in comparative_blocks():
        for picture in figures(made, width=width):
            assert_clean(picture.scene)
            assert picture.scene.width <= (points if made.kind != "immortal-time" else TWO_COLUMNS)
            assert all(shape.size == 8.5 for shape in picture.scene.shapes if hasattr(shape, "size"))


@pytest.mark.parametrize("style", ["jama", "lancet", "nejm"])
def test_every_style_prints_them(style):
    made = compose(comparative_result(), make_plan(), style=style)
    assert {"robustness", "immortal-time", "imputation"} <= {section.id for section in sections_of(made.sections)}


# -- where -------------------------------------------------------------------------------------------------------------


def test_where_everything_stands():
    document = compose(comparative_result(), make_plan())
    order = [section.id for section in document.sections]
    assert order.index("results") < order.index("robustness") < order.index("limitations") < order.index("imputation")
    results = next(section for section in document.sections if section.id == "results")
    ids = [section.id for section in results.sections]
    assert ids[:2] == ["analysis-A1", "immortal-time"]
    first = [block.id for block in results.sections[0].blocks if isinstance(block, Table | Figure)]
    assert first[0] == "A1-death_hospital-balance"
    assert first.index("A1-death_hospital-weights") < first.index("estimates-A1")
    robustness = next(section for section in document.sections if section.id == "robustness")
    assert [section.id for section in robustness.sections] == [
        "e-values",
        "tipping-points",
        "specifications",
        "rehearsal",
    ]
    labels = [block.label for block in blocks_of(document.sections) if isinstance(block, Figure)]
    assert labels == [f"Figure {k}" for k in range(1, len(labels) + 1)]


def test_balance_that_another_analysis_shows_is_not_repeated():
    made = balance()
    again = replace(made, id="A2.death_hospital.balance", analysis="A2")
    result = replace(make_result(), blocks=(made, again))
    shown = context(result=result)
    first, second = (comparability(shown, record) for record in result.analyses[:2])
    assert [type(part) for part in first] == [Figure, Table]
    assert [part.text for part in second if isinstance(part, Paragraph)] == [
        "How the groups were made comparable, and how far, is shown with A1."
    ]
    assert len(second) == 1


# -- groups ------------------------------------------------------------------------------------------------------------


def test_sizes_overlap_and_weights_name_the_groups():
    (table,) = tables(effective())
    assert cells(table)[1] == ["ECMO only", "4648", "4648.0", "815", "815.0"]
    named = overlap(groups=("treated", "control"))
    for made in (overlap(), named):
        (picture,) = figures(made)
        assert {"IABP after ECMO (above the axis)", "ECMO only (below the axis)", "Unadjusted", "Matched"} <= set(
            texts(picture.scene)
        )
        assert "Matched, ECMO only: half of the group lies between" in picture.alternative
    (table,) = tables(weights())
    assert [column.head.text for column in table.columns][-1] == "Largest"
    small = context(plan=in_privacy(5), result=replace(comparative_result(), blocks=(weights(),)))
    hidden = suppress(small.result, 5).blocks[0]
    (table,) = RENDERERS["weights"](small, hidden)
    heads = [column.head.text for column in table.columns]
    assert "Largest" not in heads
    assert [heads[table.spanners[0].first], heads[table.spanners[0].last]] == ["1st", "99th"]


def in_privacy(smallest):
    plan = make_plan()
    privacy = plan.protocol.privacy.model_copy(update={"small_cells": smallest})
    return replace(plan, protocol=plan.protocol.model_copy(update={"privacy": privacy}))


# -- imputation --------------------------------------------------------------------------------------------------------


def test_imputed_variables_with_what_went_wrong():
    (table,) = tables(imputation())
    assert cells(table)[0] == ["Lactate", "Predictive mean matching", "812", "14.8", "1.01", "1.02", ""]
    assert cells(table)[2][-1] == "Not mixed"
    assert cells(table)[3][4:6] == [EM_DASH, EM_DASH]
    assert any(note.text.startswith("Not mixed: The imputations of this column") for note in table.footnotes)


def test_chains_and_densities():
    (picture,) = figures(trace())
    assert {"Lactate: mean", "Lactate: SD", "Iteration"} <= set(texts(picture.scene))
    assert "20 chains end between" in picture.alternative
    picture, table = parts(density())
    assert {"Observed", "Imputed, a line a table", "Lactate, mmol/L"} <= set(texts(picture.scene))
    assert cells(table)[1][:2] == ["no", "75.0"]


# -- immortal time -----------------------------------------------------------------------------------------------------


def test_naive_and_safe_answers_side_by_side():
    words, picture, table = parts(immortal())
    assert "answered under five plans" in words.text
    assert "each time with the same covariates (age and sex)" in words.text
    assert "counts 4413 days of survival before treatment as time under treatment" in words.text
    shown = texts(picture.scene)
    assert {"0.19 (0.09 to 0.40)", "1.01 (0.56 to 1.83)", "Landmark: 30 days", "1380", "18,003"} <= set(shown)
    assert cells(table)[1][0] == "Immortal time not removed (naive)"
    assert "Immortal time not removed (naive): 0.19 (0.09 to 0.40)" in picture.alternative


def test_several_questions_have_their_headings():
    other = replace(immortal(("death_hospital",)), id="A1.immortal-time", analysis="A1")
    shown = context(result=replace(make_result(), blocks=(immortal(), other)))
    words, picture, table = immortal_time_blocks(shown, shown.result.blocks)
    assert words.text.startswith("The same questions were answered under five plans")
    assert texts(picture.scene).count("Time, days") == 1
    assert {"A4. Death within 30 days: Cox regression", "A1. In-hospital death, adjusted"} <= set(texts(picture.scene))
    assert len(table.rows) == 12
    assert_clean(picture.scene)


def test_time_that_no_plan_measured_has_no_column():
    made = immortal()
    blank = dict.fromkeys(("person_time", "person_time_left_out", "credited"), (None,) * 5)
    words, picture, table = parts(replace(made, columns=dict(made.columns) | blank))
    assert "counts" not in words.text
    assert "Time, days" not in texts(picture.scene)
    assert len(table.columns) == 7


# -- robustness --------------------------------------------------------------------------------------------------------


def test_an_e_value_in_words_a_clinician_understands():
    words, table = parts(e_values())
    assert words.text.startswith(
        "To explain away the odds ratio of in-hospital death (A1), an unmeasured confounder would have to be associated with both "
        "treatment and outcome by a risk ratio of at least 1.44 each"
    )
    assert "1.09 each would be enough for the 95% CI to include no effect" in words.text
    assert cells(table)[0] == [
        "In-hospital death: odds ratio",
        "0.82 (0.69 to 0.99)",
        "52.0",
        "converted (common outcome)",
        "1.44",
        "1.09",
    ]


def test_an_interval_that_includes_no_effect_needs_no_confounder():
    made = e_values()
    columns = dict(made.columns) | {"e_value_limit": (1.0, 1.0, 1.0)}
    words, _ = parts(replace(made, columns=columns))
    assert "includes no effect already" in words.text


@pytest.mark.parametrize(
    ("measure", "label"), [("odds ratio", "Odds ratio (log scale)"), ("mean difference", "Mean difference")]
)
def test_a_tipping_point(measure, label):
    (picture,) = figures(tipping(measure))
    assert label in texts(picture.scene)
    assert picture.title == "Tipping point of lactate: A1, In-hospital death."
    assert "the first shift tried at which the interval says something else (+0.5 mmol/L)" in picture.caption


def test_only_the_primary_analysis_has_its_curve():
    other = replace(tipping(), id="A6.bleeding.lactate.tipping-point", analysis="A6")
    result = replace(make_result(), blocks=(tipping(), other))
    section = robustness_section(context(result=result))
    curve, table = section.sections[0].blocks
    assert isinstance(curve, Figure)
    assert cells(table) == [
        ["A6, Bleeding complication", "Lactate, mmol/L", "−2 to +4", "odds ratio 0.82 (0.69 to 0.99)", "+0.5"]
    ]


def shifted_result():
    names = (None, "lactate +1", "age +0", "landmark 24 hours, lactate -0.5")
    row = make_result().estimates[0]
    rows = [replace(row, id=f"A1.{k}", model=name) for k, name in enumerate(names)]
    one = balance()
    ids = (
        "A1.death_hospital.balance",
        "A1.lactate--0_5.death_hospital.balance",
        "A1.death_hospital.lactate.tipping-point",
    )
    blocks = [replace(one, id=ids[0]), replace(one, id=ids[1]), replace(tipping(), id=ids[2])]
    return replace(make_result(), estimates=(*rows, *make_result().estimates[6:]), blocks=tuple(blocks))


def shifted_plan(*by):
    plan = make_plan()
    shifts = tuple(PlannedShift(variable=name, by=step) for name in ("lactate", "age") for step in by)
    return replace(plan, analyses=(replace(plan.analyses[0], shifts=shifts), *plan.analyses[1:]))


def test_answers_after_a_shift_are_left_to_the_tipping_point():
    result, plan = shifted_result(), shifted_plan(1.0, -0.5)
    shown = unshifted(result, plan)
    assert [(row.id, row.model) for row in shown.estimates[:1]] == [("A1.0", None)]
    assert len(shown.estimates) == len(result.estimates) - 3
    assert [block.id for block in shown.blocks] == [result.blocks[0].id, result.blocks[2].id]
    picture = figures(shown.blocks[0])[0]
    assert picture.title == "Balance of the groups: A1, In-hospital death."
    assert unshifted(result, make_plan()) == result


def test_a_conclusion_that_does_not_tip():
    rows = [("lactate", float(k), "odds ratio", 0.5, 0.4, 0.6, 0.001) for k in range(5)]
    (picture,) = figures(block("A1.death_hospital.lactate.tipping-point", rows))
    assert "No shift that was tried changes" in picture.caption


def test_a_specification_curve_marks_the_planned_one():
    (picture,) = figures(specifications())
    assert "Planned analysis" in texts(picture.scene)
    assert "24 specifications: from" in picture.alternative
    assert "how many agree is no test" in picture.caption


# -- limitations -------------------------------------------------------------------------------------------------------


def found(result, **planned):
    plan = make_plan()
    balancing = PlannedBalancing(use="matching", by="nearest", terms=(), **planned)
    plan = replace(plan, analyses=(replace(plan.analyses[0], balancing=balancing), *plan.analyses[1:]))
    return {item.subject: item.words for item in limitations(context(plan=plan, result=result))}


def test_limitations_that_matching_and_imputation_brought():
    said = found(comparative_result())
    assert "left out (17 of 832 in A1)" in said["Unmatched patients"]
    assert "age" in said["Imputation"]
    assert "Unequal weights" in said
    assert (
        "by risk ratios of 1.44 each (the E-value), beyond the covariates; 1.09 each would move" in said["Confounding"]
    )
    assert "Remaining imbalance" not in said
    assert "A1 (sex 0.043" in found(comparative_result(), balance_limit=0.001)["Remaining imbalance"]


def test_limitations_stay_away_without_their_cause():
    said = found(make_result())
    assert not {"Unmatched patients", "Remaining imbalance", "Unequal weights", "Imputation"} & set(said)
    assert "was not computed" in said["Confounding"]
    whole = block(
        "A1.death_hospital.effective-size",
        [(sample, group, 800.0, 800.0) for sample in ("unadjusted", "matched") for group in (IABP, ECMO)],
    )
    assert "Unmatched patients" not in found(replace(make_result(), blocks=(whole,)))


# -- around ------------------------------------------------------------------------------------------------------------


def test_reviewers_and_checklists_find_them():
    document = compose(comparative_result(), make_plan())
    tables = [block for block in blocks_of(document.sections) if isinstance(block, Table)]
    shown = {
        row.cells[0].text: row.cells[-1].text
        for row in next(table for table in tables if table.id == "planned-run-shown").rows
    }
    assert {"Immortal time: naive and safe answers", "Robustness", "Imputation of missing values"} <= set(shown)
    assert "Figure" in shown["Robustness"]


def test_pooled_degrees_of_freedom_stand_in_one_line():
    rows = [row for row in make_result().estimates if row.id in ("A1.death_hospital.age", "A1.death_hospital.sex.F")]
    rows = [
        replace(row, clusters=40, estimate=replace(row.estimate, statistic_name="t", df=df))
        for row, df in zip(rows, (973.04, 1200.3), strict=True)
    ]
    said = [note.text for note in footnotes_of(context(), rows) if "degrees of freedom" in note.text]
    assert said == ["A1: interval and P value by Student's t with 973.0 to 1200.3 degrees of freedom (40 clusters)."]


def test_the_figures_are_the_same_twice():
    first, second = (compose(comparative_result(), make_plan()) for _ in range(2))
    assert first == second
