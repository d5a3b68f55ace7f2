"""The estimates of a Cox model in the units of the table, each with what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import polars as pl

from counterpulse.numerics.linear_algebra import cluster_sums, weighted_gram
from counterpulse.results.coefficients import TOO_FEW
from counterpulse.results.profile_interval import ProfileInterval
from counterpulse.results.status import Status
from counterpulse.survival.cox_data import CoxData, CoxRequest
from counterpulse.survival.cox_profile import profile_intervals
from counterpulse.survival.follow_up import Bools, Floats
from counterpulse.survival.maximize import Maximum, maximize
from counterpulse.survival.risk_sets import segmented_cumsum
from counterpulse.survival.score_residuals import to_score_residuals


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Log hazard ratios, shape (p,), and covariances, shape (p, p), nan where a status is not OK."""

    values: Floats
    covariance: Floats
    model_covariance: Floats
    statuses: tuple[Status, ...]
    status: Status
    log_likelihood_null: float
    log_likelihood: float
    clusters: int | None
    iterations: int
    hazard: pl.DataFrame
    profiles: tuple[ProfileInterval | None, ...] = ()


def solve(request: CoxRequest, data: CoxData, *, sandwich: bool, profile: float | None = None) -> Solution:
    """Fit the model; without rows, events or knots every coefficient says so. The design of `data` is used up.

    `profile` is the level of profile-likelihood intervals, where they are wanted.
    """
    if data.sets.n == 0:
        return _nothing(Status.NO_ROWS, len(data.design.columns))
    if data.sets.m == 0:
        return _nothing(Status.NO_EVENTS, len(data.design.columns))
    if data.design.spec.without_knots:
        return _nothing(Status.FEW_VALUES, len(data.design.columns))
    maximum = maximize(data.rows, data.sets, data.design.X, efron=request.ties == "efron")
    statuses = coefficient_statuses(
        constant=data.constant, independent=maximum.independent, infinite=maximum.infinite,
        lost=maximum.status is Status.NOT_CONVERGED or not np.any(np.diag(maximum.covariance)),
    )  # fmt: skip
    failed = np.array([status is not Status.OK for status in statuses], dtype=bool)
    hazard = _baseline(data, maximum)
    efron = request.ties == "efron"
    profiles = () if profile is None else profile_intervals(data, maximum, statuses, efron=efron, level=profile)
    clusters, covariance = None, maximum.covariance
    if sandwich:
        codes, count = data.clusters, data.n_clusters
        clusters = count if codes is not None else None
        residuals = to_score_residuals(data.sets, data.design.X, maximum.state)
        spread = weighted_gram(residuals if codes is None else cluster_sums(residuals, codes, count))
        covariance = maximum.covariance @ spread @ maximum.covariance
        if clusters is not None and clusters < TOO_FEW:
            covariance = np.full_like(covariance, nan)
    values = maximum.beta / data.scale
    values[failed] = nan
    return Solution(
        values=values, covariance=in_units(covariance, data.scale, failed),
        model_covariance=in_units(maximum.covariance, data.scale, failed), statuses=statuses, status=maximum.status,
        log_likelihood_null=maximum.log_likelihood_null, log_likelihood=maximum.log_likelihood, clusters=clusters,
        iterations=maximum.iterations, hazard=hazard, profiles=profiles,
    )  # fmt: skip


def _nothing(status: Status, p: int) -> Solution:
    unknown = np.full((p, p), nan)
    columns = {"stratum": pl.String, "time": pl.Float64, "cumulative_hazard": pl.Float64, "survival": pl.Float64}
    return Solution(
        values=np.full(p, nan), covariance=unknown, model_covariance=unknown, statuses=(status,) * p, status=status,
        log_likelihood_null=nan, log_likelihood=nan, clusters=None, iterations=0, hazard=pl.DataFrame(schema=columns),
    )  # fmt: skip


def coefficient_statuses(*, constant: Bools, independent: Bools, infinite: Bools, lost: bool) -> tuple[Status, ...]:
    """What became of each coefficient; `lost` where the search for all of them did not end."""
    rest = Status.NOT_CONVERGED if lost else Status.OK
    return tuple(
        Status.CONSTANT if one_value
        else Status.SEPARATION if without_end
        else rest if kept
        else Status.RANK_DEFICIENT
        for one_value, without_end, kept in zip(constant, infinite, independent, strict=True)
    )  # fmt: skip


def in_units(covariance: Floats, scale: Floats, failed: Bools) -> Floats:
    """A covariance of scaled covariates in the units of the table, nan in the rows of what failed; symmetric."""
    matrix = (covariance + covariance.T) / 2 / np.outer(scale, scale)
    matrix[failed, :] = nan
    matrix[:, failed] = nan
    return matrix


def _baseline(data: CoxData, maximum: Maximum) -> pl.DataFrame:
    sets = data.sets
    order = np.arange(sets.m)[::-1]
    order = order[np.argsort(sets.stratum[order], kind="stable")]
    stratum = sets.stratum[order]
    increments = maximum.state.s10[order] * np.exp(-maximum.state.shift)
    total = segmented_cumsum(increments, np.flatnonzero(np.diff(stratum, prepend=-1)))
    return pl.DataFrame(
        {
            "stratum": pl.Series(data.strata or ("",), dtype=pl.String).gather(stratum),
            "time": sets.time[order],
            "cumulative_hazard": total,
            "survival": np.exp(-total),
        }
    )
