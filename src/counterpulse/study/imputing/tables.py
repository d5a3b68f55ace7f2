"""The eligible patients, several times, each with other draws in place of their missing values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from counterpulse import imputation
from counterpulse.data.applicability import applicable
from counterpulse.data.patient_table import PatientTable
from counterpulse.imputation import ImputedTables
from counterpulse.numerics.workers import Jobs
from counterpulse.protocol.plan import Plan, PlannedImputation, PlannedOutcome, PlannedShift
from counterpulse.protocol.scope import study_scope
from counterpulse.study.patients.cohort import Cohort
from counterpulse.study.patients.derive import derive_variables
from counterpulse.study.patients.measurements import PATIENT
from counterpulse.study.patients.outcomes import columns_of
from counterpulse.study.request import USUAL_SEED, event_column, time_column

HAZARD, MEAN = "hazard.", "mean."


@dataclass(frozen=True, slots=True, kw_only=True)
class ImputedCohorts:
    """The cohorts of one imputation.

    `not_applicable` are columns whose question does not arise for some patients, `not_allowed` those with imputed values
    that the dictionary does not allow: beyond a bound, or not whole.
    """

    planned: PlannedImputation
    cohorts: tuple[Cohort, ...]
    tables: ImputedTables
    not_applicable: tuple[str, ...] = ()
    not_allowed: tuple[str, ...] = ()


def impute_cohort(
    plan: Plan, planned: PlannedImputation, cohort: Cohort, table: PatientTable, *, seed: int | None, jobs: Jobs = 1
) -> ImputedCohorts:
    """Fill in the missing values of the eligible patients.

    Outcomes take part but are not themselves imputed: who lacks an outcome is left out of its analysis, as ever. A derived
    variable is computed anew from the imputed ones. A question that does not arise for a patient is not answered for him.
    """
    frame, helpers = _with_outcomes(plan, planned, cohort)
    group = () if plan.group_variable is None else (str(plan.group_variable),)
    center = () if planned.center is None else (planned.center,)
    others = [name for name in (*group, *center, *helpers) if _usable(frame, name)]
    columns = list(dict.fromkeys((*others, *planned.columns)))
    tables = imputation.chained_equations(
        frame.select(columns), columns=columns, m=planned.datasets or _needed(planned, frame), iterations=planned.iterations,
        seed=USUAL_SEED if seed is None else seed, jobs=jobs, methods=_methods(planned, frame),
        ordered=[name for name in planned.ordered if name in columns],
        cluster=planned.center if planned.center_as == "random-intercept" else None,
    )  # fmt: skip
    absent = _not_applicable(table, planned, cohort)
    cohorts = tuple(
        replace(cohort, frame=_completed(plan, planned, cohort.frame, sample.frame, absent, table))
        for sample in tables.tables.samples
    )
    return ImputedCohorts(
        planned=planned, cohorts=cohorts, tables=tables, not_applicable=tuple(absent),
        not_allowed=tuple(name for name in planned.columns if _is_not_allowed(table, cohort, cohorts, name)),
    )  # fmt: skip


def shifted(
    plan: Plan, imputed: ImputedCohorts, observed: Cohort, shift: PlannedShift, table: PatientTable
) -> tuple[Cohort, ...]:
    """The cohorts with the imputed values of one variable moved by a distance in its own unit."""
    blank = observed.frame[shift.variable].is_null()
    moved = pl.when(blank).then(pl.col(shift.variable) + shift.by).otherwise(pl.col(shift.variable))
    return tuple(
        replace(
            one, frame=_derived_anew(plan, imputed.planned, one.frame.with_columns(moved.alias(shift.variable)), table)
        )
        for one in imputed.cohorts
    )


def can_shift(imputed: ImputedCohorts, name: str) -> bool:
    """Whether anything of a variable was imputed that could be moved."""
    return name in imputed.planned.columns and bool(len(imputed.tables.rows_imputed.get(name, ())))


def needs_imputation(planned: PlannedImputation, frame: pl.DataFrame, names: Iterator[str] | tuple[str, ...]) -> bool:
    """Whether any of the variables of an analysis that are imputed has a missing value."""
    filled = {*planned.columns, *planned.passive}
    return any(frame[name].null_count() for name in names if name in filled)


def _usable(frame: pl.DataFrame, name: str) -> bool:
    """Whether a column holds anything that others could be imputed from."""
    return name in frame.columns and frame[name].n_unique() > 1


def _with_outcomes(plan: Plan, planned: PlannedImputation, cohort: Cohort) -> tuple[pl.DataFrame, list[str]]:
    """The frame with what outcomes tell of missing values, and the names of those columns."""
    frame, names = cohort.frame, list[str]()
    for name in planned.outcomes:
        outcome = plan.outcomes[name]
        if outcome.kind == "repeated":
            frame = frame.with_columns(_course(cohort, name).alias(f"{name}.{MEAN}"))
            names.append(f"{name}.{MEAN}")
        elif outcome.kind == "time-to-event":
            frame = frame.with_columns(_hazard(frame, outcome).alias(f"{name}.{HAZARD}"))
            names += [event_column(name), f"{name}.{HAZARD}"]
        else:
            names += [column for column in columns_of(name, outcome.kind) if column in frame.columns]
    return frame, names


def _course(cohort: Cohort, name: str) -> pl.Series:
    """The mean of the measurements of each patient; unknown where there is none."""
    means = cohort.measurements[name].group_by(PATIENT).agg(pl.col(name).mean())
    owners = pl.DataFrame({PATIENT: cohort.row_of_origin.astype(np.uint32)})
    return owners.join(means, on=PATIENT, how="left", maintain_order="left")[name]


def _hazard(frame: pl.DataFrame, outcome: PlannedOutcome) -> pl.Series:
    """The Nelson-Aalen hazard of everybody at the end of his own follow-up; unknown where that is."""
    time, event = frame[time_column(outcome.name)], frame[event_column(outcome.name)]
    known = (time.is_not_null() & event.is_not_null()).to_numpy()
    hazard = np.full(frame.height, np.nan)
    if known.any():
        hazard[known] = imputation.nelson_aalen_at(
            time.filter(pl.Series(known)).to_numpy(), event.filter(pl.Series(known)).to_numpy()
        )
    return pl.Series(hazard).fill_nan(None)


def _methods(planned: PlannedImputation, frame: pl.DataFrame) -> Mapping[str, str]:
    """The methods that the protocol names, of columns that have something to impute."""
    return {name: how for name, how in planned.methods.items() if name in frame.columns and _imputed(frame[name])}


def _needed(planned: PlannedImputation, frame: pl.DataFrame) -> int:
    """How many tables: by the patients in whom something of the analyses is imputed."""
    return imputation.imputations_needed(frame, columns=[name for name in planned.columns if _imputed(frame[name])])


def _imputed(column: pl.Series) -> bool:
    return 0 < column.null_count() < len(column) and column.n_unique() > 2


def _not_applicable(table: PatientTable, planned: PlannedImputation, cohort: Cohort) -> dict[str, pl.Series]:
    """For each imputed column whose question does not arise for some patients, for whom it does not."""
    found = {}
    for name in planned.columns:
        variable = table.dictionary.variables.get(name)
        if variable is not None and variable.applies_if is not None and variable.type != "yesno":
            absent = ~pl.Series(applicable(table, name)).gather(cohort.row_of_origin)
            if (absent & cohort.frame[name].is_null()).any():
                found[name] = absent & cohort.frame[name].is_null()
    return found


def _is_not_allowed(table: PatientTable, observed: Cohort, cohorts: Sequence[Cohort], name: str) -> bool:
    """Whether an imputed value is one that the dictionary would not let stand in the table."""
    variable = table.dictionary.variables.get(name)
    if variable is None or variable.type not in ("number", "integer"):
        return False
    blank = observed.frame[name].is_null()
    values = pl.concat([one.frame[name].cast(pl.Float64).filter(blank).drop_nulls() for one in cohorts]).to_numpy()
    low, high = (limit if bound is None else float(bound)
                 for bound, limit in ((variable.minimum, -np.inf), (variable.maximum, np.inf)))  # fmt: skip
    whole = variable.type == "integer" or variable.integer
    return bool(((values < low) | (values > high) | (whole & (values != np.round(values)))).any())


def _completed(
    plan: Plan, planned: PlannedImputation, observed: pl.DataFrame, filled: pl.DataFrame, absent: Mapping[str, pl.Series],
    table: PatientTable,
) -> pl.DataFrame:  # fmt: skip
    """The frame of the cohort with imputed columns, and derived variables computed from them."""
    columns = [
        filled[name].set(absent[name], None) if name in absent else filled[name]
        for name in planned.columns
        if name in filled.columns and observed[name].null_count()
    ]
    return _derived_anew(plan, planned, observed.with_columns(columns), table)


def _derived_anew(plan: Plan, planned: PlannedImputation, frame: pl.DataFrame, table: PatientTable) -> pl.DataFrame:
    """The frame with the derived variables of the models computed again; all others stay as they were observed."""
    if not planned.passive:
        return frame
    nodes = plan.protocol
    wanted = {name: node for name, node in nodes.variables.items() if name in planned.passive}
    return derive_variables(frame, nodes.model_copy(update={"variables": wanted}), study_scope(nodes, table.dictionary))
