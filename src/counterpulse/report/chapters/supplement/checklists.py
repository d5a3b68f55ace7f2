"""Reporting checklists: each item of a guideline, where this report answers it, and what the researcher must still write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from counterpulse.protocol.plan import Plan
from counterpulse.protocol.reporting import guidelines_of
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.supplement.places import linked, places_of
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.checklists.answering import Answered, answer_items
from counterpulse.report.checklists.evidence import Evidence
from counterpulse.report.checklists.guideline import read_guideline
from counterpulse.report.document import Block, Cell, Paragraph, Row, Run, Section, Table, columns_of, text
from counterpulse.report.number_styles import EM_DASH

PARAPHRASE = (
    "The items are in our own words and in the numbering of the original statement, which is to be read and, where a journal "
    "asks for it, submitted. A place named here is where an item is addressed; whether that is enough is for the authors to judge."
)


def checklist_sections(context: Context, sections: Sequence[Section]) -> tuple[Section, ...]:
    """One section with a checklist for each guideline; none where the protocol names only guidelines that are not known."""
    study = context.plan.protocol.study
    names = guidelines_of(study.reporting, study.design)
    if not names:
        return ()
    blocks: list[Block] = [text(PARAPHRASE)]
    for name in names:
        blocks += checklist_blocks(name, context.plan, sections, label=context.counter.supplement())
    return (Section(id="checklists", title="Reporting checklists", blocks=tuple(blocks)),)


def checklist_blocks(
    name: str, plan: Plan, sections: Sequence[Section], *, label: str, only: Sequence[str] = ()
) -> list[Block]:
    """The summary and the table of one guideline, or of `only` some of its parts."""
    guideline = read_guideline(name)
    answers = [
        answer for answer in answer_items(name, Evidence(plan, sections)) if not only or answer.item.section in only
    ]
    rows: list[Row] = []
    known = places_of(sections)
    heading = ""
    for answer in answers:
        if answer.item.section != heading:
            heading = answer.item.section
            rows.append(Row((Cell(heading),), strong=True))
        rows.append(_row(answer, known))
    table = Table(
        id=f"checklist-{name.lower()}",
        label=label,
        title=f"{guideline.title}: where each item is answered",
        columns=columns_of(("Item", "What it asks for", "Where", "Still to write")),
        rows=tuple(rows),
        alternative=f"The items of {guideline.title}, each with the place that answers it and what is still to be written. {_counted(answers)}",
    )
    return [
        Paragraph((Run(f"{guideline.title}. ", "strong"), Run(f"{_counted(answers)} Original: {guideline.link}"))),
        table,
    ]


def _row(answer: Answered, known: Mapping[str, str]) -> Row:
    if answer.state == "not-applicable":
        return Row(
            (Cell(answer.item.number), Cell(answer.item.words), Cell("Not applicable"), Cell(sentence(answer.remains)))
        )
    return Row(
        (
            Cell(answer.item.number),
            Cell(answer.item.words),
            linked(answer.where or EM_DASH, known),
            Cell(answer.remains or EM_DASH),
        )
    )


def _counted(answers: Sequence[Answered]) -> str:
    """How many items are answered, in part, not at all."""
    states = [answer.state for answer in answers]
    asked = len(states) - states.count("not-applicable")
    parts = [f"{states.count('answered')} of {asked} items are answered here", f"{states.count('partly')} in part"]
    parts.append(f"{states.count('to-write')} must still be written by the researcher")
    spared = states.count("not-applicable")
    return f"{', '.join(parts[:2])}, and {parts[2]}" + (
        f"; {spared} {'does' if spared == 1 else 'do'} not apply." if spared else "."
    )
