"""What `check` says of the rows of a review before anything is pooled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from counterpulse.errors import DataError
from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.results import Notice
from counterpulse.source import Finding, Location
from counterpulse.study.analyses import Setting, versions_of
from counterpulse.study.reviewing.agreement import agreement_blocks
from counterpulse.study.reviewing.answers.network import disconnected
from counterpulse.study.reviewing.columns import STUDY
from counterpulse.study.reviewing.extraction import of_rows
from counterpulse.study.reviewing.sample import NETWORK
from counterpulse.study.reviewing.screening import LOG, log_notices, screening_boxes, screening_notices

PLANNED = "W882"
"""What the protocol plans, and is told with the results."""
IN_TEXT = re.compile(r"\brow (\d+)")
REMEDIES = {
    "W853": "look whether it is the right one",
    "W854": "say `overlap`, or leave one out",
    "W855": "look with which studies it overlaps",
    "W856": "look whether they are one study, and delete the copy",
    "W875": "name both treatments",
    "W874": "compare the treatments of one part with `keep`, or add a study that joins them",
}


def row_findings(setting: Setting, analyses: Sequence[PlannedAnalysis]) -> tuple[Finding, ...]:
    """Rows that are odd or give no effect, studies that overlap, and networks in parts.

    Raises
    ------
    DataError : a study stands more than once in an analysis, with what is found of all of them
    """
    file = setting.table.file
    beside = [*_screening(setting), *agreement_blocks(setting.plan, setting.table)[1]]
    found, errors = list(of_rows(setting.cohort.frame, file)), list[Finding]()
    found += [Finding(code=item.code, where=Location(item.where), seen=item.text.rstrip(".")) for item in beside]
    for analysis in analyses:
        for name in analysis.outcomes:
            try:
                found += [_finding(notice, file) for notice in _of_sample(setting, analysis, name)]
            except DataError as error:
                errors += [item for item in error.findings if isinstance(item, Finding)]
    if errors:
        raise DataError([*dict.fromkeys(errors), *dict.fromkeys(found)])
    return tuple(dict.fromkeys(found))


def _screening(setting: Setting) -> Iterator[Notice]:
    """What of the screening does not add up."""
    screening, log = setting.plan.protocol.screening, setting.table.related.get(LOG)
    if screening is not None:
        yield from log_notices(log)
        yield from screening_notices(screening_boxes(screening, log), int(setting.cohort.frame[STUDY].n_unique()))


def _of_sample(setting: Setting, analysis: PlannedAnalysis, name: str) -> Iterator[Notice]:
    outcome = setting.plan.outcomes[name]
    for (made,), _ in versions_of(setting, analysis, outcome, (setting.cohort,)):
        yield from (notice for notice in made.notices if notice.code != PLANNED)
        if analysis.method == NETWORK:
            yield from disconnected(setting.plan, analysis.id, outcome.label, made.sample.frame)


def _finding(notice: Notice, file: str) -> Finding:
    """A notice at the first row that it names; overlaps do not depend on the analysis."""
    row = IN_TEXT.search(notice.text)
    where = Location(file, int(row[1])) if row else Location(PurePath(file).name)
    return Finding(code=notice.code, where=where, seen=notice.text.rstrip("."), remedy=REMEDIES.get(notice.code, ""))
