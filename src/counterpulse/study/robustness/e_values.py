"""E-values of the adjusted effects of a study, from its final rows."""

from __future__ import annotations

from math import isfinite

from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.results import Block, Cell, EstimateRow, Notice, Status
from counterpulse.results.estimate import finite_or_none
from counterpulse.robustness import EValue, e_value
from counterpulse.study.request import Answer, observed_risk_name
from counterpulse.study.robustness.questions import effects

ROLES = ("primary", "secondary")
CASE_CONTROL = "case-control"
COLUMNS = ("of", "measure", "estimate", "risk", "common", "e_value", "e_value_limit", "status")
OF_EVENTS = {
    "odds ratio": ("binary",),
    "hazard ratio": ("time-to-event",),
    "risk ratio": ("binary", "time-to-event"),
    "risk difference": ("binary", "time-to-event"),
    "rate ratio": ("count",),
}
"""The kinds of outcome of which a measure is one of events, so that a risk ratio stands behind it."""


def e_value_answer(plan: Plan, analysis: PlannedAnalysis, answer: Answer) -> Answer:
    """The E-values of one analysis; nothing where it is not adjusted, or not of a kind that has any."""
    if analysis.role not in ROLES:
        return Answer()
    rows = [row for row in effects(plan, answer) if _adjusted(analysis, row) and _has_one(plan, row)]
    if plan.protocol.study.design == CASE_CONTROL and any(row.estimate.measure == "odds ratio" for row in rows):
        text = "No E-value: patients were chosen by their outcome, so whether the outcome is rare is not to be seen."
        return Answer(notices=(Notice("W666", analysis.id, text),))
    lines = [line for row in rows if (line := _line(plan, row, answer)) is not None]
    if not lines:
        return Answer()
    columns = {name: tuple(line[index] for line in lines) for index, name in enumerate(COLUMNS)}
    block = Block(id=f"{analysis.id}.e-value", analysis=analysis.id, kind="e-value", columns=columns)
    return Answer(blocks=(block,))


def _adjusted(analysis: PlannedAnalysis, row: EstimateRow) -> bool:
    """Whether the model behind a row has covariates, or its groups were made comparable."""
    if analysis.balancing is not None:
        return True
    names = set() if row.model is None else set(row.model.split(", "))
    model = next((model for model in analysis.models if model.name in names), None)
    return analysis.adjusted if model is None else bool(model.every_term)


def _has_one(plan: Plan, row: EstimateRow) -> bool:
    return plan.outcomes[row.outcome].kind in OF_EVENTS.get(row.estimate.measure, ())


def _line(plan: Plan, row: EstimateRow, answer: Answer) -> tuple[Cell, ...] | None:
    """One row of the block; None where the risk is not known."""
    measure, natural = row.estimate.measure, row.estimate.natural()
    risk = observed_risk(plan, row, answer)
    if measure in ("odds ratio", "hazard ratio", "risk difference") and risk is None:
        return None
    status = row.estimate.status
    if status is Status.OK and measure == "risk difference" and risk == 0:
        status = Status.ZERO_CELL
    if status is not Status.OK:
        return (row.id, measure, finite_or_none(natural.value), risk, None, None, None, status.code)
    found = risk_ratio_of(row, risk)
    value, limit = finite_or_none(found.value), finite_or_none(found.limit)
    return (row.id, measure, finite_or_none(natural.value), risk, found.conversion, value, limit, found.status.code)


def risk_ratio_of(row: EstimateRow, risk: float | None) -> EValue:
    """The effect as an (approximate) risk ratio, with its E-value."""
    needed = row.estimate.measure in ("odds ratio", "hazard ratio", "risk difference")
    return e_value(row.estimate, measure=row.estimate.measure, risk=risk if needed else None)


def observed_risk(plan: Plan, row: EstimateRow, answer: Answer) -> float | None:
    """The risk of the event: in the reference group for a difference, at the end of follow-up for a hazard ratio, else in all.

    A difference is one of the risk that the analysis gives for the reference group, which weights and follow-up may set apart
    from the share of its patients with the event.
    """
    if row.estimate.measure == "hazard ratio":
        name = row.outcome if row.model is None else f"{row.model}, {row.outcome}"
        risk = answer.details.get(observed_risk_name(name))
        return float(risk) if isinstance(risk, int | float) else None
    if row.estimate.measure == "risk difference":
        own = _reference_risk(plan, row, answer)
        if own is not None:
            return own
        counts = [(group.events, group.n) for group in row.groups if group.group == plan.reference]
    else:
        counts = [(row.events, row.n)]
    return next((events / n for events, n in counts if events is not None and n), None)


def _reference_risk(plan: Plan, row: EstimateRow, answer: Answer) -> float | None:
    """What the analysis of a difference gives as the risk of the reference group at its time, where it gives one."""
    place = (row.outcome, row.model, row.subgroup, row.method, row.estimate.at)
    for one in answer.rows:
        alike = (one.outcome, one.model, one.subgroup, one.method, one.estimate.at) == place
        if alike and (one.estimate.measure, one.estimate.term) == ("risk", plan.reference):
            value = one.estimate.natural().value
            return value if isfinite(value) else None
    return None
