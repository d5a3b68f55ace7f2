"""Plan and patients become the result: eligible, described, sampled, estimated, folded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from importlib.metadata import version
from pathlib import PurePath
from typing import TypeVar

import numpy as np
import polars as pl

from counterpulse import describe
from counterpulse.data.patient_table import PatientTable
from counterpulse.data.queries import together
from counterpulse.data.terms import variables_of
from counterpulse.describe import VariableChoice
from counterpulse.errors import DataError, UsageError
from counterpulse.numerics.workers import Jobs, LocalWorkers, workers_of
from counterpulse.protocol.plan import Plan, PlannedAnalysis
from counterpulse.protocol.plan_on_disk import plan_to_json
from counterpulse.results import (
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
from counterpulse.study.analyses import Finished, Setting, analyze
from counterpulse.study.description import describe_cohort, events_per_parameter
from counterpulse.study.imputing.all_cohorts import imputation_answers, imputed_cohorts
from counterpulse.study.patients.cohort import Cohort, make_cohort
from counterpulse.study.patients.queries import about_blanks
from counterpulse.study.request import Answer
from counterpulse.study.reviewing.described import described_review
from counterpulse.study.reviewing.row_findings import row_findings
from counterpulse.study.robustness.answers import robustness_answers

Progress = Callable[[str], None]
Item = TypeVar("Item")
MANY_ROWS = 200_000
"""From so many patients on a single analysis has enough work for several BLAS threads."""
MOST_LISTED = 3
"""Estimates that a warning names, where more of an analysis share one status."""
NO_FAILURE = (Status.OK, Status.NOT_REACHED, Status.MEDIAN_IS_DEATH, Status.SMALL_CELL, Status.ONE_STUDY)
SOFTWARE = ("counterpulse", "numpy", "scipy", "polars")


def run(
    plan: Plan,
    table: PatientTable,
    *,
    seed: int | None = None,
    only: Sequence[str] = (),
    jobs: Jobs = 1,
    progress: Progress | None = None,
    cohort: Cohort | None = None,
) -> StudyResult:
    """Carry out a plan.

    Parameters
    ----------
    plan : from `make_plan`
    table : from `read_table`
    seed : instead of the protocol's
    only : ids of the analyses to run; default all
    jobs : analyses and draws side by side, or the workers that take the draws; the result does not depend on it
    progress : called with the name of each step as it begins
    cohort : the eligible patients, where they were made already (`eligible_patients`)

    Raises
    ------
    DataError : nobody is eligible, values that a rule or a model needs are blank and the protocol does not say what then
    UsageError : `only` names an analysis that is not planned
    """
    tell = progress or (lambda step: None)
    planned = _chosen(plan, only)
    tell("eligibility")
    cohort = make_cohort(plan, table) if cohort is None else cohort
    _refuse_uncovered((*planned, *plan.robustness.every_analysis), plan, cohort, table)
    tell("Table 1")
    rows = _table_one(plan, cohort)
    workers = workers_of(jobs)
    seed_used = plan.protocol.seed if seed is None else seed
    everything = (*planned, *plan.robustness.every_analysis)
    if any(analysis.imputation is not None for analysis in everything):
        tell("imputation")
    imputed = imputed_cohorts(plan, everything, cohort, table, seed=seed_used, workers=workers)
    setting = Setting(plan=plan, table=table, cohort=cohort, seed=seed_used, workers=workers, imputed=imputed)
    finished = _side_by_side(partial(_told, tell, setting), planned, cohort, workers.here)
    filled = imputation_answers(plan, imputed)
    answers = [item.answer for item in finished]
    estimates = _unique(tuple(row for answer in answers for row in answer.rows))
    beside = robustness_answers(
        plan,
        {item.record.id: _with_rows(item, estimates) for item in finished},
        run_one=lambda analysis: analyze(setting, analysis).answer,
        side_by_side=lambda one, further: _side_by_side(one, further, cohort, workers.here),
        seed=seed_used,
    )
    per_parameter, few = events_per_parameter(plan, cohort, estimates) if plan.review is None else ((), ())
    found = described_review(plan, table, cohort, {item.record.id: _with_rows(item, estimates) for item in finished})
    result = StudyResult(
        identity=identity_of(plan, table, seed),
        data_kind=table.data_kind,
        flow=(*cohort.flow, *_analyzed(plan, finished)) if plan.review is None else (*found.flow, *cohort.flow),
        table_one=rows,
        analyses=tuple(item.record for item in finished),
        estimates=estimates,
        blocks=(
            *describe_cohort(plan, cohort),
            *found.blocks,
            *per_parameter,
            *filled.blocks,
            *(block for answer in answers for block in answer.blocks),
            *beside.blocks,
        ),
        details={
            **({"imputation": filled.details} if filled.details else {}),
            **{item.record.id: item.answer.details for item in finished if item.answer.details},
        },
        warnings=(*_warnings(plan, table, cohort, [filled, *answers, beside], only, seed), *few, *found.notices),
        plan=plan_to_json(plan),
    )
    return suppress(result, plan.protocol.privacy.small_cells)


def _with_rows(item: Finished, estimates: Sequence[EstimateRow]) -> Answer:
    """The answer of an analysis with its final rows."""
    return replace(item.answer, rows=tuple(row for row in estimates if row.analysis == item.record.id))


def _side_by_side(
    work: Callable[[PlannedAnalysis], Item], planned: Sequence[PlannedAnalysis], cohort: Cohort, here: LocalWorkers
) -> list[Item]:
    """Analyses side by side, each on one thread of BLAS; of very many patients one after another, each on every core."""
    if cohort.frame.height >= MANY_ROWS:
        return [work(analysis) for analysis in planned]
    return here.map(work, planned)


def eligible_patients(plan: Plan, table: PatientTable) -> Cohort:
    """The patients of a run, before any analysis.

    Raises
    ------
    DataError : as `run`
    """
    return make_cohort(plan, table)


def rehearse_run(plan: Plan, table: PatientTable) -> Cohort:
    """Everything a run needs of its data, without estimating anything.

    Raises
    ------
    DataError : as `run`
    """
    cohort = make_cohort(plan, table)
    everything = (*plan.analyses, *plan.robustness.every_analysis)
    _refuse_uncovered(everything, plan, cohort, table)
    if plan.review is None:
        return cohort
    found = row_findings(Setting(plan=plan, table=table, cohort=cohort), everything)
    return replace(cohort, findings=(*cohort.findings, *found))


def _chosen(plan: Plan, only: Sequence[str]) -> list[PlannedAnalysis]:
    unknown = [name for name in only if name not in {analysis.id for analysis in plan.analyses}]
    if unknown:
        known = ", ".join(analysis.id for analysis in plan.analyses)
        raise UsageError(f"--only names {', '.join(unknown)}, which is not planned; the analyses are {known}")
    return [analysis for analysis in plan.analyses if not only or analysis.id in only]


def _told(tell: Progress, setting: Setting, analysis: PlannedAnalysis) -> Finished:
    tell(analysis.id)
    return analyze(setting, analysis)


def _refuse_uncovered(planned: Sequence[PlannedAnalysis], plan: Plan, cohort: Cohort, table: PatientTable) -> None:
    """A model with blank values needs the researcher's word on what happens to them."""
    findings, queries = [], [table.queries, cohort.queries]
    for analysis in planned:
        if analysis.missing is not None:
            continue
        names = {name for term in analysis.every_term for name in variables_of(term)}
        blank = {name: _blank(cohort.frame, name) for name in sorted(names)}
        holes = {name: count for name, count in blank.items() if count}
        if holes:
            listed = ", ".join(f"{name} ({count})" for name, count in holes.items())
            queries.append(_about_holes(plan, cohort, table, analysis.id, holes))
            findings.append(
                Finding(
                    code="E533", where=Location(table.file),
                    seen=f"analysis {analysis.id} uses variables with blank values: {listed}",
                    allowed="missing_data: {method: complete-case}, for the study or the analysis",
                    remedy="say in the protocol what happens to patients with blank values",
                )
            )  # fmt: skip
    if findings:
        raise DataError(findings, queries=together(queries))


