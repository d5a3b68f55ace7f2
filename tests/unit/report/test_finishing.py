from __future__ import annotations

import pytest

from counterpulse.report.abbreviations import used
from counterpulse.report.chapters.finishing import finished_blocks, finished_table
from counterpulse.report.document import Callout, Cell, Column, Footnote, Listing, Paragraph, Row, Run, Table, text
from counterpulse.report.number_styles import STYLES

LONG = "A label of three hundred characters that says everything there is to say. " * 4


def made(**changes):
    table = {
        "id": "t",
        "label": "Table 1",
        "title": "Patients",
        "columns": (Column(Cell("Characteristic"), "left"), Column(Cell("IABP\n(n = 8)", notes=("head",))), Column(Cell("95% CI"))),
        "rows": (
            Row((Cell("Age"), Cell("60", notes=("late",)), Cell("50 to 70", notes=("first", "late")))),
            Row((Cell("Sex"), Cell("5", notes=("first",)), Cell("")), indent=1),
        ),
        "footnotes": (Footnote("late", "Late."), Footnote("", "Whole."), Footnote("first", "First."), Footnote("head", "Head.")),
    }  # fmt: skip
    return Table(**{**table, **changes})


@pytest.mark.parametrize(
    ("name", "marks"),
    [("plain", "abc"), ("jama", "abc"), ("jacc", "abc"), ("nejm", "*†‡"), ("lancet", "*†‡"), ("bmj", "*†‡"), ("annals", "*†‡")],
)  # fmt: skip
def test_marks_follow_the_reading_in_the_journals_signs(name, marks):
    table = finished_table(made(), STYLES[name])
    assert table.columns[1].head.notes == (marks[0],)
    assert table.rows[0].cells[1].notes == (marks[1],)
    assert table.rows[0].cells[2].notes == (marks[2], marks[1])
    assert [(note.mark, note.text) for note in table.footnotes if note.mark] == list(zip(marks, ("Head.", "Late.", "First."), strict=True))  # fmt: skip


@pytest.mark.parametrize(
    ("name", "notes"),
    [
        ("jama", ["Abbreviations: CI, confidence interval; IABP, intra-aortic balloon pump.", "Whole."]),
        ("nejm", ["Whole.", "CI denotes confidence interval, and IABP intra-aortic balloon pump."]),
        ("lancet", ["Whole.", "CI=confidence interval. IABP=intra-aortic balloon pump."]),
        ("bmj", ["Whole.", "CI=confidence interval; IABP=intra-aortic balloon pump."]),
        ("annals", ["Whole.", "CI = confidence interval; IABP = intra-aortic balloon pump."]),
    ],
)
def test_abbreviations_are_those_of_the_table_in_the_journals_order(name, notes):
    assert [note.text for note in finished_table(made(), STYLES[name]).footnotes if not note.mark] == notes


@pytest.mark.parametrize(
    ("words", "shorts"),
    [
        ("VA-ECMO or VV-ECMO", ["VA-ECMO", "VV-ECMO"]), ("ECMO", ["ECMO"]), ("95% CI", ["CI"]), ("CI, L/min/m2", []),
        ("HR, beats/min", []), ("HR (95% CI)", ["CI", "HR"]), ("To OR or not", []), ("SD of two", []), ("Age, mean (SD)", ["SD"]),
        ("mean ±SD", ["SD"]), ("28 (21 to NE)", ["NE"]), ("NA", ["NA"]), ("NA, mmol/L", []), ("median (IQR)", ["IQR"]),
        ("Intra-aortic balloon pump (IABP)", []), ("SCAI stage", ["SCAI"]), ("PCIx", []), ("Seen in ICU, not CICU", ["ICU"]),
    ],
)  # fmt: skip
def test_only_what_is_certain_is_an_abbreviation(words, shorts):
    assert sorted(used([words])) == shorts


def test_a_table_is_wide_by_its_content():
    style = STYLES["plain"]
    assert not finished_table(made(), style).wide
    columns = (Column(Cell("x"), "left"), *(Column(Cell(f"Group {k}\n(n = 1234)")) for k in range(12)))
    rows = tuple(Row((Cell(LONG), *(Cell("123 (45.6%)") for _ in range(12)))) for _ in range(40))
    assert finished_table(made(columns=columns, rows=rows, footnotes=()), style).wide
    assert not finished_table(made(rows=(Row((Cell(LONG), Cell("1"), Cell("2"))),), footnotes=()), style).wide


def test_a_table_without_rows_and_one_row_across():
    table = finished_table(made(rows=(), footnotes=()), STYLES["nejm"])
    assert table.alternative == "Patients. 0 rows and 3 columns: IABP (n = 8); 95% CI."
    assert finished_table(made(rows=(Row((Cell("Across"),)),), footnotes=()), STYLES["nejm"]).rows[0].cells == (
        Cell("Across"),
    )


def test_the_alternative_says_what_a_table_holds():
    columns = (Column(Cell("x"), "left"), *(Column(Cell(f"G{k}")) for k in range(9)))
    row = Row((Cell("only"), *(Cell(str(k)) for k in range(9))))
    table = finished_table(made(columns=columns, rows=(row,), footnotes=()), STYLES["plain"])
    assert table.alternative == "Patients. 1 row and 10 columns: G0; G1; G2; G3; G4; G5 and 3 more."
    assert finished_table(made(alternative="Said."), STYLES["plain"]).alternative == "Said."


def test_markup_in_words_is_left_as_it_is():
    evil = "<script>&amp; $x$ #set \\textbf{} =cmd() 患者 😀"
    table = finished_table(made(rows=(Row((Cell(evil), Cell(evil), Cell(evil))),), footnotes=(Footnote("", evil),)), STYLES["lancet"])  # fmt: skip
    assert table.rows[0].cells[0].text == evil
    assert table.footnotes[0].text == evil


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("plain", "P values; P < 0.05 to enter, P = 0.04."),
        ("jama", "P values; P~<~.05 to enter, P~=~.04."),
        ("nejm", "P values; P<0.05 to enter, P=0.04."),
        ("lancet", "p values; p<0·05 to enter, p=0·04."),
    ],
)
def test_p_values_in_sentences_follow_the_journal(name, words):
    blocks = (
        text("P values; P < 0.05 to enter, P = 0.04."),
        Listing((text("A P value"),)),
        Callout(kind="note", title="P", blocks=(Paragraph((Run("P values", "code"),)),)),
    )
    first, listing, box = finished_blocks(blocks, STYLES[name])
    assert first.text.replace("\N{NARROW NO-BREAK SPACE}", "~") == words
    assert listing.items[0].text == f"A {STYLES[name].p.letter} value"
    assert box.blocks[0].text == "P values"
