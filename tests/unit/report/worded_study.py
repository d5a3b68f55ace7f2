"""The made-up study with a plan that says everything: clauses, covariates, clusters, a landmark, edits, amendments."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from made_up_study import ECMO, IABP, LABELS, make_plan, make_result, placed, ratio

from counterpulse.data.terms import Numeric, Spline
from counterpulse.protocol.nodes import ProtocolNode
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedClause, PlannedClusters
from counterpulse.protocol.words import Duration
from counterpulse.report.document import Block, Callout, Definitions, Listing, Paragraph, Section, Table
from counterpulse.results import AnalysisRecord, Choice, Notice, StudyResult

SNAPSHOTS = Path(__file__).with_name("snapshots")
LANDMARK = (Duration(24.0, "hours"),)
LOGISTIC = (
    PlannedClause("odds ratios were estimated by logistic regression", ("mccullagh-nelder-1989",)),
    PlannedClause("Wald confidence intervals and P values were computed"),
)
COX = (
    PlannedClause("hazard ratios were estimated by Cox proportional hazards regression", ("cox-1972",)),
    PlannedClause("tied event times were handled by Efron's method", ("efron-1977",)),
)
CURVES = (
    PlannedClause("event-free survival was estimated by the Kaplan-Meier method", ("kaplan-meier-1958",)),
    PlannedClause("curves were compared by the log-rank test", ("mantel-1966",)),
)
PROPORTIONS = (PlannedClause("proportions were compared"),)
BASELINE = ("age", "sex", "diabetes", "lactate")
CLUSTERS = (
    Choice("clusters", "variance robust to clustering by center", "given", "liang-zeger-1986"),
    Choice("cluster variance", "CR2 with Satterthwaite degrees of freedom below 40 clusters", "default", "pustejovsky-tipton-2018"),
)  # fmt: skip


def protocol() -> ProtocolNode:
    return ProtocolNode.model_validate({
        "protocol": 1,
        "study": {
            "id": "ecls-registry", "title": "Balloon pump after VA-ECMO and in-hospital death in cardiogenic shock",
            "design": "cohort", "setting": "Extracorporeal life support registry, 2017 to 2023", "version": "1.1",
            "date": "2025-02-20",
            "registration": {"registry": "ClinicalTrials.gov", "id": "NCT00000000", "date": "2025-03-01"},
            "ethics": "The ethics committee approved the study and waived consent", "data_seen_before_plan": "no",
            "reporting": ["STROBE", "RECORD"],
        },
        "data": {"table": "registry.csv", "dictionary": "dictionary.csv", "kind": "real", "site": "center"},
        "time_zero": {"text": "ECMO start", "counted": "yes"},
        "groups": {"variable": "iabp_after", "treated": {IABP: LABELS[IABP]}, "reference": {ECMO: LABELS[ECMO]}},
        "exposure": {"given": "iabp = yes", "starts": "iabp_time"},
        "immortal_time": {"plan": "landmark", "at": "24 hours"},
        "follow_up": {"after_discharge": "alive"},
        "amendments": [
            {"id": "AM1", "date": "2025-02-10", "what": "Horizon changed from 28 to 30 days", "why": "the registry reports at 30 days",
             "touches": ["death_30d"], "after_data_seen": "no"},
            {"date": "2025-06-02", "what": "Bleeding was added", "why": "a reviewer asked for it", "touches": ["A6"],
             "after_data_seen": "yes"},
        ],
    })  # fmt: skip


def _worded(item: PlannedAnalysis) -> PlannedAnalysis:
    sample = {"maker": "landmark", "landmarks": LANDMARK, "missing": "complete-case"}
    more: dict[str, dict[str, object]] = {
        "A1": {
            "clauses": LOGISTIC, "terms": BASELINE, "measures": ("odds ratio", "risk difference", "risk ratio"),
            "clusters": PlannedClusters(variable="center"), "choices": CLUSTERS,
        },
        "A2": {"clauses": PROPORTIONS, "measures": ("risk difference",)},
        "A3": {"clauses": CURVES, "measures": ("risk difference",)},
        "A4": {"clauses": COX, "terms": (Spline("age", 4), "sex", Numeric("lactate", log=True)), "checks": ("proportional-hazards",),
               "measures": ("hazard ratio",)},
        "A6": {"clauses": LOGISTIC, "terms": ("age", "sex"), "planned": "after-data",
               "choices": (Choice("multiplicity", "holm", "given", "holm-1979"),)},
    }  # fmt: skip
    return replace(item, **sample, **more[item.id])


def worded_plan() -> Plan:
    plan = make_plan()
    analyses = tuple(_worded(item) for item in plan.analyses)
    first = analyses[0]
    edits = (
        replace(first, id="S1", role="sensitivity", of="A1", label="Smaller set", terms=("age", "sex")),
        replace(first, id="S2", role="sensitivity", of="A1", label="Landmark ignored", maker="as observed", landmarks=()),
        replace(first, id="S3", role="sensitivity", of="A1", label="Random intercept", measures=("odds ratio",),
                clusters=PlannedClusters(variable="center", treat_as="random-intercept"), citations=("laird-ware-1982",)),
    )  # fmt: skip
    return replace(plan, protocol=protocol(), analyses=(*analyses, *edits))


def worded_result() -> StudyResult:
    result = make_result()
    edits = [
        placed("S1.death_hospital.iabp.odds-ratio", "S1", ratio("odds ratio", 0.88, 0.74, 1.05, 0.15), role="sensitivity"),
        placed("S2.death_hospital.iabp.odds-ratio", "S2", ratio("odds ratio", 0.71, 0.6, 0.85, 0.0001), role="sensitivity"),
    ]  # fmt: skip
    records = [
        AnalysisRecord(id=id_, role="sensitivity", label=label, method="logistic-regression", of="A1")
        for id_, label in (("S1", "Smaller set"), ("S2", "Landmark ignored"))
    ]
    return replace(
        result,
        data_kind="real",
        analyses=(*result.analyses, *records),
        estimates=(*result.estimates, *edits),
        details={"A1": {"death_hospital.removed": 15, "death_hospital.reclassified": 4}},
        warnings=(
            *result.warnings,
            Notice("W711", "run", "Only the analyses A1, A2, A3, A4, A6, S1, S2 were run (--only)."),
            Notice("W712", "run", "The seed 7 was given on the command line (--seed)."),
        ),
    )


def text_of(sections: Sequence[Section]) -> str:
    """Sections as plain text, works by their numbers, tables row by row."""
    return "\n".join(_lines(sections, 1)) + "\n"


def _lines(sections: Sequence[Section], depth: int) -> Iterator[str]:
    for section in sections:
        yield f"{'#' * depth} {section.title}"
        for block in section.blocks:
            yield from _block(block)
        yield from _lines(section.sections, depth + 1)


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Paragraph):
        yield _said(block)
    elif isinstance(block, Listing):
        yield from (f"* {_said(item)}" for item in block.items)
    elif isinstance(block, Definitions):
        yield from (f"{term}: {_said(words)}" for term, words in block.entries)
    elif isinstance(block, Callout):
        yield f"[{block.title}]"
        for inside in block.blocks:
            yield from _block(inside)
    elif isinstance(block, Table):
        yield " | ".join(column.head.text for column in block.columns)
        yield from (" | ".join(cell.text for cell in row.cells) for row in block.rows)


def _said(paragraph: Paragraph) -> str:
    return "".join(run.text + (f"[{','.join(map(str, run.cites))}]" if run.cites else "") for run in paragraph.runs)


def snapshot(name: str, text: str) -> str:
    """The stored text; written anew with COUNTERPULSE_SNAPSHOTS=write."""
    file = SNAPSHOTS / f"{name}.txt"
    if os.environ.get("COUNTERPULSE_SNAPSHOTS") == "write":
        file.write_text(text, encoding="utf-8")
    return file.read_text(encoding="utf-8")