def _about_holes(plan: Plan, cohort: Cohort, table: PatientTable, analysis: str, names: Iterable[str]) -> pl.DataFrame:
    """The questions about blank covariates of an analysis."""
    eligible = np.zeros(table.frame.height, dtype=bool)
    eligible[cohort.row_of_origin] = True
    return about_blanks(table, plan.protocol, names, pl.Series(eligible), f"the analysis {analysis}")


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
        n, by_group = _sizes(plan, row, item.answer.rows)
        label = f"Analyzed in {item.record.id}: {item.record.label}"
        steps.append(
            FlowStep(id=f"analyzed.{item.record.id}", label=label, kind="analysis", n=n, by_group=by_group,
                     unknown=item.record.n_missing)
        )  # fmt: skip
        if item.record.id == primary:
            main = [FlowStep(id="analyzed", label="Analyzed", kind="analyzed", n=n, by_group=by_group)]
    return (*main, *steps)


def _sizes(plan: Plan, first: EstimateRow, rows: Sequence[EstimateRow]) -> tuple[int, Mapping[str, int | None] | None]:
    """The patients behind the first estimate and its groups; where it compares two of several, behind all such estimates."""
    question = (first.outcome, first.model, first.subgroup)
    own = [row for row in rows if (row.outcome, row.model, row.subgroup) == question]
    found = {count.group: count.n for row in reversed(own) for count in row.groups}
    order = [group.level for group in plan.groups if group.level in found]
    by_group = {level: found[level] for level in (*order, *(level for level in found if level not in order))}
    alone = len(by_group) == len(first.groups)
    return (first.n or 0) if alone else sum(n or 0 for n in by_group.values()), by_group or None


