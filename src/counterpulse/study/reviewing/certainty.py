"""How certain the evidence of each outcome is: what of GRADE can be computed, what people must judge, and the whole.

Guyatt GH, Oxman AD, Vist GE, et al. GRADE: an emerging consensus on rating quality of evidence and strength of
recommendations. BMJ 2008;336:924-6 (doi:10.1136/bmj.39489.470347.AD).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite

import polars as pl

from counterpulse.data.patient_table import PatientTable
from counterpulse.protocol.nodes import Judgment
from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.protocol.scope import study_scope
from counterpulse.results import Block, Cell, EstimateRow
from counterpulse.study.patients.cohort import Cohort
from counterpulse.study.patients.samples import keep_rule, make_samples
from counterpulse.study.request import Answer
from counterpulse.study.reviewing.absolute_risks import Risks, absolute_risks
from counterpulse.study.reviewing.blocks import review_block
from counterpulse.study.reviewing.columns import STUDY, patients_of
from counterpulse.study.reviewing.domains import UPGRADES, Evidence, computed

Row = dict[str, Cell]
LEVELS = ("very low", "low", "moderate", "high")
STEPS: Mapping[str, int] = {
    "not serious": 0, "undetected": 0, "no": 0, "serious": -1, "strongly suspected": -1, "very serious": -2, "extremely serious": -3,
    "yes": 1, "very large": 2,
}  # fmt: skip
DOWNGRADES = ("risk of bias", "inconsistency", "indirectness", "imprecision", "publication bias")
ASKED = "asked for"
"""What stands for a certainty whose judgments nobody has made."""
METHOD = "meta-analysis"


@dataclass(frozen=True, slots=True)
class Main:
    """The analysis that answers an outcome, with its first row and the scalars beside it."""

    analysis: PlannedAnalysis
    row: EstimateRow
    answer: Answer

    def detail(self, name: str) -> Cell:
        """A scalar of the analysis."""
        return self.answer.details.get(f"{self.row.outcome}.{name}")


def certainty_blocks(
    plan: Plan, table: PatientTable, cohort: Cohort, bias: tuple[Block, ...], answers: Mapping[str, Answer]
) -> tuple[Block, ...]:
    """The summary of findings, and each domain of GRADE with what was computed, suggested and judged."""
    if plan.review is None:
        return ()
    findings, domains = list[Row](), list[Row]()
    for outcome in plan.outcomes:
        main = main_of(plan, outcome, answers)
        if main is None:
            continue
        evidence = Evidence(plan, outcome, _analyzed(plan, table, cohort, main), bias, main)
        own = list(_domains(plan, outcome, evidence))
        level = _level(plan, evidence, own)
        findings.append(_finding(plan, main, evidence, level))
        domains += own
    if plan.protocol.certainty is None:
        domains = []
    return tuple(
        review_block(kind, rows) for kind, rows in (("summary-of-findings", findings), ("certainty", domains)) if rows
    )


def main_of(plan: Plan, outcome: str, answers: Mapping[str, Answer]) -> Main | None:
    """The first pooled analysis of an outcome that is no sensitivity analysis."""
    measures = () if plan.review is None else plan.review.measures.values()
    for analysis in plan.analyses:
        if (
            analysis.method != METHOD
            or outcome not in analysis.outcomes
            or analysis.role == "sensitivity"
            or analysis.id not in answers
        ):
            continue
        answer = answers[analysis.id]
        row = next(
            (row for row in answer.rows if row.outcome == outcome and row.role != "covariate" and row.subgroup is None),
            None,
        )
        if row is not None and row.estimate.measure in measures:
            return Main(analysis, row, answer)
    return None


def _analyzed(plan: Plan, table: PatientTable, cohort: Cohort, main: Main) -> pl.DataFrame:
    """The effects that an analysis pooled: those it keeps, and of a registry the one that counts."""
    keep = keep_rule(main.analysis, study_scope(plan.protocol, table.dictionary))
    (made,) = make_samples(plan, main.analysis, plan.outcomes[str(main.row.outcome)], cohort, keep)
    return made.sample.frame


def _domains(plan: Plan, outcome: str, evidence: Evidence) -> Iterator[Row]:
    certainty = plan.protocol.certainty
    judged: Mapping[str, Judgment] = (
        {} if certainty is None else {str(name): item for name, item in certainty.judged.get(outcome, {}).items()}
    )
    for domain in (*DOWNGRADES, *(name for name in UPGRADES if evidence.begins_low or name in judged)):
        found = computed(domain, evidence)
        judgment = judged.get(domain)
        yield {
            "outcome": outcome, "domain": domain, "evidence": found.text, "suggested": found.suggested,
            "judged": None if judgment is None else judgment.rating, "reason": None if judgment is None else judgment.reason,
        }  # fmt: skip


def _level(plan: Plan, evidence: Evidence, domains: list[Row]) -> str | None:
    """The certainty, once every domain that can lower it is judged; None where the protocol does not ask for it."""
    if plan.protocol.certainty is None:
        return None
    ratings = {str(row["domain"]): row["judged"] for row in domains}
    if any(ratings[domain] is None for domain in DOWNGRADES):
        return ASKED
    start = 1 if evidence.begins_low else 3
    change = sum(STEPS[str(rating)] for rating in ratings.values() if rating is not None)
    return LEVELS[max(0, min(start + change, len(LEVELS) - 1))]


def _finding(plan: Plan, main: Main, evidence: Evidence, level: str | None) -> Row:
    reader = main.row.estimate.natural()
    interval, risks = reader.interval, absolute_risks(plan, main.row, evidence.frame)
    known = isfinite(reader.value)
    return {
        "outcome": main.row.outcome, "measure": main.row.estimate.measure, "studies": int(evidence.frame[STUDY].n_unique()),
        "participants": patients_of(evidence.frame), **_risks(risks), "estimate": reader.value if known else None,
        "conf_low": interval.low if interval and known else None, "conf_high": interval.high if interval and known else None, "certainty": level,
    }  # fmt: skip


def _risks(risks: Risks | None) -> Row:
    if risks is None:
        return dict.fromkeys(("risk_control", "risk_treated", "risk_low", "risk_high"))
    return {
        "risk_control": 1000 * risks.control, "risk_treated": 1000 * risks.treated, "risk_low": 1000 * risks.low, "risk_high": 1000 * risks.high,
    }  # fmt: skip
