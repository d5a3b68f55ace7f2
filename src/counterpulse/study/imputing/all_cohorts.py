"""Every imputation that the analyses of a run ask for, each done once."""

from __future__ import annotations

from collections.abc import Sequence

from counterpulse.data.patient_table import PatientTable
from counterpulse.errors import DataError, InputError
from counterpulse.numerics.workers import Workers
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedImputation
from counterpulse.source import Finding, Location
from counterpulse.study.imputing.diagnostics import ANALYSIS, imputation_answer
from counterpulse.study.imputing.tables import ImputedCohorts, impute_cohort
from counterpulse.study.patients.cohort import Cohort
from counterpulse.study.request import Answer


def imputed_cohorts(
    plan: Plan, planned: Sequence[PlannedAnalysis], cohort: Cohort, table: PatientTable, *, seed: int | None, workers: Workers
) -> tuple[ImputedCohorts, ...]:  # fmt: skip
    """The imputed patients of each way of imputing that an analysis asks for and that has something to impute.

    Raises
    ------
    DataError : a variable cannot be imputed as asked
    """
    ways: list[PlannedImputation] = []
    for analysis in planned:
        wanted = analysis.imputation
        if wanted is not None and _holes(wanted, cohort) and not any(way.covers(wanted) for way in ways):
            ways.append(wanted)
    try:
        return tuple(impute_cohort(plan, way, cohort, table, seed=seed, jobs=workers) for way in ways)
    except InputError as error:
        seen, _, remedy = str(error).partition("; ")
        finding = Finding(
            code="E550", where=Location(table.file), seen=f"multiple imputation: {seen}",
            remedy=remedy or "correct the values, or change missing_data",
        )  # fmt: skip
        raise DataError([finding]) from error


def _holes(planned: PlannedImputation, cohort: Cohort) -> bool:
    return any(cohort.frame[name].null_count() for name in planned.columns)


def imputation_answers(plan: Plan, imputed: Sequence[ImputedCohorts]) -> Answer:
    """What a reader is shown of each imputation."""
    answer = Answer()
    for number, one in enumerate(imputed, start=1):
        answer = answer.joined(
            imputation_answer(plan, one, name=ANALYSIS if len(imputed) == 1 else f"{ANALYSIS}-{number}")
        )
    return answer
