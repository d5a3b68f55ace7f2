"""What a script cannot make again: the values that were filled in, and who was matched with whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.patient_table import PatientTable
from counterpulse.data.terms import Interaction, Spline
from counterpulse.protocol.plan import Plan, PlannedAnalysis, PlannedOutcome, PlannedShift
from counterpulse.results import StudyResult
from counterpulse.study.analyses import Setting, request_of, versions_of
from counterpulse.study.balancing.balance import balance
from counterpulse.study.export.part import Shared
from counterpulse.study.imputing.all_cohorts import imputed_cohorts
from counterpulse.study.imputing.splines import with_shared_splines
from counterpulse.study.imputing.tables import ImputedCohorts, shifted
from counterpulse.study.patients.cohort import Cohort, make_cohort
from counterpulse.study.patients.made_sample import MadeSample
from counterpulse.study.request import UNIT, WEIGHT, Request

Versions = tuple[PlannedShift | None, tuple[MadeSample, ...], NDArray[np.float64] | None]
IMPUTATION, ROW, PART = ".imputation", "row.", "part"


def remade(plan: Plan, table: PatientTable, result: StudyResult) -> Setting:
    """The eligible patients of a bundle, and their imputed tables, made again from its seed.

    Raises
    ------
    DataError : as a run
    """
    cohort = make_cohort(plan, table)
    setting = Setting(plan=plan, table=table, cohort=cohort, seed=result.identity.seed)
    if not any(row.imputations for row in result.estimates):
        return setting
    ran = {record.id for record in result.analyses}
    planned = [analysis for analysis in plan.analyses if analysis.id in ran]
    everything = (*planned, *plan.robustness.every_analysis)
    imputed = imputed_cohorts(plan, everything, cohort, table, seed=setting.seed, workers=setting.workers)
    return Setting(plan=plan, table=table, cohort=cohort, seed=setting.seed, workers=setting.workers, imputed=imputed)


def files_of_imputation(setting: Setting) -> Mapping[str, str]:
    """Of each analysis that is of imputed tables the file of its imputation."""
    names = [_file(number) for number in range(len(setting.imputed))]
    found = {}
    for analysis in setting.plan.analyses:
        imputed = setting.imputation_of(analysis)
        if imputed is not None:
            found[analysis.id] = next(name for name, one in zip(names, setting.imputed, strict=True) if one is imputed)
    return found


def shared_knots(setting: Setting) -> Shared:
    """Every analysis of imputed tables with a spline, by outcome and sample, with the knots that its tables share."""
    found: dict[tuple[str, str, str | None], PlannedAnalysis] = {}
    for analysis in setting.plan.analyses:
        imputed = setting.imputation_of(analysis) if _has_spline(analysis) else None
        for name in analysis.outcomes if imputed is not None else ():
            outcome = setting.plan.outcomes[name]
            for shift, versions, scores in _versions(setting, analysis, outcome):
                variant = request_of(setting, analysis, outcome, shift, scores, versions[0]).variant
                found[analysis.id, name, variant] = with_shared_splines(analysis, outcome, versions)
    return found


def _has_spline(analysis: PlannedAnalysis) -> bool:
    sides = (
        side for term in analysis.every_term
        for side in ((term.left, term.right) if isinstance(term, Interaction) else (term,))
    )  # fmt: skip
    return any(isinstance(side, Spline) for side in sides)


def imputed_tables(setting: Setting) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each imputation as one long table: the imputed columns of the patients in whom something was blank."""
    for number, imputed in enumerate(setting.imputed):
        yield _file(number), _long(imputed, setting.cohort)


def _file(number: int) -> str:
    return "imputed.csv" if number == 0 else f"imputed{number + 1}.csv"


def _long(imputed: ImputedCohorts, cohort: Cohort) -> pl.DataFrame:
    first = imputed.cohorts[0].frame
    names = [
        name for name in imputed.planned.columns
        if cohort.frame[name].null_count() > first[name].null_count() and name not in imputed.planned.passive
    ]  # fmt: skip
    blank = cohort.frame.select(pl.any_horizontal(pl.col(name).is_null() for name in names).alias("blank"))["blank"]
    rows = pl.Series(ROW, cohort.row_of_origin + 1)
    return pl.concat(
        one.frame.select(pl.lit(number).alias(IMPUTATION), rows, *names).filter(blank)
        for number, one in enumerate(imputed.cohorts, start=1)
    )


def balanced_rows(setting: Setting, analyses: Sequence[PlannedAnalysis]) -> pl.DataFrame:
    """Who has which weight, and in which set, in every sample of the analyses and in every imputed table."""
    schema = {PART: pl.String, IMPUTATION: pl.Int64, ROW: pl.Int64, WEIGHT: pl.Float64, UNIT: pl.Int64}
    parts = [pl.DataFrame(schema=schema)]
    for analysis in analyses:
        for name in analysis.outcomes:
            parts += [
                _weights(request, number).select(list(schema)).cast(schema)  # type: ignore[arg-type]
                for number, request in _requests(setting, analysis, setting.plan.outcomes[name])
            ]
    return pl.concat(parts)


def _requests(setting: Setting, analysis: PlannedAnalysis, outcome: PlannedOutcome) -> Iterator[tuple[int, Request]]:
    """Every sample of an outcome with the number of its imputed table, 0 for the patients as observed."""
    first = 0 if setting.imputation_of(analysis) is None else 1
    for shift, versions, scores in _versions(setting, analysis, outcome):
        for number, made in enumerate(versions, start=first):
            yield number, request_of(setting, analysis, outcome, shift, scores, made)


def _versions(setting: Setting, analysis: PlannedAnalysis, outcome: PlannedOutcome) -> Iterator[Versions]:
    """Every sample of an outcome in every table, with what it is moved by and the scores that the tables share."""
    imputed = setting.imputation_of(analysis)
    for shift in (analysis.shifts if imputed is not None else ()) or (None,):
        cohorts = (setting.cohort,) if imputed is None else imputed.cohorts
        if imputed is not None and shift is not None:
            cohorts = shifted(setting.plan, imputed, setting.cohort, shift, setting.table)
        for versions, scores in versions_of(setting, analysis, outcome, cohorts):
            yield shift, versions, scores


def _weights(request: Request, number: int) -> pl.DataFrame:
    sample = balance(request)[0].sample
    frame = sample.frame if UNIT in sample.frame.columns else sample.frame.with_columns(pl.lit(None).alias(UNIT))
    name = " ".join(filter(None, (request.analysis.id, request.outcome.name, request.variant)))
    return frame.select(
        pl.lit(name).alias(PART),
        pl.lit(number).alias(IMPUTATION),
        pl.Series(ROW, sample.row_of_origin + 1),
        WEIGHT,
        UNIT,
    )
