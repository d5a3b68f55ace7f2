import re
from dataclasses import replace

import pytest

from counterpulse.protocol.plan import PlannedSelection
from counterpulse.protocol.plan_on_disk import plan_to_json
from counterpulse.report import numbers
from counterpulse.report.before_data.files import to_format
from counterpulse.report.before_data.placeholders import Placeholders, numeric
from counterpulse.report.before_data.shells import MARK, compose_shells
from counterpulse.report.before_data.skeleton import UNIT, skeleton
from counterpulse.report.chapters.order import compose
from counterpulse.report.document import Figure, Table, blocks_of
from counterpulse.report.figures.scene import Text
from counterpulse.report.number_styles import STYLES
from counterpulse.results import Block, Interval, Status

NUMBER = re.compile(r"\d")
PLANNED = ("age is at least 18 years", "Death within 30 days", "1.00 (reference)")
"""Cells whose numbers are the protocol's."""


@pytest.fixture(scope="module")
def rehearsed(result, plan):
    return replace(result, plan=plan_to_json(plan))


@pytest.fixture(scope="module")
def shells(rehearsed):
    return compose_shells(rehearsed)


def tables(document):
    return [block for block in blocks_of(document.sections) if isinstance(block, Table)]


def figures(document):
    return [block for block in blocks_of(document.sections) if isinstance(block, Figure)]


def test_the_same_tables_and_figures_as_the_report_under_the_same_numbers(shells, rehearsed, plan):
    results = [
        section
        for section in compose(replace(rehearsed, data_kind="real"), plan).sections
        if section.id in ("participants", "baseline", "description", "results")
    ]
    report = [(block.id, block.label, block.title) for block in blocks_of(results) if isinstance(block, Table | Figure)]
    assert [(b.id, b.label, b.title) for b in blocks_of(shells.sections) if isinstance(b, Table | Figure)] == report


def test_no_number_of_the_rehearsal_is_printed(shells):
    for table in tables(shells):
        for row in table.rows:
            for cell in row.cells[1:]:
                assert cell.text in PLANNED or not NUMBER.search(cell.text), (table.id, cell.text)
                assert cell.result is None
        for column in table.columns:
            assert not NUMBER.search(column.head.text.replace("95% CI", "")), column.head.text
    for figure in figures(shells):
        texts = [shape.text for shape in figure.scene.shapes if isinstance(shape, Text)]
        said = " ".join([*texts, figure.caption, figure.alternative])
        assert str(UNIT) not in said.replace(",", "")
        assert not re.search(r"\b(832|4648|5480|399|2451)\b", said), figure.id


def test_nothing_of_the_rehearsal_is_left_in_any_format(shells):
    page = to_format(shells, ".html").decode()
    for number in ("0.823", "0.82", "832", "4648", "5,480", "61.2", "48.0%", "1117", "1,117"):
        assert f">{number}" not in page
    assert page.count(MARK) >= 1


def test_table_one_has_its_rows_and_placeholders(shells):
    table = next(table for table in tables(shells) if table.id == "table-1")
    cells = {row.cells[0].text.split(",")[0]: [cell.text for cell in row.cells[1:4]] for row in table.rows}
    assert cells["Age"] == ["xx.x (xx.x)"] * 3
    assert cells["Male"] == ["xx (xx.x%)"] * 3
    assert all("xx" in column.head.text for column in table.columns[1:4])


def test_effects_are_placeholders_also_where_a_fit_failed_or_a_forest_is_drawn(shells):
    summary = next(table for table in tables(shells) if table.id == "all-analyses")
    effects = [row.cells[-2].text for row in summary.rows if len(row.cells) > 1]
    assert len(effects) >= 4
    assert all(text.startswith(("x.xx (", "xx.x (")) for text in effects)
    assert all(row.cells[-1].text in ("x.xxx", "—") for row in summary.rows if len(row.cells) > 1)
    said = [note.text for table in tables(shells) for note in table.footnotes]
    assert not {status.text for status in Status if status.text} & set(said)


def test_curves_have_axes_and_counts_and_no_curve(shells):
    curve = next(figure for figure in figures(shells) if figure.id.startswith("curve-"))
    texts = [shape.text for shape in curve.scene.shapes if isinstance(shape, Text)]
    assert {"0", "10", "20", "30", "xx"} <= set(texts)
    assert {"IABP after ECMO", "ECMO only"} <= set(texts)
    assert all(isinstance(shape, Text) or len(shape.points) <= 12 for shape in curve.scene.shapes)


