"""The empty tables and figures of a study: what the report will hold, in its order and under its numbers, before there are data.

Nothing is composed twice: the report itself is made from a rehearsal without numbers, and of it the tables and figures stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from counterpulse.protocol.plan_on_disk import plan_from_json
from counterpulse.report.before_data.placeholders import Placeholders, empty_scene, empty_table
from counterpulse.report.before_data.skeleton import skeleton
from counterpulse.report.chapters.order import compose
from counterpulse.report.document import Block, Document, Figure, Section, Table, text
from counterpulse.report.number_styles import STYLES
from counterpulse.results import StudyResult

MARK = "SHELL: no data"
WITHOUT_DATA = (
    "reviewers", "methods", "limitations", "choices-section", "data-protection", "reproducibility", "checklists",
)  # fmt: skip
"""Sections whose tables are no results: they are as full before the data as after."""
WITH_AXES = ("flow", "curve-", "subgroups-")
EXPLAINED = (
    "These are the tables and figures of the report, empty. No data were read: rows, columns and their order follow from the "
    "protocol and the dictionary alone, and stand for planned output. xx is a count, x.x and x.xx are numbers with as many decimals "
    "as will be printed. Rows that only data can decide, such as selected covariates, are left open. A row appears in the report "
    "only if there are {subjects} for it."
)


def compose_shells(rehearsed: StudyResult) -> Document:
    """Compose the shells.

    Parameters
    ----------
    rehearsed : what a run on dummy patients found; it gives the rows and columns, and no number of it is printed
    """
    plan = plan_from_json(rehearsed.plan)
    empty = skeleton(rehearsed, plan)
    report = compose(empty, plan)
    holders = Placeholders(STYLES[plan.protocol.report.style])
    measures = {row.id: row.estimate.measure for row in empty.estimates}
    sections = tuple(_sections(report.sections, measures, holders))
    subjects = "studies" if plan.review is not None else "patients"
    planned = Section(id="about", title="About these shells", blocks=(text(EXPLAINED.format(subjects=subjects)),))
    return replace(
        report,
        subtitle=f"Tables and figures before data \N{MIDDLE DOT} {report.subtitle}",
        facts=(*_facts(report), ("Protocol digest", plan.protocol_digest)),
        sections=(planned, *sections),
        references=(),
        mark=MARK,
        front=(),
        colophon=report.colophon.replace("from the protocol", "from the protocol, before any data"),
    )


def _facts(report: Document) -> Iterator[tuple[str, str]]:
    yield from (
        fact for fact in report.facts if fact[0] in ("Registration", "Protocol version", "Protocol date", "Setting")
    )


def _sections(sections: Sequence[Section], measures: dict[str, str], holders: Placeholders) -> Iterator[Section]:
    for section in sections:
        if section.id in WITHOUT_DATA:
            continue
        inner = tuple(_sections(section.sections, measures, holders))
        blocks = tuple(
            _block(block, measures, holders) for block in section.blocks if isinstance(block, Table | Figure)
        )
        if blocks or inner:
            yield replace(section, blocks=blocks, sections=inner)


def _block(block: Table | Figure, measures: dict[str, str], holders: Placeholders) -> Block:
    if isinstance(block, Table):
        return empty_table(block, measures, holders)
    scene = empty_scene(block.scene, holders, axes=block.id.startswith(WITH_AXES))
    return replace(
        block, scene=scene, caption=f"{MARK}. {holders.among_words(block.caption)}", alternative=scene.description
    )
