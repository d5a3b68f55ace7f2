"""How it was done, from the plan: design, eligibility, groups, outcomes, statistics with the works they rest on."""

from __future__ import annotations

from counterpulse.protocol.plan import PlannedAnalysis, PlannedOutcome
from counterpulse.report.chapters.context import Context
from counterpulse.report.chapters.wording import sentence
from counterpulse.report.document import Block, Definitions, Listing, Paragraph, Run, Section, text
from counterpulse.results import AnalysisRecord

DESIGNS = {
    "cohort": "cohort study",
    "randomized-trial": "randomized trial",
    "case-control": "case-control study",
    "single-arm": "single-arm study",
    "review": "systematic review with meta-analysis",
}
UNKNOWN = {
    "keep-patient": "a patient whom the rule could not judge was kept",
    "remove-patient": "a patient whom the rule could not judge was removed",
    "stop": "no patient could be left unjudged",
}


def methods_section(context: Context) -> Section:
    """The methods."""
    return Section(
        id="methods",
        title="Methods",
        sections=(
            Section(id="design", title="Design and participants", blocks=tuple(_design(context))),
            Section(id="variables", title="Groups, outcomes and variables", blocks=tuple(_variables(context))),
            Section(id="statistics", title="Statistical analysis", blocks=tuple(_statistics(context))),
        ),
    )


def _design(context: Context) -> list[Block]:
    study = context.plan.protocol.study
    words = f"This was a {DESIGNS.get(study.design, study.design)}"
    words += f" ({study.setting})." if study.setting else "."
    if context.plan.time_zero:
        words += f" Follow-up began at time zero: {context.plan.time_zero}."
    found: list[Block] = [text(words)]
    for kind, title in (
        ("include", "Patients were included who met all of these"),
        ("exclude", "Patients were excluded who met any of these"),
    ):
        criteria = [item for item in context.plan.criteria if item.kind == kind]
        if criteria:
            items = tuple(
                text(
                    f"{item.text} ({item.english}{'; ' + UNKNOWN[item.if_unknown] if item.if_unknown in UNKNOWN else ''})."
                )
                for item in criteria
            )
            found += [text(f"{title}:"), Listing(items, ordered=True)]
    return found


def _variables(context: Context) -> list[Block]:
    plan = context.plan
    found: list[Block] = []
    if plan.groups:
        reference = next(group.label for group in plan.groups if group.is_reference)
        others = ", ".join(group.label for group in plan.groups if not group.is_reference)
        assigned = plan.protocol.groups.assigned_by if plan.protocol.groups else "clinician"
        by = "at random" if assigned == "randomization" else "by the treating clinicians"
        found.append(text(f"{others} was compared with {reference} (reference); treatment was assigned {by}."))
    if plan.outcomes:
        found.append(
            Definitions(tuple((_outcome_title(item), text(_outcome(item))) for item in plan.outcomes.values()))
        )
    derived = [item for item in plan.variables.values() if item.definition]
    if derived:
        found += [
            text("Derived variables:"),
            Definitions(tuple((item.label, text(str(item.definition))) for item in derived)),
        ]
    return found


def _outcome_title(outcome: PlannedOutcome) -> str:
    return f"{outcome.label} (primary outcome)" if outcome.primary else outcome.label


def _outcome(outcome: PlannedOutcome) -> str:
    parts = [outcome.definition or outcome.kind]
    if outcome.horizon is not None:
        parts.append(f"up to {outcome.horizon:g} {outcome.time_unit or ''}".rstrip())
    if outcome.competing:
        parts.append(f"competing event: {outcome.competing}")
    if outcome.better:
        parts.append(f"{outcome.better} is better")
    return "; ".join(parts) + "."


def _statistics(context: Context) -> list[Block]:
    found: list[Block] = []
    for record, planned in context.records():
        head = Run(f"{record.id} ({record.role}). ", "strong")
        found.append(Paragraph((head, Run(done(record, planned), cites=context.cite(*record.citations)))))
        if planned and _particulars(context, planned):
            found.append(text(_particulars(context, planned)))
    found.append(_conventions(context))
    return found


def done(record: AnalysisRecord, planned: PlannedAnalysis | None) -> str:
    """What was done in one analysis."""
    return sentence(planned.sentence if planned and planned.sentence else f"{record.label}, by {record.method}.")


def _particulars(context: Context, planned: PlannedAnalysis) -> str:
    parts = []
    if planned.missing:
        parts.append(f"Missing values: {planned.missing.replace('-', ' ')}.")
    if planned.multiplicity != "none":
        parts.append(f"P values were adjusted by the method of {planned.multiplicity.capitalize()}.")
    if planned.of:
        parts.append(f"It differs from {planned.of} only in what is named here.")
    return " ".join(parts)


def _conventions(context: Context) -> Paragraph:
    """What holds for the whole report."""
    primary = context.plan.primary
    level = f"{100 * primary.level:g}%" if primary else "95%"
    runs = [
        Run(
            f"Tests are two-sided; intervals are {level} confidence intervals. Estimates are given with their intervals, and a "
            "P value is never read as evidence of no effect. Numbers are rounded once, when printed, half up."
        )
    ]
    at_risk = context.cite("therneau-grambsch-2000")
    if at_risk:
        runs.append(Run(" Numbers at risk are the patients under observation just before a time.", cites=at_risk))
    smd = context.cite("yang-dalton-2012")
    if smd:
        runs.append(Run(" Baseline balance is described by standardized mean differences.", cites=smd))
    strobe = context.cite("strobe-2007")
    if strobe:
        runs.append(Run(" The report is laid out after the STROBE statement.", cites=strobe))
    return Paragraph(tuple(runs))
