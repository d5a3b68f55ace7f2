"""A table of one row a patient and period, checked, and the trials that begin in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import complete_rows
from counterpulse.errors import InputError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPeriods:
    """Rows by patient and period; every array has shape (n,).

    Attributes
    ----------
    frame : the table in this order
    origin : index of each row in the table given
    patient : codes 0, 1, …; `patients` of them
    period : whole numbers, without a gap in a patient
    eligible, treated, event : in the period
    end : first row after those of the same patient
    run_end : first row after those of the same patient with the same treatment without interruption
    """

    frame: pl.DataFrame
    origin: Indices
    patient: Indices
    patients: int
    period: Indices
    eligible: Bools
    treated: Bools
    event: Bools
    end: Indices
    run_end: Indices

    @property
    def previous(self) -> Bools:
        """Treatment in the period before; none before a patient's first."""
        return np.concatenate(([False], np.where(self.first[1:], False, self.treated[:-1])))

    @property
    def first(self) -> Bools:
        """Whether a row is the first of its patient."""
        found: Bools = np.diff(self.patient, prepend=-1) != 0
        return found


def read_person_periods(
    table: pl.DataFrame, *, patient: str, period: str, eligible: str, treatment: str, outcome: str
) -> PersonPeriods:
    """Read and check a person-period table.

    Raises
    ------
    InputError : a column is absent, of the wrong kind or incomplete; periods of a patient that are doubled or have gaps;
        periods after the event
    """
    names = [patient, period, eligible, treatment, outcome]
    missing = int((~complete_rows(table, names)).sum())
    if missing:
        raise InputError(f"{missing} rows lack one of {', '.join(map(repr, names))}; every period has all of them")
    column = table[period]
    if not column.dtype.is_numeric() or not bool((column == column.cast(pl.Int64, strict=False)).all()):
        raise InputError(f"'{period}' is not a whole number; count periods 0, 1, 2 …")
    order = table.select(pl.arg_sort_by(patient, period)).to_series()
    frame = table[order]
    codes = (frame[patient].rank("dense").cast(pl.Int64) - 1).to_numpy().astype(np.intp)
    number = frame[period].cast(pl.Int64).to_numpy().astype(np.intp)
    same = np.diff(codes) == 0
    gaps = int(np.count_nonzero(same & (np.diff(number) != 1)))
    if gaps:
        raise InputError(
            f"'{period}' is doubled or has a gap in {gaps} rows; a patient has one row for each period in turn"
        )
    event = _yes_no(frame, outcome)
    after = int(np.count_nonzero(event[:-1] & same))
    if after:
        raise InputError(f"{after} rows with '{outcome}' have a later row; a patient has no period after the event")
    treated = _yes_no(frame, treatment)
    return PersonPeriods(
        frame=frame, origin=order.to_numpy().astype(np.intp), patient=codes, patients=int(codes.max(initial=-1)) + 1,
        period=number, eligible=_yes_no(frame, eligible), treated=treated, event=event, end=_ends(~same),
        run_end=_ends(~same | (np.diff(treated.astype(np.int8)) != 0)),
    )  # fmt: skip


def _ends(border: Bools) -> Indices:
    """For every row the first row after its segment; `border` says where one ends, shape (n - 1,)."""
    ends = np.append(np.flatnonzero(border) + 1, len(border) + 1)
    rows = np.arange(len(border) + 1)
    return ends[np.searchsorted(ends, rows, side="right")]


def _yes_no(frame: pl.DataFrame, name: str) -> Bools:
    column = frame[name]
    if column.dtype == pl.Boolean:
        return column.to_numpy()
    if not column.dtype.is_numeric() or not set(column.unique().cast(pl.Float64).to_list()) <= {0.0, 1.0}:
        raise InputError(f"column '{name}' is not yes/no or 0/1; recode it")
    result: Bools = column.to_numpy() == 1
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Person-trials laid out by period of follow-up.

    Attributes
    ----------
    start : first row of each person-trial in the person-periods, shape (k,)
    deviated : whether it ends because treatment changed (artificial censoring), shape (k,)
    trial : the person-trial of each row of follow-up, shape (m,)
    row : its row in the person-periods, shape (m,)
    """

    start: Indices
    deviated: Bools
    trial: Indices
    row: Indices

    @property
    def follow_up(self) -> Indices:
        """Periods since the trial began, shape (m,)."""
        return self.row - self.start[self.trial]


def expand(person: PersonPeriods, *, per_protocol: bool, longest: int | None) -> Trials:
    """Begin a trial for a patient at every eligible period.

    Parameters
    ----------
    per_protocol : end follow-up before the first period in which treatment is not the one at the start
    longest : periods of follow-up, or None for all
    """
    start = np.flatnonzero(person.eligible)
    stop = person.end[start]
    if longest is not None:
        stop = np.minimum(stop, start + longest)
    deviated = np.zeros(len(start), dtype=bool)
    if per_protocol:
        deviated = person.run_end[start] < stop
        stop = np.minimum(stop, person.run_end[start])
    number = stop - start
    trial = np.repeat(np.arange(len(start)), number)
    row = start[trial] + np.arange(len(trial)) - np.repeat(np.cumsum(number) - number, number)
    return Trials(start=start, deviated=deviated, trial=trial, row=row)


def at_risk_of_deviating(person: PersonPeriods) -> Bools:
    """Rows in which a patient can first leave the treatment of a trial that began earlier, shape (n,)."""
    before = np.concatenate(([0], np.cumsum(person.eligible)))
    new_run = np.ones(len(person.period), dtype=bool)
    new_run[1:] = person.run_end[1:] != person.run_end[:-1]
    run_start = np.maximum.accumulate(np.where(new_run, np.arange(len(new_run)), 0))
    followed = before[1:] > before[run_start]
    found: Bools = np.concatenate(([False], followed[:-1])) & ~person.first
    return found


def followed_rows(person: PersonPeriods) -> Bools:
    """Rows at or after the first eligible period of a patient, shape (n,)."""
    so_far = np.cumsum(person.eligible)
    first = np.maximum.accumulate(np.where(person.first, np.arange(len(so_far)), 0))
    found: Bools = so_far > (so_far[first] - person.eligible[first])
    return found
