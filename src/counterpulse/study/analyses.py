"""One planned analysis carried out: on the observed patients, or on every imputed table and folded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.patient_table import PatientTable
from counterpulse.data.terms import variables_of
from counterpulse.errors import DataError, InputError
from counterpulse.numerics.multiplicity import ADJUSTMENTS
from counterpulse.numerics.workers import LocalWorkers, Workers
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedOutcome, PlannedShift
from counterpulse.protocol.scope import study_scope
from counterpulse.results import AnalysisRecord, Choice, EstimateRow, FlowStep, Notice
from counterpulse.source import Finding, Location
from counterpulse.study.answers.ladder import answer_models
from counterpulse.study.balancing.balance import unbalanced
from counterpulse.study.balancing.score import mean_scores
from counterpulse.study.folding.answers import folded
from counterpulse.study.imputing.diagnostics import resolved_choices
from counterpulse.study.imputing.splines import with_shared_splines
from counterpulse.study.imputing.tables import ImputedCohorts, can_shift, needs_imputation, shifted
from counterpulse.study.patients.cohort import Cohort
from counterpulse.study.patients.derive import columns_read
from counterpulse.study.patients.made_sample import MadeSample
from counterpulse.study.patients.samples import keep_rule, make_samples
from counterpulse.study.request import Answer, Request

NOTHING_MISSING = Choice("imputation", "no variable of this analysis has a missing value", "derived")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What every analysis of a run has before it."""

    plan: Plan
    table: PatientTable
    cohort: Cohort
    seed: int | None = None
    workers: Workers = field(default_factory=lambda: LocalWorkers(1))
    imputed: Sequence[ImputedCohorts] = ()

    def imputation_of(self, analysis: PlannedAnalysis) -> ImputedCohorts | None:
        """The imputed patients of an analysis, where one of its variables has a missing value."""
        planned = analysis.imputation
        if planned is None or not needs_imputation(planned, self.cohort.frame, tuple(_variables(self.plan, analysis))):
            return None
        return next((one for one in self.imputed if one.planned.covers(planned)), None)


@dataclass(frozen=True, slots=True)
class Finished:
    """One analysis after its run."""

    record: AnalysisRecord
    answer: Answer
    flow: tuple[FlowStep, ...]


def analyze(setting: Setting, analysis: PlannedAnalysis) -> Finished:
    """Carry out one analysis of every outcome, sample and shift.

    Raises
    ------
    DataError : values that its method cannot use
    """
    answer, flow = Answer(), list[FlowStep]()
    imputed = setting.imputation_of(analysis)
    for name in analysis.outcomes:
        found, steps = _of_outcome(setting, analysis, setting.plan.outcomes[name], imputed)
        answer, flow = answer.joined(found), flow + steps
    answer = replace(answer, rows=_adjusted(analysis, answer.rows))
    filled = resolved_choices(imputed) if imputed is not None else (NOTHING_MISSING,) if analysis.imputation else ()
    record = AnalysisRecord(
        id=analysis.id,
        role=analysis.role,
        label=analysis.label,
        method=analysis.method,
        choices=tuple(dict.fromkeys((*analysis.choices, *filled, *answer.choices))),
        n_missing=answer.n_missing,
        citations=tuple(dict.fromkeys((*analysis.citations, *answer.citations))),
        of=analysis.of,
    )
    return Finished(record, answer, tuple(flow))


def _variables(plan: Plan, analysis: PlannedAnalysis) -> Iterator[str]:
    """Every variable of an analysis that may have been imputed."""
    for term in analysis.every_term:
        yield from variables_of(term)
    yield from () if analysis.balancing is None else analysis.balancing.exact
    for value in analysis.options.values():
        yield from (item for item in (value if isinstance(value, tuple) else (value,)) if isinstance(item, str))
    if plan.subgroups is not None and plan.subgroups.of == analysis.id:
        yield from (subgroup.variable for subgroup in plan.subgroups.by)
    yield from (shift.variable for shift in analysis.shifts)


def _of_outcome(
    setting: Setting, analysis: PlannedAnalysis, outcome: PlannedOutcome, imputed: ImputedCohorts | None
) -> tuple[Answer, list[FlowStep]]:
    """The answer of one outcome: of the patients as observed, or of every imputed table, shifted or not."""
    if imputed is None:
        return _of_tables(setting, analysis, outcome, (setting.cohort,), None)
    answer, flow = Answer(), list[FlowStep]()
    for shift in (None, *analysis.shifts):
        cohorts = imputed.cohorts
        if shift is not None and not _moves(setting, analysis, imputed, shift):
            answer = answer.joined(Answer(notices=(_not_moved(setting.plan, analysis, shift),)))
            continue
        if shift is not None:
            cohorts = shifted(setting.plan, imputed, setting.cohort, shift, setting.table)
        found, steps = _of_tables(setting, analysis, outcome, cohorts, shift)
        answer, flow = answer.joined(found), flow or steps
    return answer, flow


