from __future__ import annotations

from dataclasses import replace

import pytest

from counterpulse.report import compose
from counterpulse.report.document import (
    Cell,
    Column,
    Document,
    Figure,
    Footnote,
    Paragraph,
    Reference,
    Row,
    Run,
    Section,
    Table,
    text,
)
from counterpulse.report.figures.scene import Path, Scene
from counterpulse.report.number_styles import STYLES
from counterpulse.report.proofreading import proofread

HEADS = (Column(Cell("Characteristic"), "left"), Column(Cell("IABP\n(n = 832)")), Column(Cell("P value")))
GLOSSARY = Footnote("", "Abbreviations: IABP, intra-aortic balloon pump.")
BOTH = Footnote("", "Abbreviations: IABP, intra-aortic balloon pump; SD, standard deviation.")
DEATH = Row((Cell("Death, n (%)"), Cell("399 (48.0%)"), Cell("0.04")))


def table(*rows, columns=HEADS, notes=(GLOSSARY,), label="Table 1"):
    return Table(id="t", label=label, title="Patients", columns=columns, rows=rows or (DEATH,), footnotes=notes)


def figure(caption, *shapes, label="Figure 1"):
    scene = Scene(width=10, height=10, title="", description="", shapes=shapes)
    return Figure(id="f", label=label, title="Curves", caption=caption, alternative="", scene=scene)


def document(*blocks, references=()):
    sections = (Section(id="s", title="Results", blocks=blocks),)
    return Document(title="A", subtitle="B", facts=(), sections=sections, references=references)


def row(*cells, **more):
    return Row(tuple(Cell(cell) for cell in cells), **more)


CASES = {
    "a mark without a note": table(Row((Cell("Death"), Cell("399", notes=("a",)), Cell("0.04")))),
    "a note without a mark": table(notes=(GLOSSARY, Footnote("a", "Welch t test."))),
    "two notes of one mark": table(
        Row((Cell("Death", notes=("a",)), Cell("399"), Cell("0.04"))), notes=(GLOSSARY, Footnote("a", "One."), Footnote("a", "Two."))
    ),
    "notes out of order": table(
        Row((Cell("Death", notes=("b",)), Cell("399", notes=("a",)), Cell("0.04"))),
        notes=(GLOSSARY, Footnote("a", "One."), Footnote("b", "Two.")),
    ),
    "an abbreviation not listed": table(notes=()),
    "an abbreviation listed but not used": table(
        notes=(Footnote("", "IABP=intra-aortic balloon pump; SMD=standardized mean difference."),)
    ),
    "a percentage that does not follow from its counts": table(row("Death", "399/832 (47.0%)", "0.04")),
    "a percentage that does not follow from the size of its group": table(row("Death, n (%)", "399 (49.1%)", "0.04")),
    "a P value is never nought nor NS": table(row("Death", "399", "0.000")),
    "an empty column": table(row("Death", "—", "0.04")),
    "an empty row": table(row("", "", ""), DEATH),
    "a heading with nothing under it": table(DEATH, row("Outcomes", strong=True)),
    "a table without rows": replace(table(), rows=()),
    "the caption speaks of a pale area that is not drawn": figure("Shaded: 95% CI."),
    "the caption speaks of a dashed line that is not drawn": figure("Dashed: chance.", Path(points=((0, 0), (1, 1)))),
    "a verdict without an interval": text("There was no difference between the groups."),
    "left over from a program": text("The value is None in both."),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
def test_a_planted_error_is_found(what):
    assert what in {remark.what for remark in proofread(document(CASES[what]))}


def test_what_is_right_is_left_alone():
    words = (
        "The odds ratio was 0.98 (95% CI 0.60 to 1.60); there was no difference that the interval could exclude.",
        "None of the patients crossed over. The infinite is not meant by information.",
        "P = 0.04 and P < 0.001.",
    )
    fine = (
        table(
            DEATH,
            row("Few, n (%)", "1 (0.1%)", "—"),
            row("Age, years, mean (SD)", "61 (12)", "0.41"),
            row("Site", "", ""), row("One", "1/9 (11%)", "", indent=1), row("Rare", "3/5480 (<0.1%)", "", indent=1),
            notes=(BOTH,),
        ),
        table(row("Lancet", "12\N{NARROW NO-BREAK SPACE}345/24\N{NARROW NO-BREAK SPACE}690 (50·0%)", "0·04"), label="Table 2"),
        figure("Shaded: 95% CI. Dashed: chance.", Path(points=((0, 0),), fill="#000", opacity=0.2), Path(points=((0, 0),), dash=(2, 2))),
        *(text(sentence) for sentence in words),
        Paragraph((Run("knots: {at: [1, 2]}", "code"),)),
    )  # fmt: skip
    assert proofread(document(*fine)) == ()


@pytest.mark.parametrize(
    ("cell", "wrong"),
    [("1/8 (13%)", 0), ("1/8 (12%)", 1), ("1/8 (12.5)", 0), ("2/3 (66.7)", 0), ("2/3 (66.6)", 1), ("0/12 (0)", 0), ("12/12 (100)", 0),
     ("5479/5480 (>99.9)", 0), ("5470/5480 (>99.9)", 1), ("3/0 (0)", 1), ("—/12", 0), ("8/—", 0)],
)  # fmt: skip
def test_percentages_are_worked_out_again(cell, wrong):
    assert len(proofread(document(table(row("Death", cell, "0.04"))))) == wrong


def test_labels_are_unique_and_in_order():
    said = {
        (remark.place, remark.what) for remark in proofread(document(table(), table(), figure("", label="Figure 3")))
    }
    assert ("Table 1", "a label given twice") in said
    assert ("Figure", "numbers out of order or missing") in said


def test_citations_and_references_match():
    works = (Reference(1, "a", "A."), Reference(2, "b", "B."))
    cited = Paragraph((Run("As others did.", cites=(1, 3)),))
    said = [(remark.what, remark.seen) for remark in proofread(document(cited, references=works))]
    assert said == [("a citation without a reference", "3"), ("a reference never cited", "2")]


@pytest.mark.parametrize("style", STYLES)
def test_the_composed_report_is_clean(plan, real_result, style):
    assert proofread(compose(real_result, plan, style=style)) == ()
