"""What clone-censor-weight returns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isfinite, nan

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.emulation.clone_intervals import expanded
from counterpulse.emulation.clones import Arm
from counterpulse.emulation.deviation_weights import DeviationWeights
from counterpulse.results.estimate import At, Estimate, Scale
from counterpulse.results.percentile_bootstrap import by_percentiles, usable
from counterpulse.results.provenance import Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.results.wald import no_estimate, wald_estimate

Floats = NDArray[np.float64]

MEASURES: tuple[tuple[str, Scale], ...] = (
    ("hazard ratio", "log"),
    ("risk difference", "identity"),
    ("risk ratio", "log"),
    ("restricted mean survival time difference", "identity"),
    ("risk", "identity"),
    ("risk", "identity"),
    ("restricted mean survival time", "identity"),
    ("restricted mean survival time", "identity"),
)
"""What is compared at the horizon; the last four are of the first and the second arm."""

CONTRASTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmReport:
    """What became of the clones of one strategy, and how their weights are distributed over the intervals.

    Attributes
    ----------
    clones, events, artificially_censored : counts; person_time in the unit of follow-up
    intervals : pieces of follow-up, cut at every end of a clone's follow-up; the weights are described over them
    mean, low, high : of the weights; nan where there are none
    quantiles : 1%, 25%, 50%, 75%, 99%
    effective : effective number of intervals, the square of the sum of weights over the sum of squares
    """

    strategy: str
    clones: int
    events: int
    artificially_censored: int
    person_time: float
    intervals: int = 0
    mean: float = nan
    low: float = nan
    high: float = nan
    quantiles: tuple[float, ...] = ()
    effective: float = nan


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneCensorWeight:
    """Treatment within a grace period against none.

    Attributes
    ----------
    effects : hazard ratio, risk difference, risk ratio and difference of restricted means at the horizon, then risk and
        restricted mean of each arm
    arms : counts, person-time and weights of each strategy
    unweighted_log_hazard_ratio : of the clones without weights, for comparison
    robust_error : sandwich standard error of the log hazard ratio, clustered by patient, with the weights as known
    curves : weighted survival of each arm, by event time
    replicates : the measures of every bootstrap replicate, shape (replicates, 8), in the order of `effects`
    failed : replicates in which a measure could not be had
    rows : the patients used, indices into the table
    clones, weights, cuts : what `intervals()` lays out
    n, n_missing, n_after_end : patients used; left out for a missing value; exposures after the end of follow-up, not counted
    """

    effects: tuple[Estimate, ...]
    strategies: tuple[str, str]
    arms: tuple[ArmReport, ArmReport]
    unweighted_log_hazard_ratio: float
    robust_error: float
    curves: pl.DataFrame
    replicates: Floats = field(repr=False)
    failed: int
    rows: NDArray[np.intp] = field(repr=False)
    n: int
    n_missing: int
    n_after_end: int
    grace: float
    horizon: float
    status: Status
    provenance: Provenance
    clones: tuple[Arm, Arm] = field(repr=False, compare=False)
    weights: tuple[DeviationWeights, DeviationWeights] = field(repr=False, compare=False)
    cuts: Floats = field(repr=False, compare=False)

    def estimates(self) -> tuple[Estimate, ...]:
        """Every effect, the hazard ratio first; ratios on the log scale."""
        return self.effects

    def tidy(self) -> pl.DataFrame:
        """One row an estimate, on the natural scale."""
        return tidy(self.effects)

    def intervals(self) -> pl.DataFrame:
        """The expanded table: every clone cut at every end of a clone's follow-up, with its weight.

        Columns: strategy, row_of_origin (the patient's index into the table), start, stop, event, deviated, weight.
        """
        return pl.concat(
            expanded(arm, weights, self.cuts, self.rows).select(pl.lit(name).alias("strategy"), pl.all())
            for arm, weights, name in zip(self.clones, self.weights, self.strategies, strict=True)
        )

    def glance(self) -> pl.DataFrame:
        """One row a strategy: clones, events, artificial censorings, person-time and weights."""
        return pl.DataFrame(
            [
                {
                    "strategy": arm.strategy, "clones": arm.clones, "events": arm.events,
                    "artificially_censored": arm.artificially_censored, "person_time": arm.person_time,
                    "intervals": arm.intervals, "weight_mean": arm.mean if isfinite(arm.mean) else None,
                    "weight_max": arm.high if isfinite(arm.high) else None, "status": self.status.code,
                }
                for arm in self.arms
            ],
            schema_overrides={"weight_mean": pl.Float64, "weight_max": pl.Float64},
        )  # fmt: skip


def clone_estimates(
    values: Floats, error: float, replicates: Floats, asked: int, *, strategies: tuple[str, str], horizon: float,
    level: float, status: Status,
) -> tuple[tuple[Estimate, ...], int]:  # fmt: skip
    """Estimates of all measures, and how many replicates failed."""
    _, failed, _ = usable(replicates[:, np.isfinite(values)], asked)
    rows = []
    for k, (measure, scale) in enumerate(MEASURES):
        term = strategies[0] if k < CONTRASTS or k % 2 == 0 else strategies[1]
        reference = strategies[1] if k < CONTRASTS else None
        at = None if k == 0 else At(horizon)
        value, own = float(values[k]), replicates[:, k : k + 1]
        good, lacking, enough = usable(own, asked)
        if status is not Status.OK or not isfinite(value):
            why = status if status is not Status.OK else _why(values, k)
            rows.append(replace(no_estimate(measure, why, term=term, scale=scale, at=at), reference=reference))
        elif enough:
            row = by_percentiles(measure, scale, value, own[good, 0], level, tested=k < CONTRASTS)
            lost = (f"{lacking} of {asked} replicates could not be had.",) if lacking else ()
            rows.append(replace(row, term=term, reference=reference, at=at, notes=(*row.notes, *lost)))
        else:
            notes = (f"{lacking} of {asked} replicates could not be had, so there is no interval.",) if asked else ()
            made = wald_estimate(
                measure, value, error if k == 0 and not asked else nan, level, term=term, reference=reference,
                scale=scale, null=0.0, kind="robust", at=at, notes=notes,
            )  # fmt: skip
            few = k == 0 and not asked and made.std_error is None
            rows.append(replace(made, status=Status.FEW_CLUSTERS) if few else made)
    return tuple(rows), failed


def _why(values: Floats, k: int) -> Status:
    """Why a measure has no value although the weights have."""
    if k == 0:
        return Status.ZERO_CELL
    risks = values[4:6]
    return Status.ZERO_CELL if np.isfinite(risks).all() else Status.BEYOND_FOLLOW_UP
