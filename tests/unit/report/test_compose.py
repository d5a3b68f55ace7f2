from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from test_html import read

from counterpulse.errors import UsageError
from counterpulse.report import compose, render_html, write_report
from counterpulse.report.document import Callout, Figure, Paragraph, Table, blocks_of
from counterpulse.report.figures.svg import to_svg
from counterpulse.report.number_styles import STYLES

ONE_AND_A_HALF_MEGABYTES = 1_500_000
EXPONENT = 1e-15  # log and exp, each correct to one unit in the last place


@pytest.fixture(scope="module")
def document(plan, result):
    return compose(result, plan)


def drawn(figure):
    return to_svg(figure.scene, prefix=figure.id)


def block(document, id_):
    return next(item for item in blocks_of(document.sections) if getattr(item, "id", None) == id_)


def key(document):
    box = next(item for item in document.front if isinstance(item, Callout) and item.kind == "key-result")
    return [paragraph.text for paragraph in box.blocks if isinstance(paragraph, Paragraph)]


def cells(table):
    return [[cell.text for cell in row.cells] for row in table.rows]


def test_the_key_result(document):
    assert key(document) == [
        "In-hospital death occurred in 399 of 832 patients (IABP after ECMO, 48.0%) and 2451 of 4648 patients (ECMO only, "
        "52.7%). Odds ratio for IABP after ECMO versus ECMO only (adjusted; conditional on the covariates, in all patients analyzed): "
        "0.82 (95% CI 0.69 to 0.99); P = 0.04.",
        "The 95% CI reaches from 31% lower to 1% lower odds.",
        "On other scales: marginal risk difference −4.6 percentage points (95% CI −8.8 to −0.3); marginal risk ratio 0.914 "
        "(95% CI 0.839 to 0.996).",
        "Groups were not formed by chance: the estimate is an effect only as far as the adjustment captures confounding.",
    ]  # fmt: skip


def test_an_interval_across_the_null_is_never_no_difference(plan, result):
    rows = tuple(
        replace(row, estimate=replace(row.estimate, value=0.0, interval=replace(row.estimate.interval, low=-0.2, high=0.3), p_value=0.8))
        if row.id == "A1.death_hospital.iabp.odds-ratio" else row
        for row in result.estimates
    )  # fmt: skip
    said = key(compose(replace(result, estimates=rows), plan))
    assert (
        said[1]
        == "The 95% CI reaches from 18% lower to 35% higher odds: the data are compatible with effects in both directions."
    )
    page = render_html(compose(replace(result, estimates=rows), plan)).lower()
    for forbidden in ("no difference", "not significant", "non-significant", "p = ns"):
        assert forbidden not in page


def test_table_one(document):
    table = block(document, "table-1")
    assert table.label == "Table 1"
    assert [column.head.text for column in table.columns] == [
        "Characteristic", "IABP after ECMO\n(n = 832)", "ECMO only\n(n = 4648)", "All\n(n = 5480)", "Missing", "SMD", "P value",
    ]  # fmt: skip
    assert cells(table) == [
        ["Age, years, mean (SD)", "61.2 (11.8)", "60.9 (11.8)", "60.9 (11.8)", "0", "0.03", "0.41"],
        ["Sex", "", "", "", "0", "0.01", "0.77"],
        ["Male", "593 (71.3%)", "3290 (70.8%)", "3883 (70.9%)", "", "", ""],
        ["Female", "239 (28.7%)", "1358 (29.2%)", "1597 (29.1%)", "", "", ""],
        ["Diabetes", "208/829 (25.1%)", "1162/4645 (25.0%)", "1370/5477 (25.0%)", "3", "0.00", ">0.99"],
        [
            "Lactate, mmol/L, median (Q1–Q3)",
            "6.4 (3.2–10.2)",
            "6.4 (3.2–10.2)",
            "6.4 (3.2–10.2)",
            "12",
            "0.11",
            "<0.001",
        ],
    ]
    notes = [f"{note.mark}|{note.text}" for note in table.footnotes]
    assert notes[0].startswith(
        "|Abbreviations: ECMO, extracorporeal membrane oxygenation; IABP, intra-aortic balloon pump; SD, standard"
    )
    assert notes[1] == (
        "|Values are n (%) or n/N (%) unless the row says otherwise. Percentages are of the patients with a known value."
    )
    assert "the square root of the mean of the groups' variances" in notes[2]
    assert notes[-3:] == ["a|Welch t test.", "b|Pearson chi-squared test.", "c|Mann-Whitney test."]


