"""What a sequence of nested trials returns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isfinite

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.sample import Sample
from counterpulse.emulation.person_periods import PersonPeriods, Trials
from counterpulse.regression.logistic_fit import LogisticFit
from counterpulse.results.estimate import At, Estimate, Scale
from counterpulse.results.percentile_bootstrap import by_percentiles, usable
from counterpulse.results.provenance import Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.results.wald import no_estimate

Floats = NDArray[np.float64]

ASSIGNED, FOLLOW_UP, TRIAL, EVENT = "assigned_treatment", "follow_up_period", "trial_period", "event_in_period"

MEASURES: tuple[tuple[str, Scale], ...] = (
    ("odds ratio", "log"),
    ("risk difference", "identity"),
    ("risk ratio", "log"),
    ("risk", "identity"),
    ("risk", "identity"),
)
"""The last two are of the treated and the untreated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceOfTrials:
    """Nested trials pooled.

    Attributes
    ----------
    effects : odds ratio of the pooled logistic model, risk difference and risk ratio at the horizon, risk of each arm
    fit : the pooled model; None where there was none
    sample : the expanded rows with their weights, clustered by patient; `row_of_origin` is the row of the table
    counts : by trial and arm: patients, events, periods of follow-up, deviations
    replicates, failed : measures of the bootstrap replicates, and how many could not be had
    n_patients, n_trials, n_person_trials : in the table; trials; entries of a patient into a trial
    n_deviated : person-trials that end because treatment changed
    """

    effects: tuple[Estimate, ...]
    fit: LogisticFit | None
    sample: Sample = field(repr=False)
    counts: pl.DataFrame
    replicates: Floats = field(repr=False)
    failed: int
    n_patients: int
    n_trials: int
    n_person_trials: int
    n_deviated: int
    status: Status
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """Every effect, the odds ratio first; ratios on the log scale."""
        return self.effects

    def tidy(self) -> pl.DataFrame:
        """One row an estimate, on the natural scale."""
        return tidy(self.effects)

    def glance(self) -> pl.DataFrame:
        """Describe the emulation in one row."""
        weights = self.sample.weights
        known = weights is not None and len(weights) > 0
        return pl.DataFrame(
            {
                "patients": [self.n_patients], "trials": [self.n_trials], "person_trials": [self.n_person_trials],
                "rows": [self.sample.frame.height], "events": [int(self.sample.frame[EVENT].sum())],
                "deviated": [self.n_deviated], "weight_mean": [float(np.mean(weights)) if weights is not None and known else None],
                "weight_max": [float(np.max(weights)) if weights is not None and known else None],
                "status": [self.status.code],
            },
            schema_overrides={"weight_mean": pl.Float64, "weight_max": pl.Float64},
        )  # fmt: skip


def trial_counts(person: PersonPeriods, trials: Trials) -> pl.DataFrame:
    """Patients, events, periods of follow-up and deviations by trial and arm."""
    entries = pl.DataFrame(
        {
            "trial_period": person.period[trials.start], "treated": person.treated[trials.start],
            "periods": np.bincount(trials.trial, minlength=len(trials.start)), "deviated": trials.deviated,
            "event": np.bincount(trials.trial, weights=person.event[trials.row], minlength=len(trials.start)) > 0,
        }
    )  # fmt: skip
    return (
        entries.group_by("trial_period", "treated")
        .agg(
            pl.len().alias("patients"), pl.col("event").sum().alias("events"), pl.col("periods").sum(),
            pl.col("deviated").sum(),
        )
        .sort("trial_period", "treated")
    )  # fmt: skip


def sequence_estimates(
    fit: LogisticFit | None, values: Floats, replicates: Floats, asked: int, *, treatment: str, horizon: int, level: float,
    status: Status,
) -> tuple[tuple[Estimate, ...], int]:  # fmt: skip
    """Estimates of all measures, and how many replicates failed."""
    _, failed, _ = usable(replicates[:, np.isfinite(values)], asked)
    rows = []
    for k, (measure, scale) in enumerate(MEASURES):
        term, reference = ("untreated", None) if k == 4 else ("treated", "untreated" if k < 3 else None)
        at, value = None if k == 0 else At(float(horizon)), float(values[k])
        good, lacking, enough = usable(replicates[:, k : k + 1], asked)
        lost = f"{lacking} of {asked} replicates could not be had"
        note = (f"{lost}{'' if enough else ', so there is no interval'}.",) if lacking else ()
        if status is not Status.OK or not isfinite(value):
            why = status if status is not Status.OK else _why(values)
            row = no_estimate(measure, why, scale=scale)
        elif enough:
            row = by_percentiles(measure, scale, value, replicates[good, k], level, tested=k < 3)
        elif k == 0 and fit is not None and not asked:
            row = fit.parameters.estimate(1, measure=measure, scale=scale)
        else:
            row = Estimate(term="", measure=measure, scale=scale, value=value)
        rows.append(replace(row, term=term, variable=treatment, reference=reference, at=at, notes=(*row.notes, *note)))
    return tuple(rows), failed


def _why(values: Floats) -> Status:
    return Status.ZERO_CELL if np.isfinite(values[3:]).all() else Status.BEYOND_FOLLOW_UP
