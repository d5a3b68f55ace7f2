"""From the table to the eligible patients: criteria judged in order, counted, nobody lost on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.patient_table import PatientTable
from counterpulse.data.queries import no_queries, together
from counterpulse.describe import Criterion, cohort_flow
from counterpulse.errors import DataError
from counterpulse.expression import Scope
from counterpulse.protocol.plan import Plan
from counterpulse.protocol.planned_review import EFFECT
from counterpulse.protocol.scope import study_scope
from counterpulse.results import FlowStep, Notice
from counterpulse.source import Finding, Location
from counterpulse.study.patients.contradictions import contradictions
from counterpulse.study.patients.derive import (
    condition,
    derive_populations,
    derive_variables,
    recode_groups,
    settle_not_applicable,
    take_measurements,
)
from counterpulse.study.patients.flow_boxes import count_boxes, group_counts
from counterpulse.study.patients.outcomes import columns_behind, columns_of, derive_outcomes, event_dates
from counterpulse.study.patients.queries import about_blanks, about_values
from counterpulse.study.planning.exposure_outcome import with_exposure_outcomes
from counterpulse.study.request import dead_column, time_column
from counterpulse.study.reviewing.extraction import Extracted, with_effects


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """The eligible patients with every column of the study.

    `row_of_origin` are their rows in the table, shape (n,); `populations` says of each population who belongs to it.
    `measurements` are those of every repeated outcome. `findings` are warnings of the data, `queries` the questions for the
    data manager that they and the rules raise.
    """

    frame: pl.DataFrame
    row_of_origin: NDArray[np.intp]
    flow: tuple[FlowStep, ...]
    populations: dict[str, NDArray[np.bool_]]
    notices: tuple[Notice, ...] = ()
    measurements: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    queries: pl.DataFrame = field(default_factory=no_queries)


def make_cohort(plan: Plan, table: PatientTable) -> Cohort:
    """Judge eligibility and add the columns of the study.

    Raises
    ------
    DataError : a rule is unknown for some patients and the protocol does not say what to do with them, or says stop;
        no patient is eligible; a time is negative
    """
    nodes = plan.protocol
    scope = study_scope(nodes, table.dictionary)
    measured = take_measurements(table, nodes)
    desk = _Desk(plan, table, [measured.queries])
    frame = derive_variables(settle_not_applicable(table).with_columns(measured.columns), nodes, scope)
    flow, eligible, findings = _judge(desk, frame, scope)
    findings += [finding for finding in measured.findings if finding.severity == "error"]
    if not eligible.any() and not findings:
        findings.append(_nobody(plan, table, flow))
    desk.stop(findings)
    rows = np.flatnonzero(eligible)
    frame = derive_outcomes(frame[rows], nodes, table.dictionary, scope)
    frame = derive_populations(frame, nodes, scope)
    extracted = with_effects(plan, table, frame, rows) if plan.review is not None else Extracted(frame)
    desk.stop(list(extracted.findings))
    frame = extracted.frame
    findings = [*_unknown_outcomes(desk, frame, rows), *_negative_times(desk, frame, rows)]
    populations, more = _populations(desk, frame, rows)
    desk.stop([*findings, *more])
    contradicted = tuple(_contradicted(desk, frame, rows))
    judged = _boxes(desk, frame, rows, scope)
    frame = with_exposure_outcomes(recode_groups(frame, nodes), plan)
    return Cohort(
        frame=frame,
        row_of_origin=rows,
        flow=(*_before_the_table(plan, table), *flow, _eligible_step(plan, frame), *count_boxes(plan, frame, judged)),
        populations=populations,
        notices=(
            *_not_compared(plan, frame),
            *_deviations(flow),
            *_screened_otherwise(plan, table),
            *extracted.notices,
        ),
        measurements=measured.repeated,
        findings=(*measured.findings, *contradicted),
        queries=together(desk.queries),
    )


@dataclass(frozen=True, slots=True)
class _Desk:
    """The plan, the patients, and the questions about them so far."""

    plan: Plan
    table: PatientTable
    queries: list[pl.DataFrame]

    def blank(self, rules: Iterable[str | None], unknown: pl.Series, what: str, rows: NDArray[np.intp] | None) -> None:
        """Ask for the values whose lack leaves something open; `unknown` is of `rows` of the table (None: of all)."""
        self.queries.append(
            about_blanks(self.table, self.plan.protocol, rules, _of_all(self.table, unknown, rows), what)
        )

    def stop(self, findings: list[Finding]) -> None:
        """Raise if there is a finding, with the questions so far."""
        if findings:
            raise DataError(findings, queries=together([self.table.queries, *self.queries]))


def _of_all(table: PatientTable, mask: pl.Series, rows: NDArray[np.intp] | None) -> pl.Series:
    """A mask over some rows of the table as one over all of them."""
    if rows is None:
        return mask
    everybody = np.zeros(table.frame.height, dtype=bool)
    everybody[rows] = mask.to_numpy()
    return pl.Series(everybody)


def _judge(desk: _Desk, frame: pl.DataFrame, scope: Scope) -> tuple[list[FlowStep], NDArray[np.bool_], list[Finding]]:
    plan, table = desk.plan, desk.table
    criteria = []
    for planned in plan.criteria:
        result = frame.select(condition(planned.rule, scope).alias("result"))["result"]
        desk.blank([planned.rule], result.is_null(), f"the criterion '{planned.id}'", None)
        kind: Literal["include", "exclude"] = "include" if planned.kind == "include" else "exclude"
        criteria.append(
            Criterion(id=planned.id, label=planned.text, kind=kind, result=result, if_unknown=planned.if_unknown)  # type: ignore[arg-type]
        )
    judged = cohort_flow(criteria, records=frame.height)
    stated = {criterion.id: criterion.if_unknown for criterion in plan.criteria}
    findings = [
        _unknown(plan, table, f"criterion '{count.id}'", count.unknown, stated[count.id])
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


def _unknown(plan: Plan, table: PatientTable, what: str, count: int, stated: str | None) -> Finding:
    stop = stated == "stop"
    return Finding(
        code="E530",
        where=Location(table.file),
        seen=f"{what} is unknown for {_rows(plan, count)} (blank values)"
        + (", and the protocol says stop" if stop else ""),
        allowed="if_unknown: keep-patient | remove-patient | stop",
        remedy="complete the values" if stop else "say in the protocol what happens to them with `if_unknown`",
    )


def _nobody(plan: Plan, table: PatientTable, flow: Iterable[FlowStep]) -> Finding:
    largest = max((step for step in flow if step.kind == "removed"), key=lambda step: step.n or 0, default=None)
    hint = f"; most were removed by '{largest.label}'" if largest is not None else ""
    return Finding(
        code="E531", where=Location(table.file), seen=f"no {_row(plan)} is eligible{hint}",
        allowed=f"at least one eligible {_row(plan)}", remedy="look at the criteria with `counterpulse check`, one by one",
    )  # fmt: skip


def _unknown_outcomes(desk: _Desk, frame: pl.DataFrame, rows: NDArray[np.intp]) -> Iterable[Finding]:
    plan = desk.plan
    used = {name for analysis in plan.analyses for name in analysis.outcomes}
    covered = {name for analysis in plan.analyses if analysis.missing for name in analysis.outcomes}
    for name in sorted(name for name in used if plan.outcomes[name].of_group is None):
        outcome = plan.outcomes[name]
        if outcome.kind in ("repeated", EFFECT):
            continue
        unknown = frame.select(pl.any_horizontal(pl.col(columns_of(name, outcome.kind)).is_null()).alias(name))[name]
        if outcome.truncation is not None and outcome.truncation.plan == "survivors-only":
            unknown = unknown & ~frame[dead_column(name)].fill_null(value=False)
        desk.blank(sorted(columns_behind(plan.protocol.outcomes[name])), unknown, f"the outcome '{name}'", rows)
        count = int(unknown.sum())
        if count and (outcome.if_unknown == "stop" or (outcome.if_unknown is None and name not in covered)):
            yield _unknown(plan, desk.table, f"outcome '{name}'", count, outcome.if_unknown)


def _negative_times(desk: _Desk, frame: pl.DataFrame, rows: NDArray[np.intp]) -> Iterable[Finding]:
    plan = desk.plan
    for name, outcome in plan.outcomes.items():
        if outcome.kind == "time-to-event":
            negative = (frame[time_column(name)] < 0).fill_null(False)
            if not negative.any():
                continue
            node = plan.protocol.outcomes[name]
            dates = (
                [node.time] if node.time is not None else [plan.protocol.time_zero, *event_dates(plan.protocol, node)]
            )
            everybody = _of_all(desk.table, negative, rows)
            question = f"The outcome '{name}' ends before time zero. Which date is right?"
            desk.queries.append(about_values(desk.table, plan.protocol, dates, everybody, question))
            yield Finding(
                code="E532", where=Location(desk.table.file),
                seen=f"outcome '{name}' ends before time zero for {patients(int(negative.sum()))}",
                allowed="times at or after time zero",
                remedy="correct the dates, or exclude these patients with a criterion",
            )  # fmt: skip


def _contradicted(desk: _Desk, frame: pl.DataFrame, rows: NDArray[np.intp]) -> Iterable[Finding]:
    for found in contradictions(desk.plan.protocol, frame):
        everybody = _of_all(desk.table, found.mask, rows)
        question = f"This patient was {found.seen}. What is right?"
        desk.queries.append(about_values(desk.table, desk.plan.protocol, found.columns, everybody, question))
        yield Finding(
            code=found.code, where=Location(desk.table.file),
            seen=f"{patients(int(found.mask.sum()))}: {found.seen}", remedy="correct the columns " + " and ".join(found.columns),
        )  # fmt: skip


def _populations(
    desk: _Desk, frame: pl.DataFrame, rows: NDArray[np.intp]
) -> tuple[dict[str, NDArray[np.bool_]], list[Finding]]:
    members: dict[str, NDArray[np.bool_]] = {"eligible": np.ones(frame.height, dtype=bool)}
    findings = []
    for name, population in desk.plan.populations.items():
        if population.rule is None:
            continue
        desk.blank([population.rule], frame[name].is_null(), f"the population '{name}'", rows)
        unknown = frame[name].null_count()
        if unknown and population.if_unknown in (None, "stop"):
            findings.append(_unknown(desk.plan, desk.table, f"population '{name}'", unknown, population.if_unknown))
        members[name] = frame[name].fill_null(population.if_unknown == "keep-patient").to_numpy()
    return members, findings


def _boxes(desk: _Desk, frame: pl.DataFrame, rows: NDArray[np.intp], scope: Scope) -> dict[str, pl.Series]:
    """Judge the boxes of `flow`, and ask for the values whose lack leaves one open."""
    judged = {}
    for box in desk.plan.flow:
        judged[box.name] = frame.select(condition(box.rule, scope).alias("inside"))["inside"]
        desk.blank([box.rule], judged[box.name].is_null(), f"the box '{box.name}' of the flow", rows)
    return judged


def _before_the_table(plan: Plan, table: PatientTable) -> Iterable[FlowStep]:
    """Those screened, and those of them who have no row, by reason; nothing where the two do not fit the table."""
    eligibility, trial = plan.protocol.eligibility, plan.protocol.study.design == "randomized-trial"
    screened, absent = eligibility.screened, eligibility.not_in_table
    if screened is not None and not _fits(plan, table):
        return
    if screened is not None:
        yield FlowStep(id="screened", label="Assessed for eligibility", kind="screened", n=screened.count)
        absent = screened.count - table.frame.height if absent is None else absent
    if isinstance(absent, Mapping):
        for number, (reason, count) in enumerate(absent.items(), start=1):
            yield FlowStep(id=f"absent.{number}", label=reason, kind="absent", n=count)
    elif absent:
        yield FlowStep(id="absent", label="Not randomized" if trial else "Not in the table", kind="absent", n=absent)


def _fits(plan: Plan, table: PatientTable) -> bool:
    """Whether those screened are those with a row and those without one."""
    screened, absent = plan.protocol.eligibility.screened, plan.protocol.eligibility.not_in_table
    if screened is None:
        return True
    without = sum(absent.values()) if isinstance(absent, Mapping) else absent
    rest = screened.count - table.frame.height
    return rest >= 0 if without is None else rest == without


def _screened_otherwise(plan: Plan, table: PatientTable) -> Iterable[Notice]:
    if not _fits(plan, table):
        text = (
            "The number screened is not the number of records plus those not in the table; the flow begins with the records. "
            "Correct eligibility.screened or eligibility.not_in_table."
        )
        yield Notice("W534", "eligibility", text)


def _eligible_step(plan: Plan, frame: pl.DataFrame) -> FlowStep:
    """Everybody who is studied; in a trial these are the randomized."""
    label = "Randomized" if plan.protocol.study.design == "randomized-trial" else "Eligible"
    by_group = group_counts(plan, frame)
    return FlowStep(id="eligible", label=label, kind="eligible", n=frame.height, by_group=by_group)


def _row(plan: Plan) -> str:
    """What a row of the table is: a patient, or an effect of a review."""
    return "patient" if plan.review is None else EFFECT


def _rows(plan: Plan, count: int) -> str:
    return f"{count} {_row(plan)}{'' if count == 1 else 's'}"


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
