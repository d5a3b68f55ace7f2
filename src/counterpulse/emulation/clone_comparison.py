"""Clone-censor-weight: treatment within a grace period against none, with nobody's immortal time on either side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import nan
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import build_design, complete_rows
from counterpulse.data.terms import Term, variables_of
from counterpulse.emulation.clone_intervals import interval_weights, truncated, weighted_quantiles
from counterpulse.emulation.clone_result import MEASURES, ArmReport, CloneCensorWeight, clone_estimates
from counterpulse.emulation.clones import Arm, clone
from counterpulse.emulation.deviation_weights import CensoringModel, DeviationWeights, deviation_weights, unit_weights
from counterpulse.emulation.followed import Followed, read_followed
from counterpulse.emulation.weighted_arms import (
    ArmSums,
    TwoArmCox,
    arm_sums,
    comparison,
    event_times,
    robust_error,
    survival_at,
    two_arm_cox,
)
from counterpulse.errors import InputError
from counterpulse.numerics.blocks import map_jobs
from counterpulse.numerics.random_streams import stream
from counterpulse.numerics.workers import Jobs
from counterpulse.results.coefficients import TOO_FEW
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

EXTREME = 1e4
"""A larger weight lets single patients decide."""

QUANTILES = np.array([0.01, 0.25, 0.5, 0.75, 0.99])


class _Patients(NamedTuple):
    """Arrays of the patients used, shape (n,), and their covariates, shape (n, p)."""

    time: Floats
    event: NDArray[np.bool_]
    exposed_at: Floats
    until: Floats
    X: Floats

    def drawn(self, rows: Indices) -> _Patients:
        return _Patients(self.time[rows], self.event[rows], self.exposed_at[rows], self.until[rows], self.X[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    grace: float
    horizon: float
    model: CensoringModel
    stabilized: bool
    truncate: tuple[float, float] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Emulation:
    """One pass over some patients: clones, weights and what they give."""

    arms: tuple[Arm, Arm]
    cuts: Floats
    status: Status
    weights: tuple[DeviationWeights, DeviationWeights]
    sums: tuple[ArmSums, ArmSums] | None = None
    cox: TwoArmCox | None = None
    values: Floats


def clone_censor_weight(
    table: pl.DataFrame,
    *,
    exposure_time: str,
    time: str,
    event: str,
    grace: float,
    covariates: Sequence[Term],
    horizon: float,
    strategies: tuple[str, str] = ("within grace", "never"),
    exposed: str | None = None,
    until: str | None = None,
    censoring_model: CensoringModel = "cox",
    stabilized: bool = False,
    truncate: tuple[float, float] | None = None,
    bootstrap: int = 0,
    seed: int = 0,
    analysis: str = "clone-censor-weight",
    level: float = 0.95,
    jobs: Jobs = 1,
) -> CloneCensorWeight:
    """Compare beginning treatment within a grace period with never beginning it.

    Parameters
    ----------
    table : one row a patient
    exposure_time : time from time zero to first exposure, missing if never
    time, event : end of follow-up from time zero, and whether it is the event
    grace : length of the grace period, in the unit of `time`
    covariates : terms at time zero that explain deviation and the outcome
    horizon : time at which risks and restricted means are compared
    strategies : names of the two arms, the treated one first
    exposed : a yes/no (or 0/1) column of who was exposed, checked against `exposure_time`
    until : a column with the end of the time in which treatment could begin (discharge, say), where that is before the end of
        follow-up; from then on nobody leaves a strategy. Missing: the end of follow-up
    censoring_model : of leaving a strategy: "cox" (Efron), or "pooled-logistic" at the times of leaving, with a natural spline of
        time
    stabilized : multiply the weights by the probability of following the strategy without regard to covariates
    truncate : two quantiles, such as (0.01, 0.99), of the weights of an arm at which they are held
    bootstrap : replicates; 0 gives the hazard ratio a robust interval by patient and the others none
    seed, analysis : of the random streams; replicate k is the same whatever else is drawn
    jobs : threads, or workers; the result does not depend on it

    Returns
    -------
    CloneCensorWeight : per-protocol effects in everybody eligible at time zero; of fewer than 10 patients the hazard ratio has no
        robust interval

    Raises
    ------
    InputError : columns that are absent or of the wrong kind; exposure before time zero or after death; exposed patients
        without a time; impossible options

    Notes
    -----
    Every patient is cloned to both strategies at time zero and censored on leaving one: unexposed at the end of the grace
    period, or at exposure. Follow-up is cut at every end of a clone's follow-up. In each arm a model of the
    artificial censoring gives the probability of following the strategy until an interval begins; its inverse is the
    weight, which in the treated arm is 1 until the grace period ends. Loss to follow-up is taken as independent. The effect is
    causal where the covariates suffice to explain who begins treatment when. The bootstrap draws patients, clones and
    weights anew; its intervals are percentiles.

    References
    ----------
    Hernan 2018 (doi:10.1136/bmj.k182); Maringe and others 2020 (doi:10.1093/ije/dyaa057)
    """
    _check(grace, horizon, truncate, bootstrap, level, strategies, censoring_model)
    names = [name for term in covariates for name in variables_of(term)]
    if not names:
        raise InputError("'covariates' names no column; name what explains who begins treatment and the outcome")
    complete = np.flatnonzero(complete_rows(table, [time, event, *names]))
    followed = read_followed(table[complete], time=time, event=event, exposure_time=exposure_time)
    _check_exposure(table[complete], followed, time=time, exposure_time=exposure_time, exposed=exposed)
    rows = complete[followed.rows]
    design = build_design(table, covariates, intercept=False, rows=rows)
    if not np.isfinite(design.X).all():
        raise InputError("a covariate has an infinite value; make it missing or correct it")
    able = _until(table[rows], followed, until)
    patients = _Patients(followed.time, followed.event, followed.exposed_at, able, design.X)
    request = _Request(
        grace=float(grace), horizon=float(horizon), model=censoring_model, stabilized=stabilized, truncate=truncate
    )
    status = Status.FEW_VALUES if design.spec.without_knots else _possible(patients, request)
    whole = _emulate(patients, request) if status is Status.OK else _blank(patients, request, status)
    reports = (_report(whole, 0, strategies[0]), _report(whole, 1, strategies[1]))
    if max(report.high for report in reports) > EXTREME:
        whole = _blank(patients, request, Status.EXTREME_CENSORING_WEIGHTS)
    replicates = np.empty((0, len(MEASURES)))
    if bootstrap and whole.status is Status.OK:
        replicates = _bootstrap(patients, request, bootstrap, seed, analysis, jobs)
    error = nan
    if whole.cox is not None and np.isfinite(whole.cox.log_hazard_ratio) and len(rows) >= TOO_FEW:
        error = robust_error(whole.cox, whole.arms, whole.weights, event_times(whole.arms), len(rows))
    estimates, failed = clone_estimates(
        whole.values, error, replicates, bootstrap, strategies=strategies, horizon=float(horizon), level=level,
        status=whole.status,
    )  # fmt: skip
    return CloneCensorWeight(
        rows=rows, strategies=strategies, effects=estimates, replicates=replicates, failed=failed, status=whole.status,
        arms=reports,
        unweighted_log_hazard_ratio=_unweighted(whole), robust_error=error,
        n=len(rows), n_missing=table.height - len(rows), n_after_end=followed.n_after_end,
        grace=float(grace), horizon=float(horizon), curves=_curves(whole, strategies),
        clones=whole.arms, weights=whole.weights, cuts=whole.cuts, provenance=_provenance(request, bootstrap, seed, strategies),
    )  # fmt: skip


def _check(
    grace: float, horizon: float, truncate: tuple[float, float] | None, bootstrap: int, level: float,
    strategies: tuple[str, str], model: str,
) -> None:  # fmt: skip
    if model not in ("cox", "pooled-logistic"):
        raise InputError(f"censoring_model={model!r} is not known; use 'cox' or 'pooled-logistic'")
    if not (np.isfinite(grace) and grace >= 0):
        raise InputError("'grace' is a finite length of time at or above zero, in the unit of the follow-up time")
    if not (np.isfinite(horizon) and horizon > 0):
        raise InputError("'horizon' is a finite time above zero, in the unit of the follow-up time")
    if truncate is not None and not 0 <= truncate[0] < truncate[1] <= 1:
        raise InputError("'truncate' are two quantiles between 0 and 1, such as (0.01, 0.99), or None")
    if bootstrap != 0 and bootstrap < 2:
        raise InputError(f"{bootstrap} replicates are too few; 1,000 are usual, and 0 is for none")
    if not 0 < level < 1:
        raise InputError("'level' lies between 0 and 1, such as 0.95")
    if len(strategies) != 2 or strategies[0] == strategies[1]:
        raise InputError("'strategies' are two different names, the treated arm first")


def _check_exposure(
    table: pl.DataFrame, followed: Followed, *, time: str, exposure_time: str, exposed: str | None
) -> None:
    """Refuse exposure after death, and an exposure that contradicts the column of who was exposed."""
    given = table[exposure_time].cast(pl.Float64).fill_nan(None).to_numpy()[followed.rows]
    dead = int(np.count_nonzero(followed.event & (given > followed.time)))
    if dead:
        raise InputError(
            f"'{exposure_time}' is after '{time}' in {dead} rows that end with the event; correct the dates, or make the exposure "
            "missing where it never began"
        )
    if exposed is None:
        return
    if exposed not in table.columns:
        raise InputError(f"the table has no column '{exposed}'")
    column = table[exposed]
    if not (column.dtype == pl.Boolean or column.dtype.is_numeric()):
        raise InputError(f"column '{exposed}' is {column.dtype}; it is yes/no or 0/1")
    values = column.cast(pl.Float64).fill_null(nan).to_numpy()[followed.rows]
    if not np.isin(values[~np.isnan(values)], (0.0, 1.0)).all():
        raise InputError(f"column '{exposed}' has numbers other than 0 and 1; recode it as yes/no or 0/1")
    timeless = int(np.count_nonzero((values == 1) & np.isnan(given)))
    if timeless:
        raise InputError(
            f"'{exposure_time}' is missing in {timeless} rows that are exposed; find the time or leave them out"
        )
    untreated = int(np.count_nonzero((values == 0) & ~np.isnan(given)))
    if untreated:
        raise InputError(
            f"'{exposure_time}' has a time in {untreated} rows that are not exposed; correct one of the two"
        )


def _until(table: pl.DataFrame, followed: Followed, name: str | None) -> Floats:
    """The time until which each patient could be exposed, at most the end of follow-up; no exposure is after it."""
    if name is None:
        return followed.time
    if name not in table.columns:
        raise InputError(f"the table has no column '{name}'")
    if not (table[name].dtype.is_numeric() or table[name].dtype == pl.Null):
        raise InputError(f"column '{name}' is {table[name].dtype}; it must be a time from time zero")
    given = table[name].cast(pl.Float64).fill_nan(None).fill_null(np.inf).to_numpy()
    begun = np.where(np.isfinite(followed.exposed_at), followed.exposed_at, 0.0)
    until: Floats = np.maximum(np.minimum(given, followed.time), begun)
    return until


def _possible(patients: _Patients, request: _Request) -> Status:
    """Whether the two strategies can be told apart in these patients."""
    if not len(patients.time):
        return Status.NO_ROWS
    if request.grace >= patients.until.max():
        return Status.GRACE_BEYOND_FOLLOW_UP
    if not (patients.exposed_at <= request.grace).any():
        return Status.NONE_EXPOSED_IN_GRACE
    if (patients.exposed_at <= request.grace).all():
        return Status.ALL_EXPOSED_IN_GRACE
    return Status.OK if patients.event.any() else Status.NO_EVENTS


def _blank(patients: _Patients, request: _Request, status: Status) -> _Emulation:
    arms = clone(patients.time, patients.event, patients.exposed_at, patients.until, request.grace)
    none = unit_weights(len(patients.time))
    return _Emulation(
        arms=arms, cuts=_cuts(arms), status=status, weights=(none, none), values=np.full(len(MEASURES), nan)
    )


def _cuts(arms: tuple[Arm, Arm]) -> Floats:
    return np.unique(np.concatenate([arm.time for arm in arms]))


def _emulate(patients: _Patients, request: _Request) -> _Emulation:
    """Clone, censor, weight, compare."""
    arms = clone(patients.time, patients.event, patients.exposed_at, patients.until, request.grace)
    cuts = _cuts(arms)
    first, second = (
        deviation_weights(arm, patients.X, model=request.model, stabilized=request.stabilized) for arm in arms
    )
    if Status.OK is not first.status or Status.OK is not second.status:
        return _blank(patients, request, Status.DEVIATION_PREDICTED)
    if request.truncate is not None:
        first, second = (
            truncated(own, arm, cuts, request.truncate) for own, arm in zip((first, second), arms, strict=True)
        )
    times = event_times(arms)
    if not len(times):
        return _blank(patients, request, Status.NO_EVENTS)
    sums = arm_sums(arms[0], first, times), arm_sums(arms[1], second, times)
    cox = two_arm_cox(*sums)
    ends = tuple(survival_at(one, arm, request.horizon) for one, arm in zip(sums, arms, strict=True))
    return _Emulation(
        arms=arms, cuts=cuts, status=Status.OK, weights=(first, second), sums=sums, cox=cox,
        values=comparison(ends[0], ends[1], cox.log_hazard_ratio),
    )  # fmt: skip


def _bootstrap(patients: _Patients, request: _Request, replicates: int, seed: int, analysis: str, jobs: Jobs) -> Floats:
    """Measures of every replicate, shape (replicates, k); nan where one could not be had."""
    return np.array(map_jobs(partial(_replicate, patients, request, seed, analysis), range(replicates), jobs=jobs))


def _replicate(patients: _Patients, request: _Request, seed: int, analysis: str, draw: int) -> Floats:
    n = len(patients.time)
    drawn = patients.drawn(stream(seed, analysis, draw).integers(0, n, n))
    if _possible(drawn, request) is not Status.OK:
        return np.full(len(MEASURES), nan)
    return _emulate(drawn, request).values


def _unweighted(whole: _Emulation) -> float:
    """The log hazard ratio of the clones without weights, for comparison; nan where there is none."""
    if whole.sums is None:
        return nan
    times = whole.sums[0].times
    first, second = (arm_sums(arm, unit_weights(len(arm.time)), times) for arm in whole.arms)
    return two_arm_cox(first, second).log_hazard_ratio


def _report(whole: _Emulation, position: int, strategy: str) -> ArmReport:
    arm, weights = whole.arms[position], whole.weights[position]
    report = ArmReport(
        strategy=strategy, clones=len(arm.time), events=int(arm.event.sum()),
        artificially_censored=int(arm.deviated.sum()), person_time=float(arm.time.sum()),
    )  # fmt: skip
    if whole.status is not Status.OK:
        return report
    values, counts = interval_weights(weights, arm, whole.cuts)
    if not len(values):
        return report
    return replace(
        report, intervals=int(counts.sum()), mean=float(values @ counts / counts.sum()), low=float(values.min()),
        high=float(values.max()), quantiles=tuple(weighted_quantiles(values, counts, QUANTILES).tolist()),
        effective=float((values @ counts) ** 2 / (values**2 @ counts)),
    )  # fmt: skip


def _curves(whole: _Emulation, strategies: tuple[str, str]) -> pl.DataFrame:
    """The weighted product-limit curves of the arms at every event time of either."""
    schema = {
        "strategy": pl.String, "time": pl.Float64, "at_risk": pl.Float64, "events": pl.Float64, "survival": pl.Float64,
    }  # fmt: skip
    if whole.sums is None:
        return pl.DataFrame(schema=schema)
    parts = [
        pl.DataFrame(
            {"strategy": [name] * len(one.times), "time": one.times, "at_risk": one.at_risk, "events": one.events,
             "survival": one.survival()}, schema=schema,
        )
        for name, one in zip(strategies, whole.sums, strict=True)
    ]  # fmt: skip
    return pl.concat(parts)


def _provenance(request: _Request, bootstrap: int, seed: int, strategies: tuple[str, str]) -> Provenance:
    truncate = "none" if request.truncate is None else f"quantiles {request.truncate[0]:g} and {request.truncate[1]:g}"
    return Provenance(
        method="clone-censor-weight",
        choices=(
            Choice("grace", request.grace, "given", "hernan-2018"),
            Choice("horizon", request.horizon, "given"),
            Choice("strategies", " against ".join(strategies), "given"),
            Choice("model of artificial censoring", f"{request.model}, by arm", "default" if request.model == "cox" else "given", "maringe-2020"),
            Choice("stabilized", request.stabilized, "given" if request.stabilized else "default"),
            Choice("truncation of weights", truncate, "default" if request.truncate is None else "given"),
            Choice(
                "interval", "percentiles of a bootstrap of patients" if bootstrap else "robust, by patient",
                "given" if bootstrap else "default",
            ),
            *((Choice("bootstrap replicates", bootstrap, "given"), Choice("seed", seed, "given")) if bootstrap else ()),
        ),
        citations=("hernan-2018", "maringe-2020"),
    )  # fmt: skip
