"""From the table to the eligible patients: criteria judged in order, counted, nobody lost on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.patient_table import PatientTable
from counterpulse.describe import Criterion, cohort_flow
from counterpulse.errors import DataError
from counterpulse.expression import Scope
from counterpulse.protocol.plan import Plan
from counterpulse.protocol.scope import study_scope
from counterpulse.results import FlowStep, Notice
from counterpulse.source import Finding, Location
from counterpulse.study.derive import (
    condition,
    derive_populations,
    derive_variables,
    recode_groups,
    settle_not_applicable,
)
from counterpulse.study.outcomes import columns_of, derive_outcomes
from counterpulse.study.request import time_column


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The eligible patients with every column of the study.

    `row_of_origin` are their rows in the table, shape (n,); `populations` says of each population who belongs to it.
    """

    frame: pl.DataFrame
    row_of_origin: NDArray[np.intp]
    flow: tuple[FlowStep, ...]
    populations: dict[str, NDArray[np.bool_]]
    notices: tuple[Notice, ...] = ()


def make_cohort(plan: Plan, table: PatientTable) -> Cohort:
    """Judge eligibility and add the columns of the study.

    Raises
    ------
    DataError : a rule is unknown for some patients and the protocol does not say what to do with them, or says stop;
        no patient is eligible; a time is negative
    """
    nodes = plan.protocol
    scope = study_scope(nodes, table.dictionary)
    frame = derive_variables(settle_not_applicable(table), nodes, scope)
    flow, eligible, findings = _judge(plan, frame, scope, table)
    if not eligible.any() and not findings:
        findings.append(_nobody(table, flow))
    _raise(findings)
    rows = np.flatnonzero(eligible)
    frame = derive_outcomes(frame[rows], nodes, table.dictionary, scope)
    frame = derive_populations(frame, nodes, scope)
    findings = [*_unknown_outcomes(plan, frame, table), *_negative_times(plan, frame, table)]
    populations, more = _populations(plan, frame, table)
    _raise([*findings, *more])
    frame = recode_groups(frame, nodes)
    return Cohort(
        frame=frame,
        row_of_origin=rows,
        flow=(*flow, _eligible_step(plan, frame)),
        populations=populations,
        notices=(*_not_compared(plan, frame), *_deviations(flow)),
    )


def _judge(
    plan: Plan, frame: pl.DataFrame, scope: Scope, table: PatientTable
) -> tuple[list[FlowStep], NDArray[np.bool_], list[Finding]]:
    criteria = [
        Criterion(
            id=criterion.id,
            label=criterion.text,
            kind="include" if criterion.kind == "include" else "exclude",
            result=frame.select(condition(criterion.rule, scope).alias("result"))["result"],
            if_unknown=criterion.if_unknown,  # type: ignore[arg-type]
        )
        for criterion in plan.criteria
    ]
    absent = plan.protocol.eligibility.not_in_table or 0
    judged = cohort_flow(criteria, records=frame.height, not_in_table=absent)
    stated = {criterion.id: criterion.if_unknown for criterion in plan.criteria}
    findings = [
        _unknown(table, f"criterion '{count.id}'", count.unknown, stated[count.id])
        for count in judged.counts
        if count.id in judged.undecided
    ]
    if plan.protocol.study.design == "randomized-trial":
        return [_deviation(step) for step in judged.steps[:-1]], np.ones(frame.height, dtype=bool), findings
    return list(judged.steps[:-1]), judged.eligible, findings


def _deviation(step: FlowStep) -> FlowStep:
    """Nobody who was randomized is removed: a criterion that was not met is a protocol deviation, counted alone."""
    return replace(step, kind="deviation", n=step.n_alone or 0) if step.kind == "removed" else step


def _deviations(flow: Iterable[FlowStep]) -> Iterable[Notice]:
    for step in flow:
        if step.kind == "deviation" and step.n:
            text = f"{patients(step.n)} deviate from '{step.label}'; nobody who was randomized is removed."
            yield Notice("W531", step.id, text)


