"""What a review tells beside its analyses: its studies, the summary of findings, how certain the evidence is."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.report.chapters.blocks.kinds import CERTAINTY, FINDINGS, STUDIES
from counterpulse.report.chapters.blocks.renderers import rendered_kinds
from counterpulse.report.chapters.context import Context
from counterpulse.report.document import Section


def studies_section(context: Context) -> Section | None:
    """The studies: how biased they may be, what they printed, where two extractors differed."""
    return _section(context, "studies", "Studies", STUDIES)


def findings_section(context: Context) -> Section | None:
    """The summary of findings."""
    return _section(context, "findings", "Summary of findings", (FINDINGS,))


def certainty_section(context: Context) -> Section | None:
    """The domains of GRADE."""
    return _section(context, "certainty", "Certainty of the evidence", (CERTAINTY,))


def _section(context: Context, id_: str, title: str, kinds: Sequence[str]) -> Section | None:
    """The blocks of some kinds, whatever analysis they are of; nothing where there is none."""
    blocks = rendered_kinds(context, kinds)
    return Section(id=id_, title=title, blocks=tuple(blocks)) if blocks else None