def test_the_forest_has_its_strata_and_no_estimate(shells):
    forest = next(figure for figure in figures(shells) if figure.id.startswith("subgroups-"))
    texts = [shape.text for shape in forest.scene.shapes if isinstance(shape, Text)]
    assert {"Male", "Female", "<65", "≥65"} <= set(texts)
    assert sum(text.startswith("x.xx (") for text in texts) == 5
    assert "Not estimable" not in texts


def test_the_flow_has_every_box(shells):
    flow = next(figure for figure in figures(shells) if figure.id == "flow")
    words = " ".join(shape.text for shape in flow.scene.shapes if isinstance(shape, Text))
    for part in ("Records read", "Aged 18 years or older", "Pregnant", "Eligible", "IABP after ECMO"):
        assert part in words
    assert "xx" in words


def test_only_tables_and_figures_and_a_word_about_them(shells):
    assert shells.mark == MARK
    assert shells.sections[0].id == "about"
    assert not shells.front
    assert not shells.references
    for block in blocks_of(shells.sections[1:]):
        assert isinstance(block, Table | Figure)
    assert ("Records read", "5,612") not in shells.facts


def test_what_only_the_data_select_is_left_out(rehearsed, plan):
    selected = replace(plan.analyses[0], selection=PlannedSelection(method="stepwise", candidates=("age", "sex")))
    changed = replace(plan, analyses=(selected, *plan.analyses[1:]))
    rows = skeleton(rehearsed, changed).estimates
    assert not [row for row in rows if row.analysis == "A1" and row.role == "covariate"]
    assert [row for row in rows if row.analysis == "A1"]
    path = Block(
        id="A1.path", analysis="A1", kind="selection-path",
        columns={"step": [1, 2], "action": ["enter", "enter"], "term": ["age", "sex"], "statistic": [9.0, 5.0], "df": [1.0, 1.0],
                 "p_value": [0.001, 0.02], "criterion": [None, None]},
    )  # fmt: skip
    (block,) = skeleton(replace(rehearsed, blocks=(path,)), changed).blocks
    assert block.columns["term"] == ["…"]


def test_values_that_could_not_be_had_are_placeholders_too(rehearsed):
    def unbounded(row):
        low = Interval(float("-inf"), float("inf"), 0.95, "log")
        return replace(row, estimate=replace(row.estimate, value=float("nan"), interval=low, status=Status.NOT_REACHED))

    odd = replace(rehearsed, estimates=tuple(map(unbounded, rehearsed.estimates)))
    for table in tables(compose_shells(odd)):
        for row in table.rows:
            assert not {"Not reached", "Not estimable"} & {cell.text for cell in row.cells}


@pytest.mark.parametrize("name", STYLES)
def test_placeholders_in_the_signs_of_each_style(name):
    style = STYLES[name]
    holders = Placeholders(style)
    mark = style.decimal_mark
    effect = holders.effect("odds ratio")
    assert effect.startswith(f"x{mark}xx (")
    assert not NUMBER.search(effect)
    assert holders.p == f"{'x' if style.p.leading_zero else ''}{mark}xxx"
    assert not NUMBER.search(holders.of(numbers.mean_sd(61.23, 11.75, 1, style)))
    assert not NUMBER.search(holders.of(numbers.median_quartiles(6.4, 3.2, 10.15, 1, style)))
    assert holders.of(numbers.count(4648, style)) == "xx"


@pytest.mark.parametrize(
    ("words", "masked"),
    [
        ("12 (3.4%)", "xx (xx.x%)"),
        ("4,648/5,480 (84.8%)", "xx/xx (xx.x%)"),
        ("0.82 (0.61-1.10)", "x.xx (x.xx-x.xx)"),
        ("−4.6 (−8.8 to −0.3)", "xx.x (xx.x to xx.x)"),
        ("<0.001", "<x.xxx"),
        ("NA", "NA"),
    ],
)
def test_cells_of_numbers(words, masked):
    assert Placeholders(STYLES["plain"]).of(words) == masked


@pytest.mark.parametrize(
    "words", ["up to 30 days", "95% CI", "99.8% control limits", "Aged 18 years or older", "SCAI stage 3", "in 2023"]
)
def test_planned_numbers_stay(words):
    assert not numeric(words)
    assert Placeholders(STYLES["plain"]).among_words(words) == words


def test_the_same_shells_twice(rehearsed, shells):
    again = compose_shells(rehearsed)
    for suffix in (".html", ".docx", ".pdf"):
        assert to_format(again, suffix) == to_format(shells, suffix)
