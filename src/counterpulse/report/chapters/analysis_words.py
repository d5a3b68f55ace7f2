"""What was done in one analysis, at the head of its own tables and figures."""

from __future__ import annotations

from collections.abc import Iterator

from counterpulse.protocol.plan import PlannedAnalysis
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.speech import Speech, paragraph
from counterpulse.report.chapters.statistics_words import one_analysis
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Paragraph, Run
from counterpulse.results import AnalysisRecord

WHEN = {
    "after-data": "This analysis was planned after the data were seen.",
    "registered": "This analysis was registered.",
}


def analysis_paragraph(context: Context, record: AnalysisRecord) -> Paragraph:
    """The method, the adjustment, the sample, when it was planned; works of the run that no sentence names come last."""
    planned = context.planned(record.id)
    runs = list(_done(context, record, planned))
    when = WHEN.get(planned.planned, "") if planned else ""
    return paragraph(*runs, when)


def _done(context: Context, record: AnalysisRecord, planned: PlannedAnalysis | None) -> Iterator[Run]:
    if planned is None or not planned.clauses:
        words = planned.sentence if planned and planned.sentence else f"{record.label}, by {record.method}."
        yield Run(sentence(words), cites=context.cite(*record.citations))
        return
    told = list(one_analysis(Speech(context.plan, cite=context.cite, result=context.result), planned))
    cited = {number for run in told for number in run.cites}
    rest = tuple(number for number in context.cite(*record.citations) if number not in cited)
    yield from told[:-1]
    yield Run(told[-1].text, cites=tuple(sorted((*told[-1].cites, *rest))))
