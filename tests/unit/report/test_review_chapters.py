"""What a report says of a review: every kind of block of the trials of BCG vaccine."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
import review_study as review
from bench_study import block
from made_up_study import make_plan, make_result
from scene_checks import assert_clean
from test_figure_chapters import context, texts

from counterpulse.report import compose, render_html, write_report
from counterpulse.report.chapters.blocks.certainty import certainty_signs
from counterpulse.report.chapters.blocks.renderers import RENDERERS
from counterpulse.report.document import Figure, Paragraph, Table, blocks_of
from counterpulse.report.figures.lettering import ONE_COLUMN, TWO_COLUMNS
from counterpulse.report.figures.scene import Path
from counterpulse.report.figures.svg import to_svg
from counterpulse.report.number_styles import EM_DASH, STYLES
from counterpulse.results.privacy import suppress

LARGEST_SVG = 120_000  # bytes: a page of a report, however many points a figure has


def parts(made, style="plain", *, beside=(), **looks):
    result = replace(make_result(), blocks=(made, *beside))
    return list(RENDERERS[made.kind](context(style, result=result, **looks), made))


def table(made, *, beside=(), number=0, style="plain"):
    return [part for part in parts(made, style, beside=beside) if isinstance(part, Table)][number]


def picture(made, *, beside=(), number=0, **looks):
    return [part for part in parts(made, beside=beside, **looks) if isinstance(part, Figure)][number]


def cells(shown):
    return [[cell.text for cell in row.cells] for row in shown.rows]


def notes(shown):
    return " ".join(note.text for note in shown.footnotes)


# -- every kind --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", review.review_blocks(), ids=lambda made: made.kind)
@pytest.mark.parametrize("width", ["one-column", "two-column"])
def test_every_picture_is_clean_and_told(made, width):
    for part in parts(made, width=width, beside=(review.bias(), review.ranking(), review.forest())):
        if isinstance(part, Figure):
            assert_clean(part.scene)
            assert part.alternative
            assert part.caption.endswith(".")
            assert len(to_svg(part.scene, prefix="x")) < LARGEST_SVG


@pytest.mark.parametrize("made", review.review_blocks(), ids=lambda made: made.kind)
@pytest.mark.parametrize("style", STYLES)
def test_every_journal_prints_it(made, style):
    for part in parts(made, style):
        assert isinstance(part, Paragraph | Table | Figure)


@pytest.mark.parametrize("made", review.review_blocks(), ids=lambda made: made.kind)
def test_a_kind_renders_whatever_is_known_of_it(made):
    blank = {
        name: [None if isinstance(cell, float | int) else cell for cell in column]
        for name, column in made.columns.items()
    }
    odd = replace(made, columns=blank)
    for part in parts(odd):
        if isinstance(part, Figure):
            assert_clean(part.scene)


@pytest.mark.parametrize("made", review.review_blocks(), ids=lambda made: made.kind)
def test_published_numbers_are_not_hidden(made):
    assert made in suppress(replace(make_result(), blocks=(made,)), smallest=10).blocks
    plan = make_plan()
    nodes = plan.protocol.model_copy(update={"privacy": plan.protocol.privacy.model_copy(update={"small_cells": 10})})
    for part in RENDERERS[made.kind](context(plan=replace(plan, protocol=nodes)), made):
        if isinstance(part, Table):
            assert "are not shown" not in notes(part)
            assert cells(part) == [
                row for shown in parts(made) if isinstance(shown, Table) and shown.id == part.id for row in cells(shown)
            ]


def test_the_report_holds_every_block():
    plan, result = make_plan(), replace(make_result(), blocks=tuple(review.review_blocks()))
    document = compose(result, plan)
    ids = [item.id for item in blocks_of(document.sections) if isinstance(item, Table | Figure)]
    assert len(ids) == len(set(ids))
    for made in result.blocks:
        assert any(id_.startswith(made.id.replace(".", "-")) for id_ in ids), made.kind
    assert "<figure" in render_html(document)
    files = write_report(document, result, plan.protocol.report)
    rows = list(csv.reader(io.StringIO(files["tables/A1-death_hospital-effect-sizes.csv"].decode("utf-8-sig"))))
    assert len(rows) == 15


# -- forests -----------------------------------------------------------------------------------------------------------


def test_lights_stand_beside_the_studies_of_their_outcome():
    lit = picture(review.forest(), beside=(review.bias(),))
    assert "Risk of bias" in texts(lit.scene)
    assert "Lights" in lit.caption
    assert lit.scene.width > picture(review.forest()).scene.width
    other = picture(review.forest(), beside=(review.bias(outcome="bleeding"),))
    assert "Risk of bias" not in texts(other.scene)


def test_tools_with_other_domains_share_their_judgment_of_the_whole_only():
    names = review.NAMES
    trials, cohorts = review.bias(names=names[:6]), review.bias(tool="robins-i", names=names[6:])
    both = replace(trials, columns={name: (*trials.columns[name], *cohorts.columns[name]) for name in trials.columns})
    words = " ".join(texts(picture(review.forest(), beside=(both,)).scene))
    assert "All: overall, by RoB 2 and ROBINS-I" in words
    assert "randomization process" not in words


def test_a_forest_says_heterogeneity_and_the_difference_of_its_subgroups():
    found = texts(picture(review.forest()).scene)
    assert "Heterogeneity: τ² = 0.309; Q = 152.23 (df = 12, P < 0.001); I² = 92%" in found
    assert "Test for subgroup differences: Q = 2.38 (df = 2, P = 0.30)" in found
    assert "(0.14 to 1.77)" in found
    assert found.count("Subtotal") == 3


def test_a_funnel_shows_what_was_filled_in():
    shown = picture(review.funnel())
    assert "Rings: studies filled in" in shown.caption
    assert "with those filled in it is 0.52" in shown.alternative


# -- exploration -------------------------------------------------------------------------------------------------------


def test_a_study_left_out_is_a_row():
    shown = picture(review.series("leave-one-out"), beside=(review.forest(),))
    found = texts(shown.scene)
    assert "Dashed: with all studies." in shown.caption
    assert "Studies" not in found  # the same number in every row
    assert "0.45 (0.33 to 0.62)" in found
    assert "Dashed" not in picture(review.series("leave-one-out")).caption
    assert "Studies" in texts(picture(review.series("cumulative")).scene)


def test_an_influential_study_is_bold_and_named():
    shown = table(review.influence())
    assert [row.cells[0].text for row in shown.rows if row.strong] == ["Hart & Sutherland 1977"]
    baujat = picture(review.influence())
    assert "Hart & Sutherland 1977" in texts(baujat.scene)
    assert "Most influence: Hart & Sutherland 1977." in baujat.alternative


def test_subsets_stand_in_two_panels():
    shown = picture(review.gosh())
    found = texts(shown.scene)
    assert "With Hart & Sutherland 1977 (n = 4095)" in found
    assert "Without Hart & Sutherland 1977 (n = 4083)" in found
    alone = review.gosh()
    alone = replace(alone, columns={**alone.columns, "study": [None] * 8178, "without": [None] * 8178})
    assert "All subsets (n = 8178)" in texts(picture(alone).scene)


def test_a_moderator_has_a_line_and_disks_by_weight():
    shown = picture(review.bubble())
    assert shown.title == "Risk ratio by age: A1, In-hospital death."
    disks = [shape for shape in shown.scene.shapes if isinstance(shape, Path) and len(shape.points) == 33]
    assert len(disks) == 13
    assert "13 studies" in shown.alternative
    nothing = replace(review.bubble(), columns={**review.bubble().columns, "value": [None] * 33})
    assert parts(nothing) == []  # a moderator without numbers has no axis


# -- small studies, posteriors, sequences ------------------------------------------------------------------------------


def test_few_studies_are_a_warning():
    shown = table(review.tests())
    assert cells(shown)[1] == [
        "Egger's test, weighted regression", "8", "Slope of the standard error", "−1.42", "1.20", "t = −1.40, df = 11", "0.19",
    ]  # fmt: skip
    assert cells(shown)[3][3:] == ["2", EM_DASH, EM_DASH, EM_DASH]
    assert "Fewer than 10 studies" in notes(shown)
    enough = replace(review.tests(), columns={**review.tests().columns, "k": [13] * 4})
    assert "Fewer than" not in notes(table(enough))


def test_a_posterior_stands_on_the_scale_of_a_reader():
    shown = table(review.summary())
    assert cells(shown)[0] == ["half-normal (0.5)", "Pooled effect", "0.49 (0.34 to 0.70)", ">99.9%"]
    assert cells(shown)[2] == ["half-normal (0.5)", "Heterogeneity (τ)", "0.53 (0.32 to 0.88)", EM_DASH]
    assert [row.strong for row in shown.rows] == [True] * 3 + [False] * 6
    found = picture(review.posterior())
    assert "highest at 0.49" in found.alternative
    assert "highest at 0.53" in found.alternative
    assert "Prior" in texts(found.scene)
    assert shown.columns[-1].head.text == "Probability below 1"
    several = picture(review.posterior(("half-normal (0.5)", "uniform (0 to 4)")))
    assert "uniform (0 to 4)" in " ".join(texts(several.scene))


def test_probabilities_are_below_what_was_asked():
    made = review.summary()
    asked = replace(make_result(), blocks=(made,), details={"A1": {"death_hospital.below": 0.9}})
    (shown,) = RENDERERS[made.kind](context(result=asked), made)
    assert shown.columns[-1].head.text == "Probability below 0.9"


def test_a_risk_difference_stands_in_points_with_its_heterogeneity():
    made = review.summary()
    points = {**made.columns, "measure": ["risk difference"] * 9}
    points |= {name: [value / 10 for value in made.columns[name]] for name in ("median", "low", "high")}
    rows = cells(table(replace(made, columns=points)))
    assert rows[0][2] == "4.9 (3.4 to 7.0)"
    assert rows[2][2] == "5.30 (3.20 to 8.80)"
    density = review.posterior()
    drawn = picture(
        replace(density, columns={**density.columns, "measure": ["proportion"] * len(density.columns["value"])})
    )
    assert "Proportion on the scale of estimation" in " ".join(texts(drawn.scene))
    assert "highest at −0.70" in drawn.alternative


def test_a_sequence_says_which_boundary_was_crossed():
    shown = picture(review.sequential())
    assert "Required information, 520,000" in " ".join(texts(shown.scene))
    assert "A monitoring boundary was crossed with" in shown.alternative
    assert "Below zero: favors IABP after ECMO." in shown.caption
    rows = [list(row.values()) for row in review.sequential().rows()]
    for row in rows:
        row[3] = None if row[3] is None else 0.1
    assert "No monitoring boundary was crossed." in picture(block("A1.death_hospital.sequential", rows)).alternative


def test_a_boundary_enters_the_plot_at_its_edge():
    scene = picture(review.sequential()).scene
    dashed = [shape for shape in scene.shapes if isinstance(shape, Path) and shape.dash == (5, 2)]
    top = min(y for shape in dashed for _, y in shape.points)
    assert sum(shape.points[0][1] == pytest.approx(top) for shape in dashed) == 1
    assert not any(
        y == pytest.approx(top) for shape in dashed for _, y in shape.points[1:]
    )  # it does not run along the edge


# -- networks ----------------------------------------------------------------------------------------------------------


def test_a_league_table_has_both_triangles():
    shown = table(review.league(), beside=(review.ranking(),))
    rows = cells(shown)
    order = [row[0] for row in rows]
    assert order[0] == "Rosiglitazone"
    assert [rows[k][k + 1] for k in range(len(rows))] == order
    placebo, metformin = order.index("Placebo"), order.index("Metformin")
    assert rows[placebo][metformin + 1] == "−0.12 (−0.42 to 0.18)"  # network, turned around
    assert rows[metformin][placebo + 1] == "0.12 (−0.28 to 0.52)"  # direct
    sitagliptin = order.index("Sitagliptin")
    assert rows[metformin][sitagliptin + 1] == EM_DASH
    assert shown.wide


def test_a_ratio_is_turned_around_by_division():
    made = block(
        "A1.death_hospital.league-table", [("B", "A", "odds ratio", "network", 2.0, 1.0, 4.0, None, None, 0.05, 3)]
    )
    assert cells(table(made)) == [["B", "B", EM_DASH], ["A", "0.50 (0.25 to 1.00)", "A"]]


def test_many_treatments_are_a_list():
    shown = table(review.league(tuple(f"T{k}" for k in range(12))))
    assert [column.head.text for column in shown.columns][:3] == ["Comparison", "Evidence", "Studies"]
    assert len(shown.rows) == 132


def test_direct_and_indirect_evidence_are_compared():
    shown = table(review.splitting())
    assert cells(shown)[0] == [
        "Placebo vs Metformin",
        "4",
        "70%",
        "0.80",
        "0.78",
        "0.90",
        "0.87 (0.50 to 1.40)",
        "0.55",
    ]
    assert shown.columns[6].head.text == "Ratio of odds ratios (95% CI)"
    designs = table(review.decomposition())
    assert [row.strong for row in designs.rows] == [True, True, False, False, False, True]


# -- extraction, bias, certainty ---------------------------------------------------------------------------------------


def test_unused_rows_say_why():
    used, unused = (table(review.effect_sizes(), number=k) for k in (0, 1))
    assert cells(used)[0] == [
        "Aronson 1948",
        "random",
        "counts",
        "4/123",
        "11/139",
        "0.41 (0.13 to 1.26)",
        "Table 2, p. 100",
    ]
    assert used.columns[5].head.text == "Risk ratio (95% CI)"
    assert used.rows[2].cells[0].notes == ("a",)
    assert ("a", "0.5 added to each cell.") in [(note.mark, note.text) for note in used.footnotes]
    assert cells(unused) == [["Levine 1948", "16", "P value", "No number of patients is printed"]]


def test_measures_that_differ_stand_in_their_rows():
    made = review.effect_sizes()
    mixed = ["odds ratio", *made.columns["measure"][1:]]
    shown = table(replace(made, columns={**made.columns, "measure": mixed}))
    assert cells(shown)[0][5] == "odds ratio 0.41 (0.13 to 1.26)"


def test_agreement_and_differences():
    assert cells(table(review.agreement()))[0] == ["Events 1", "13", "12", "92.3", "0.92 (0.76 to 1.00)"]
    assert cells(table(review.discrepancy())) == [
        ["Hart & Sutherland 1977, in-hospital death", "Events 1", "62", "61", "62"],
        ["Comstock 1976", "Arm 2", EM_DASH, "No vaccine", "No vaccine"],
    ]


def test_stars_are_a_table_without_a_sum():
    made = review.bias(tool="newcastle-ottawa")
    stars = [None if domain == "overall" else str(k % 4) for k, domain in enumerate(made.columns["domain"])]
    shown = table(replace(made, columns={**made.columns, "judgment": stars}))
    assert [column.head.text for column in shown.columns] == ["Study", *review.DOMAINS]
    assert cells(shown)[0] == ["Aronson 1948", "0", "1", "2", "3", "0"]
    assert picture(made).title == "Risk of bias (Newcastle-Ottawa scale): A1, In-hospital death."


def test_outcomes_that_are_judged_alike_share_their_lights():
    one, alike = review.bias(), review.bias(outcome="bleeding")
    same = replace(one, columns={name: (*one.columns[name], *alike.columns[name]) for name in one.columns})
    assert len(parts(same)) == len(parts(one)) == 2
    levels = (*one.columns["level"], *("low" for _ in alike.columns["level"]))
    assert len(parts(replace(same, columns={**same.columns, "level": levels}))) == 4


def test_a_proportion_has_no_straight_limits_and_favors_nobody():
    made = review.funnel()
    rows = {
        **made.columns,
        "measure": ["proportion"] * 15,
        "estimate": [0.1 + 0.04 * k for k in range(15)],
        "pooled": [0.4] * 15,
    }
    shown = picture(replace(made, columns=rows))
    assert "Standard error on the scale of estimation" in texts(shown.scene)
    assert "95% pseudo confidence limits" not in texts(shown.scene)
    forest = review.forest(subgroups=False)
    single = picture(
        replace(forest, columns={**forest.columns, "measure": ["proportion"] * len(forest.columns["study"])})
    )
    assert not any(text.startswith("Favors") for text in texts(single.scene))


def test_reasons_of_judgments_are_a_table():
    assert not [part for part in parts(review.bias()) if isinstance(part, Table)]
    shown = table(review.bias(support="sealed envelopes"))
    assert cells(shown)[0] == ["Aronson 1948"]
    assert cells(shown)[1][2] == "sealed envelopes"


def test_findings_are_per_thousand_and_wait_for_their_judges():
    shown = table(review.findings())
    assert cells(shown)[0] == [
        "In-hospital death", "357,347 (13 studies)", "25", "12 (9 to 18)", "13 fewer (16 to 8 fewer)", "risk ratio 0.49 (0.35 to 0.70)",
        "⊕⊕⊕⊝ Moderate",
    ]  # fmt: skip
    assert cells(shown)[2][2:5] == [EM_DASH] * 3
    assert cells(shown)[2][-1] == "To be judged"
    assert "nothing was filled in" in notes(shown)


@pytest.mark.parametrize(
    ("level", "signs"),
    [("high", "⊕⊕⊕⊕ High"), ("very low", "⊕⊝⊝⊝ Very low"), (None, "To be judged"), ("", "To be judged")],
)
def test_signs_of_certainty(level, signs):
    assert certainty_signs(level) == signs


def test_a_judgment_that_is_blank_is_asked_for():
    rows = cells(table(review.certainty()))
    assert rows[1][2:4] == ["One level down", "Not downgraded"]
    assert rows[3][1:4] == [EM_DASH, EM_DASH, "Asked for"]
    assert "have not judged this yet" in notes(table(review.certainty()))


def test_widths_of_print():
    for name, width in (("one-column", ONE_COLUMN), ("two-column", TWO_COLUMNS)):
        for made in (review.network(), review.gosh(), review.posterior(), review.bias()):
            assert picture(made, width=name).scene.width == pytest.approx(width)
