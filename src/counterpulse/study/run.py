"""Plan and patients become the result: eligible, described, sampled, estimated, folded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import PurePath

import polars as pl

from counterpulse import describe
from counterpulse.data.patient_table import PatientTable
from counterpulse.data.terms import variables_of
from counterpulse.describe import VariableChoice
from counterpulse.errors import DataError, UsageError
from counterpulse.numerics.multiplicity import ADJUSTMENTS
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedOutcome
from counterpulse.protocol.plan_on_disk import plan_to_json
from counterpulse.protocol.scope import study_scope
from counterpulse.results import (
    AnalysisRecord,
    EstimateRow,
    FlowStep,
    Notice,
    Status,
    StudyIdentity,
    StudyResult,
    TableOneRow,
)
from counterpulse.results.privacy import suppress
from counterpulse.source import Finding, Location
from counterpulse.study.catalog import METHODS
from counterpulse.study.cohort import Cohort, make_cohort
from counterpulse.study.request import Answer, Request
from counterpulse.study.samples import MadeSample, keep_rule, make_samples

Progress = Callable[[str], None]
MANY_ROWS = 200_000
"""From so many patients on a single analysis has enough work for several BLAS threads."""
NO_FAILURE = (Status.OK, Status.NOT_REACHED, Status.SMALL_CELL)
SOFTWARE = ("counterpulse", "numpy", "scipy", "polars")


@dataclass(frozen=True, slots=True)
class Finished:
    """One analysis after its run."""

    record: AnalysisRecord
    answer: Answer
    flow: tuple[FlowStep, ...]


def run(
    plan: Plan,
    table: PatientTable,
    *,
    seed: int | None = None,
    only: Sequence[str] = (),
    jobs: int = 1,
    progress: Progress | None = None,
) -> StudyResult:
    """Carry out a plan.

    Parameters
    ----------
    plan : from `make_plan`
    table : from `read_table`
    seed : instead of the protocol's
    only : ids of the analyses to run; default all
    jobs : analyses side by side; the result does not depend on it
    progress : called with the name of each step as it begins

    Raises
    ------
    DataError : nobody is eligible, values that a rule or a model needs are blank and the protocol does not say what then
    UsageError : `only` names an analysis that is not planned
    """
    tell = progress or (lambda step: None)
    planned = _chosen(plan, only)
    tell("eligibility")
    cohort = make_cohort(plan, table)
    _refuse_uncovered(planned, plan, cohort, table)
    tell("Table 1")
    rows = _table_one(plan, cohort)
    with _one_blas_thread(cohort), ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        finished = list(pool.map(partial(_told, tell, plan, cohort, table), planned))
    answers = [item.answer for item in finished]
    result = StudyResult(
        identity=_identity(plan, table, seed),
        data_kind=table.data_kind,
        flow=(*cohort.flow, *_analyzed(plan, finished)),
        table_one=rows,
        analyses=tuple(item.record for item in finished),
        estimates=_unique(tuple(row for answer in answers for row in answer.rows)),
        blocks=tuple(block for answer in answers for block in answer.blocks),
        details={item.record.id: item.answer.details for item in finished if item.answer.details},
        warnings=_warnings(plan, table, cohort, answers, only, seed),
        plan=plan_to_json(plan),
    )
    return suppress(result, plan.protocol.privacy.small_cells)


def _one_blas_thread(cohort: Cohort) -> AbstractContextManager[object]:
    """Small products are slower on several threads than on one; the analyses themselves run side by side."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1 if cohort.frame.height < MANY_ROWS else None, "blas")
    return limits


def rehearse_run(plan: Plan, table: PatientTable) -> None:
    """Everything a run needs of its data, without estimating anything.

    Raises
    ------
    DataError : as `run`
    """
    cohort = make_cohort(plan, table)
    _refuse_uncovered(plan.analyses, plan, cohort, table)