def _unique(rows: tuple[EstimateRow, ...]) -> tuple[EstimateRow, ...]:
    """Ids stand once; a second row of the same name gets a number."""
    seen: dict[str, int] = {}
    result = []
    for row in rows:
        seen[row.id] = seen.get(row.id, 0) + 1
        result.append(row if seen[row.id] == 1 else replace(row, id=f"{row.id}.{seen[row.id]}"))
    return tuple(result)


@cache
def _software() -> Mapping[str, str]:
    """The versions at work, looked up once: a rehearsal asks for them in every replicate."""
    return {name: version(name) for name in SOFTWARE}


def identity_of(plan: Plan, table: PatientTable, seed: int | None) -> StudyIdentity:
    """Which study, which inputs, which software."""
    study = plan.protocol.study
    return StudyIdentity(
        id=study.id,
        title=study.title,
        design=study.design,
        protocol_digest=plan.protocol_digest,
        dictionary_digest=plan.dictionary_digest,
        data_digest=table.digest,
        seed=plan.protocol.seed if seed is None else seed,
        software=dict(_software()),
    )


def _warnings(
    plan: Plan, table: PatientTable, cohort: Cohort, answers: Sequence[Answer], only: Sequence[str], seed: int | None
) -> tuple[Notice, ...]:
    found = [
        *plan.warnings,
        *(
            Notice(finding.code, PurePath(finding.where.text()).name, finding.seen)
            for finding in (*table.findings, *cohort.findings)
        ),
        *cohort.notices,
        *(notice for answer in answers for notice in answer.notices),
    ]
    for answer in answers:
        failed: dict[tuple[str, Status], list[str]] = {}
        for row in (row for row in answer.rows if row.estimate.status not in NO_FAILURE):
            failed.setdefault((row.analysis, row.estimate.status), []).append(row.id)
        found += [Notice("W710", name, f"{_listed(ids)}: {status.text}") for (name, status), ids in failed.items()]
    if only:
        found.append(Notice("W711", "run", f"Only the analyses {', '.join(only)} were run (--only)."))
    if seed is not None:
        found.append(Notice("W712", "run", f"The seed {seed} was given on the command line (--seed)."))
    if plan.review is not None:
        return tuple({(notice.code, notice.text): notice for notice in reversed(found)}.values())[::-1]
    return tuple(dict.fromkeys(found))


def _listed(ids: Sequence[str]) -> str:
    """The first ids, and how many more."""
    more = len(ids) - MOST_LISTED
    return ", ".join(ids[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")


def could_not_estimate(result: StudyResult) -> bool:
    """Whether an effect that was asked for is missing from the result."""
    return any(row.estimate.status not in NO_FAILURE and row.role != "covariate" for row in result.estimates)