def test_the_comparison_in_every_analysis(document):
    rows = cells(block(document, "all-analyses"))
    assert rows[1][-3:] == ["Adjusted odds ratio", "0.82 (0.69 to 0.99)", "0.04"]
    assert rows[3][-3:] == ["Unadjusted risk difference, percentage points", "−4.8 (−8.5 to −1.0)", "0.01"]
    assert rows[-1][-2:] == ["Not estimable", "—"]


def test_a_failed_estimate_says_why(document):
    table = block(document, "all-analyses")
    row = next(row for row in table.rows if row.cells[0].text.startswith("A6"))
    (mark,) = row.cells[-2].notes
    words = next(note.text for note in table.footnotes if note.mark == mark)
    assert words.startswith("A covariate (or a combination) predicts the outcome perfectly")


def test_a_median_that_is_not_reached(document):
    printed = [row[-2] for row in cells(block(document, "estimates-A3"))[1:]]
    assert printed == ["−3.1 (−7.2 to 1.0)", "Not reached (28 to NE)", "—"]


def test_subgroups_have_one_test_a_variable_and_no_p_value_a_stratum(document):
    rows = cells(block(document, "subgroups-A1-death_hospital-iabp-table"))
    assert [row[-1] for row in rows] == ["", "0.41", "", "", "0.73", "", ""]
    assert [row[0] for row in rows] == ["All patients", "Age, years", "<65", "≥65", "Sex", "Male", "Female"]


def test_the_flow_adds_up(document):
    words = block(document, "flow").alternative
    assert (
        "Not in the primary analysis: 24, Not followed to the landmark at 24 hours: 15, A value of the model is missing: 9"
        in words
    )
    assert words.endswith("IABP after ECMO: 832. ECMO only: 4648.")


def test_every_estimate_is_printed_with_its_result(document, result):
    page = read(render_html(document))
    ids = {row.id for row in result.estimates if row.estimate.measure != "interaction"}
    assert ids <= set(page.results)


def test_tables_and_figures_are_numbered_in_order(document):
    labels = [item.label for item in blocks_of(document.sections) if isinstance(item, Table | Figure)]
    for start in ("Table S", "Figure ", "Table "):
        own = [label for label in labels if label.startswith(start) and label.removeprefix(start).isdigit()]
        assert own == [f"{start}{k}" for k in range(1, len(own) + 1)]


def test_citations_arrive_in_order(document):
    numbers = [work.number for work in document.references]
    assert numbers == list(range(1, len(numbers) + 1))
    reader = read(render_html(document))
    assert {f"reference-{number}" for number in numbers} <= set(reader.ids)
    assert {link[1:] for link in reader.links if link.startswith("#")} <= set(reader.ids)
    assert len(reader.ids) == len(set(reader.ids))


def test_mock_data_say_so_everywhere(document):
    assert document.mark == "MOCK DATA: no patient behind these numbers"
    figures = [item for item in blocks_of(document.sections) if isinstance(item, Figure)]
    assert all("MOCK DATA" in drawn(figure) and "MOCK DATA" not in figure.caption for figure in figures)


def test_real_data_have_no_mark(plan, real_result):
    assert "MOCK" not in render_html(compose(real_result, plan))


@pytest.mark.parametrize("style", STYLES)
def test_every_style_composes(plan, result, style):
    page = render_html(compose(result, plan, style=style))
    assert len(page) < ONE_AND_A_HALF_MEGABYTES
    assert ("0·82" in page) == (style == "lancet")


def test_an_unknown_style_is_refused(plan, result):
    with pytest.raises(UsageError, match="number style 'nature'"):
        compose(result, plan, style="nature")


def test_a_study_without_groups_or_results(plan, result):
    bare = replace(result, flow=(), table_one=(), analyses=(), estimates=(), blocks=(), warnings=(), data_kind="real")
    alone = replace(plan, groups=(), group_variable=None, table_one=None, analyses=(), subgroups=None, criteria=())
    read(render_html(compose(bare, alone)))
    read(render_html(compose(result, alone)))