def _unknown(table: PatientTable, what: str, count: int, stated: str | None) -> Finding:
    stop = stated == "stop"
    return Finding(
        code="E530",
        where=Location(table.file),
        seen=f"{what} is unknown for {patients(count)} (blank values)"
        + (", and the protocol says stop" if stop else ""),
        allowed="if_unknown: keep-patient | remove-patient | stop",
        remedy="complete the values" if stop else "say in the protocol what happens to them with `if_unknown`",
    )


def _nobody(table: PatientTable, flow: Iterable[FlowStep]) -> Finding:
    largest = max((step for step in flow if step.kind == "removed"), key=lambda step: step.n or 0, default=None)
    hint = f"; most were removed by '{largest.label}'" if largest is not None else ""
    return Finding(
        code="E531", where=Location(table.file), seen=f"no patient is eligible{hint}",
        allowed="at least one eligible patient", remedy="look at the criteria with `counterpulse check`, one by one",
    )  # fmt: skip


def _raise(findings: list[Finding]) -> None:
    if findings:
        raise DataError(findings)


def _unknown_outcomes(plan: Plan, frame: pl.DataFrame, table: PatientTable) -> Iterable[Finding]:
    used = {name for analysis in plan.analyses for name in analysis.outcomes}
    covered = {name for analysis in plan.analyses if analysis.missing for name in analysis.outcomes}
    for name in sorted(used):
        outcome = plan.outcomes[name]
        unknown = frame.select(pl.any_horizontal(pl.col(columns_of(name, outcome.kind)).is_null()).sum()).item()
        if unknown and (outcome.if_unknown == "stop" or (outcome.if_unknown is None and name not in covered)):
            yield _unknown(table, f"outcome '{name}'", unknown, outcome.if_unknown)


def _negative_times(plan: Plan, frame: pl.DataFrame, table: PatientTable) -> Iterable[Finding]:
    for name, outcome in plan.outcomes.items():
        if outcome.kind == "time-to-event":
            negative = frame.select((pl.col(time_column(name)) < 0).sum()).item()
            if negative:
                yield Finding(
                    code="E532", where=Location(table.file),
                    seen=f"outcome '{name}' ends before time zero for {patients(negative)}",
                    allowed="times at or after time zero",
                    remedy="correct the dates, or exclude these patients with a criterion",
                )  # fmt: skip


def _populations(
    plan: Plan, frame: pl.DataFrame, table: PatientTable
) -> tuple[dict[str, NDArray[np.bool_]], list[Finding]]:
    members: dict[str, NDArray[np.bool_]] = {"eligible": np.ones(frame.height, dtype=bool)}
    findings = []
    for name, population in plan.populations.items():
        if population.rule is None:
            continue
        unknown = frame[name].null_count()
        if unknown and population.if_unknown in (None, "stop"):
            findings.append(_unknown(table, f"population '{name}'", unknown, population.if_unknown))
        members[name] = frame[name].fill_null(population.if_unknown == "keep-patient").to_numpy()
    return members, findings


def _eligible_step(plan: Plan, frame: pl.DataFrame) -> FlowStep:
    by_group = group_counts(plan, frame)
    return FlowStep(id="eligible", label="Eligible", kind="eligible", n=frame.height, by_group=by_group)


def group_counts(plan: Plan, frame: pl.DataFrame) -> dict[str, int] | None:
    """Patients of each compared group, the groups in the order of the protocol."""
    if plan.group_variable is None:
        return None
    counts = dict(frame[plan.group_variable].drop_nulls().cast(pl.String).value_counts().iter_rows())
    return {group.level: int(counts.get(group.level, 0)) for group in plan.groups}


def patients(count: int) -> str:
    """``1 patient``, ``2 patients``."""
    return f"{count} patient{'' if count == 1 else 's'}"


def _not_compared(plan: Plan, frame: pl.DataFrame) -> tuple[Notice, ...]:
    if plan.group_variable is None or not (others := frame[plan.group_variable].null_count()):
        return ()
    text = (
        f"In none of the compared groups, or in an unknown one, and not analyzed: {patients(others)} of the eligible."
    )
    return (Notice("W530", "groups", text),)