def _moves(setting: Setting, analysis: PlannedAnalysis, imputed: ImputedCohorts, shift: PlannedShift) -> bool:
    """Whether a shift moves anything of an analysis: the variable, or what is computed from it."""
    used = set(_variables(setting.plan, replace(analysis, shifts=()))) & set(setting.plan.variables)
    return can_shift(imputed, shift.variable) and shift.variable in columns_read(setting.plan.protocol, used)


def _not_moved(plan: Plan, analysis: PlannedAnalysis, shift: PlannedShift) -> Notice:
    text = f"{plan.variables[shift.variable].label} was not shifted: nothing of it was imputed for this analysis."
    return Notice("W720", analysis.id, text)


def _of_tables(
    setting: Setting, analysis: PlannedAnalysis, outcome: PlannedOutcome, cohorts: Sequence[Cohort], shift: PlannedShift | None
) -> tuple[Answer, list[FlowStep]]:  # fmt: skip
    """One answer of all versions of the patients; each sample of an analysis is folded by itself."""
    answer, flow = Answer(), list[FlowStep]()
    for versions, scores in versions_of(setting, analysis, outcome, cohorts):
        shared = with_shared_splines(analysis, outcome, versions)
        one = partial(_answer, setting, shared, outcome, shift, scores)
        found = folded(setting.workers.here.map(one, versions))
        answer = answer.joined(found.joined(Answer(notices=unbalanced(analysis, outcome, found.blocks))))
        flow += list(versions[0].flow)
    return answer, flow


def versions_of(
    setting: Setting, analysis: PlannedAnalysis, outcome: PlannedOutcome, cohorts: Sequence[Cohort]
) -> Iterator[tuple[tuple[MadeSample, ...], NDArray[np.float64] | None]]:
    """Each sample of an outcome as it is in every version of the patients, with the scores that these share."""
    keep = _kept(setting, analysis)
    made = [make_samples(setting.plan, analysis, outcome, cohort, keep) for cohort in cohorts]
    for versions in zip(*made, strict=True):
        yield versions, mean_scores(analysis, setting.plan, versions) if len(versions) > 1 else None


def _kept(setting: Setting, analysis: PlannedAnalysis) -> pl.Expr | None:
    """Whom an analysis keeps, judged on what was observed: the same patients in every imputed table."""
    rule = keep_rule(analysis, study_scope(setting.plan.protocol, setting.table.dictionary))
    return None if rule is None else pl.lit(setting.cohort.frame.select(rule.alias("keep"))["keep"])


def _answer(
    setting: Setting, analysis: PlannedAnalysis, outcome: PlannedOutcome, shift: PlannedShift | None,
    scores: NDArray[np.float64] | None, made: MadeSample,
) -> Answer:  # fmt: skip
    request = request_of(setting, analysis, outcome, shift, scores, made)
    try:
        answer = answer_models(request)
    except InputError as error:
        raise _unusable_values(request, error, setting.table.file) from error
    return replace(answer, notices=made.notices + answer.notices, details={**(made.details or {}), **answer.details})


def request_of(
    setting: Setting, analysis: PlannedAnalysis, outcome: PlannedOutcome, shift: PlannedShift | None,
    scores: NDArray[np.float64] | None, made: MadeSample,
) -> Request:  # fmt: skip
    """What a method is asked of one sample."""
    variant = ", ".join(part for part in (made.variant, shift_name(shift)) if part) or None
    return Request(
        plan=setting.plan, analysis=analysis, outcome=outcome, sample=made.sample, variant=variant, seed=setting.seed,
        workers=setting.workers, scores=scores,
    )  # fmt: skip


def shift_name(shift: PlannedShift | None) -> str | None:
    """How a sample whose imputed values were moved is called."""
    return None if shift is None else f"{shift.variable} {shift.by:+g}"


def _unusable_values(request: Request, error: InputError, file: str) -> DataError:
    """What a method says of values it cannot use, as a finding on the data."""
    seen, _, remedy = str(error).partition("; ")
    return DataError(
        [
            Finding(
                code="E634", where=Location(file), seen=f"analysis {request.analysis.id}, {request.outcome.name}: {seen}",
                remedy=remedy or "correct the values, or change the analysis",
            )
        ]
    )  # fmt: skip


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
    changed: Mapping[int, float] = dict(zip(first.values(), adjusted, strict=True))
    return tuple(replace(row, p_adjusted=changed[index]) if index in changed else row for index, row in enumerate(rows))