def _chosen(plan: Plan, only: Sequence[str]) -> list[PlannedAnalysis]:
    unknown = [name for name in only if name not in {analysis.id for analysis in plan.analyses}]
    if unknown:
        known = ", ".join(analysis.id for analysis in plan.analyses)
        raise UsageError(f"--only names {', '.join(unknown)}, which is not planned; the analyses are {known}")
    return [analysis for analysis in plan.analyses if not only or analysis.id in only]


def _told(tell: Progress, plan: Plan, cohort: Cohort, table: PatientTable, analysis: PlannedAnalysis) -> Finished:
    tell(analysis.id)
    return _analyze(plan, cohort, table, analysis)


def _analyze(plan: Plan, cohort: Cohort, table: PatientTable, analysis: PlannedAnalysis) -> Finished:
    scope = study_scope(plan.protocol, table.dictionary)
    answer, flow = Answer(), []
    for name in analysis.outcomes:
        outcome = plan.outcomes[name]
        for made in make_samples(plan, analysis, outcome, cohort, keep_rule(analysis, scope)):
            answer = answer.joined(_answer(plan, analysis, outcome, made))
            flow += list(made.flow)
    answer = replace(answer, rows=_adjusted(analysis, answer.rows))
    record = AnalysisRecord(
        id=analysis.id,
        role=analysis.role,
        label=analysis.label,
        method=analysis.method,
        choices=tuple(dict.fromkeys((*analysis.choices, *answer.choices))),
        n_missing=answer.n_missing,
        citations=tuple(dict.fromkeys((*analysis.citations, *answer.citations))),
        of=analysis.of,
    )
    return Finished(record, answer, tuple(flow))


def _answer(plan: Plan, analysis: PlannedAnalysis, outcome: PlannedOutcome, made: MadeSample) -> Answer:
    request = Request(plan=plan, analysis=analysis, outcome=outcome, sample=made.sample, variant=made.variant)
    answer = METHODS[analysis.method].estimate(request)
    for name in analysis.companions:
        spec = METHODS[name]
        options = {option.name: analysis.options.get(option.name, option.default) for option in spec.options}
        companion = replace(analysis, method=name, options=options, measures=spec.measures[:1], draws=())
        extra = spec.estimate(replace(request, analysis=companion))
        taken = {row.id for row in answer.rows}
        answer = answer.joined(replace(extra, rows=tuple(row for row in extra.rows if row.id not in taken)))
    return replace(answer, notices=made.notices + answer.notices, details={**(made.details or {}), **answer.details})


def _adjusted(analysis: PlannedAnalysis, rows: tuple[EstimateRow, ...]) -> tuple[EstimateRow, ...]:
    """P values of the first row of each outcome, adjusted together."""
    adjust = ADJUSTMENTS.get(analysis.multiplicity)
    if adjust is None:
        return rows
    first: dict[str, int] = {}
    for index, row in enumerate(rows):
        if row.outcome not in first and row.estimate.p_value is not None and row.role != "covariate":
            first[row.outcome] = index
    adjusted = adjust([float(rows[index].estimate.p_value or 0) for index in first.values()])
    changed = dict(zip(first.values(), adjusted, strict=True))
    return tuple(replace(row, p_adjusted=changed[index]) if index in changed else row for index, row in enumerate(rows))


def _refuse_uncovered(planned: Sequence[PlannedAnalysis], plan: Plan, cohort: Cohort, table: PatientTable) -> None:
    """A model with blank values needs the researcher's word on what happens to them."""
    findings = []
    for analysis in planned:
        if analysis.missing is not None:
            continue
        names = {name for term in analysis.terms for name in variables_of(term)}
        blank = {name: _blank(cohort.frame, name) for name in sorted(names)}
        holes = {name: count for name, count in blank.items() if count}
        if holes:
            listed = ", ".join(f"{name} ({count})" for name, count in holes.items())
            findings.append(
                Finding(
                    code="E533", where=Location(table.file),
                    seen=f"analysis {analysis.id} uses variables with blank values: {listed}",
                    allowed="missing_data: {method: complete-case}, for the study or the analysis",
                    remedy="say in the protocol what happens to patients with blank values",
                )
            )  # fmt: skip
    if findings:
        raise DataError(findings)