def test_digests_prove_identity_not_a_date(document):
    page = render_html(document)
    assert "A digest proves identity, not a date." in page
    assert "sha256:" + "c" * 64 in page


def test_files_are_the_same_twice(plan, result, document):
    first, second = (write_report(compose(result, plan), result, plan.protocol.report) for _ in range(2))
    assert first == second
    assert set(first) == {
        "report.html", "report.docx", "report.pdf", "figures/flow.svg", "figures/flow.png", "figures/curve-A3-death_30d-curve.svg",
        "figures/curve-A3-death_30d-curve.png", "figures/subgroups-A1-death_hospital-iabp.svg",
        "figures/subgroups-A1-death_hospital-iabp.png", "tables/table_one.csv", "tables/estimates.csv",
        "tables/A3-death_30d-curve.csv", "tables/A3-death_30d-at-risk.csv", "tables/A4-death_30d-zph.csv",
    }  # fmt: skip


def test_tables_as_csv_keep_full_precision_and_run_nothing(plan, result, document):
    evil = replace(result, table_one=tuple(replace(row, variable="=cmd()") for row in result.table_one))
    files = write_report(document, evil, plan.protocol.report)
    rows = list(csv.DictReader(io.StringIO(files["tables/estimates.csv"].decode("utf-8-sig"))))
    assert float(rows[0]["estimate"]) == pytest.approx(0.823, rel=EXPONENT)
    assert rows[0]["id"] == "A1.death_hospital.iabp.odds-ratio"
    first = next(csv.DictReader(io.StringIO(files["tables/table_one.csv"].decode("utf-8-sig"))))
    assert first["variable"] == "'=cmd()"


def test_labels_of_every_kind_print(plan, result):
    words = "<b>\"& 'x' =cmd 患者 😀 עברית " + "long " * 60
    groups = tuple(replace(group, label=words) for group in plan.groups)
    variables = {name: replace(variable, label=words) for name, variable in plan.variables.items()}
    outcomes = {name: replace(outcome, label=words) for name, outcome in plan.outcomes.items()}
    reader = read(render_html(compose(result, replace(plan, groups=groups, variables=variables, outcomes=outcomes))))
    assert "script" not in reader.tags


def test_three_groups_name_the_contrast(plan, result):
    third = replace(plan.groups[0], level="impella", label="Impella")
    rows = [replace(row, id=f"{row.id}.impella", estimate=replace(row.estimate, term="impella")) for row in result.estimates if row.estimate.term == "iabp"]  # fmt: skip
    document = compose(
        replace(result, estimates=(*result.estimates, *rows)), replace(plan, groups=(third, *plan.groups))
    )
    first_cells = [row[0] for row in cells(block(document, "all-analyses"))]
    assert "A1. In-hospital death, adjusted; Impella vs ECMO only" in first_cells
    assert "A1. In-hospital death, adjusted; IABP after ECMO vs ECMO only" in first_cells
    assert (
        block(document, "subgroups-A1-death_hospital-impella").title
        == "Subgroups: In-hospital death: Impella vs ECMO only."
    )
    assert len(key(document)) == 6


def test_warnings_name_no_directory(plan, result):
    warning = replace(result.warnings[0], where="C:\\Users\\somebody\\study/protocol.yaml:3:4")
    page = render_html(compose(replace(result, warnings=(warning,)), plan))
    assert "somebody" not in page
    assert "protocol.yaml:3:4" in page


def test_nejm_gives_secondary_outcomes_intervals_only(plan, result):
    document = compose(result, plan, style="nejm")
    rows = {row[0]: row[-1] for row in cells(block(document, "all-analyses")) if len(row) > 1}
    assert rows["A1. In-hospital death, adjusted"] == "0.04"
    assert rows["A4. Death within 30 days: Cox regression"] == "—"
    assert any("No P value" in note.text for note in block(document, "all-analyses").footnotes)
    assert "P =" not in drawn(block(document, "curve-A3-death_30d-curve"))


def test_annals_has_no_p_values_in_table_one(plan, result):
    table = block(compose(result, plan, style="annals"), "table-1")
    assert [column.head.text for column in table.columns][-1] == "SMD"
    assert not any(note.mark for note in table.footnotes)