def _blank(frame: pl.DataFrame, name: str) -> int:
    return frame[name].null_count()


def _table_one(plan: Plan, cohort: Cohort) -> tuple[TableOneRow, ...]:
    planned = plan.table_one
    if planned is None:
        return ()
    choices = {
        name: VariableChoice(summary=planned.summaries.get(name, "both"), test=planned.tests.get(name))
        for name in {*planned.summaries, *planned.tests}
    }
    return describe.table_one(
        cohort.frame,
        by=plan.group_variable,
        variables=planned.variables,
        rule=planned.rule,
        overall=planned.overall,
        p_values=planned.p_values,
        smd=planned.smd,
        smd_denominator=planned.smd_denominator,
        quartiles=planned.quartiles,
        choices=choices,
    ).rows


def _analyzed(plan: Plan, finished: Sequence[Finished]) -> tuple[FlowStep, ...]:
    """From the eligible to those in each analysis; the primary analysis is the last box of the diagram."""
    steps: list[FlowStep] = [step for item in finished for step in item.flow]
    primary = plan.primary.id if plan.primary is not None else None
    main: list[FlowStep] = []
    for item in finished:
        row = next((row for row in item.answer.rows if row.n is not None), None)
        if row is None:
            continue
        by_group = {count.group: count.n for count in row.groups} or None
        label = f"Analyzed in {item.record.id}: {item.record.label}"
        steps.append(
            FlowStep(id=f"analyzed.{item.record.id}", label=label, kind="analysis", n=row.n or 0, by_group=by_group,
                     unknown=item.record.n_missing)
        )  # fmt: skip
        if item.record.id == primary:
            main = [FlowStep(id="analyzed", label="Analyzed", kind="analyzed", n=row.n or 0, by_group=by_group)]
    return (*main, *steps)


def _unique(rows: tuple[EstimateRow, ...]) -> tuple[EstimateRow, ...]:
    """Ids stand once; a second row of the same name gets a number."""
    seen: dict[str, int] = {}
    result = []
    for row in rows:
        seen[row.id] = seen.get(row.id, 0) + 1
        result.append(row if seen[row.id] == 1 else replace(row, id=f"{row.id}.{seen[row.id]}"))
    return tuple(result)


def _identity(plan: Plan, table: PatientTable, seed: int | None) -> StudyIdentity:
    study = plan.protocol.study
    return StudyIdentity(
        id=study.id,
        title=study.title,
        design=study.design,
        protocol_digest=plan.protocol_digest,
        dictionary_digest=plan.dictionary_digest,
        data_digest=table.digest,
        seed=plan.protocol.seed if seed is None else seed,
        software={name: version(name) for name in SOFTWARE},
    )


def _warnings(
    plan: Plan, table: PatientTable, cohort: Cohort, answers: Sequence[Answer], only: Sequence[str], seed: int | None
) -> tuple[Notice, ...]:
    found = [
        *plan.warnings,
        *(Notice(finding.code, PurePath(finding.where.text()).name, finding.seen) for finding in table.findings),
        *cohort.notices,
        *(notice for answer in answers for notice in answer.notices),
    ]
    for answer in answers:
        failed = [row for row in answer.rows if row.estimate.status not in NO_FAILURE]
        found += [Notice("W710", row.analysis, f"{row.id}: {row.estimate.status.text}") for row in failed]
    if only:
        found.append(Notice("W711", "run", f"Only the analyses {', '.join(only)} were run (--only)."))
    if seed is not None:
        found.append(Notice("W712", "run", f"The seed {seed} was given on the command line (--seed)."))
    return tuple(dict.fromkeys(found))


def could_not_estimate(result: StudyResult) -> bool:
    """Whether an effect that was asked for is missing from the result."""
    return any(row.estimate.status not in NO_FAILURE and row.role != "covariate" for row in result.estimates)
