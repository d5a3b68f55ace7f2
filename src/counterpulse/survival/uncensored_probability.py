"""Weights that let those still followed stand for those who were lost: the inverse probability of being uncensored.

References
----------
Robins and Finkelstein 2000 (doi:10.1111/j.0006-341X.2000.00779.x); stabilization: Cole and Hernan 2008
(doi:10.1093/aje/kwn164)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
import polars as pl

from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.survival.cox_data import cluster_codes
from counterpulse.survival.cox_model import CoxFit, cox
from counterpulse.survival.follow_up import (
    ColumnOrArray,
    Floats,
    FollowUp,
    Indices,
    column_names,
    read_follow_up,
    with_column,
)
from counterpulse.survival.kaplan_meier_curves import curves_of
from counterpulse.survival.partial_likelihood import risk_state
from counterpulse.survival.predicted_risk import linear_predictor
from counterpulse.survival.risk_sets import make_risk_sets, segmented_cumsum, sort_rows

EXTREME = 1e4
"""A weight above this makes one row stand for so many that the rest hardly counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CensoringWeights:
    """Inverse-probability-of-censoring weights of the rows of a table.

    Attributes
    ----------
    weights : shape (rows of the table,), nan where a row, or one before it of the same patient, is incomplete
    probability : of being uncensored until just before the end of the row, before stabilization and truncation, same shape
    n_truncated : weights that were held at a limit
    effective_size : (sum of weights)^2 over the sum of their squares, over rows
    model : of the censoring; None where it is a curve
    """

    weights: Floats
    probability: Floats
    n: int
    n_missing: int
    n_truncated: int
    mean: float
    smallest: float
    largest: float
    effective_size: float
    model: CoxFit | None
    status: Status
    provenance: Provenance

    def estimates(self) -> tuple[Estimate, ...]:
        """Hazard ratios of being censored, where there is a model."""
        return () if self.model is None else self.model.estimates()

    def tidy(self) -> pl.DataFrame:
        """One row a coefficient of the model of the censoring."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """One row: how the weights are distributed."""
        return pl.DataFrame(
            {
                "n": [self.n], "n_missing": [self.n_missing], "mean": [self.mean], "smallest": [self.smallest],
                "largest": [self.largest], "n_truncated": [self.n_truncated], "effective_size": [self.effective_size],
                "status": [self.status.code],
            }
        )  # fmt: skip


def inverse_censoring_weights(
    table: pl.DataFrame,
    *,
    time: str,
    censored: str,
    start: str | None = None,
    patient: ColumnOrArray | None = None,
    terms: Sequence[Term] | None = None,
    numerator: Sequence[Term] | None = None,
    strata: ColumnOrArray | None = None,
    stabilized: bool = True,
    truncation: tuple[float, float] | None = None,
) -> CensoringWeights:
    """Weight every row by the inverse of the probability of being uncensored until just before its end.

    Parameters
    ----------
    table : one row a patient, or one row an interval (start, time], split at least where outcomes are looked at
    time, start : of the row
    censored : whether the row ends with the censoring that is weighted for (not with the event or the end of the study)
    patient : column(s) or array; needed where a patient has several rows
    terms : covariates of a Cox model (Efron) of the censoring, as they stand in the row; None for product-limit curves
    numerator : covariates of the stabilizing numerator, known at time zero; default none
    strata : column(s) or array within which the censoring is estimated; the numerator is never stratified
    stabilized : multiply by the probability under the numerator
    truncation : percentiles, as fractions, at which weights are held, such as (0.01, 0.99)

    Raises
    ------
    InputError : columns that are absent or of the wrong kind, impossible times, intervals of a patient that do not
        join, impossible percentiles, a numerator without stabilization or without `terms`

    Notes
    -----
    Assumes that censoring is independent of the outcome given the covariates, and that everybody could have stayed. A row that
    ends when others are censored comes before them; who has the event at a time is at risk of being censored at it. With late
    entry the probability is that from the entry on. An analysis with the weights needs a robust variance.

    References
    ----------
    Robins and Finkelstein 2000 (doi:10.1111/j.0006-341X.2000.00779.x)
    """
    _check(terms, numerator, stabilized, truncation)
    follow_up = read_follow_up(
        with_column(table, "patient", patient), time=time, event=censored, start=start, groups=strata,
        also_complete=column_names(patient, "patient"),
    )  # fmt: skip
    model = None
    if terms is None or not follow_up.event.any():
        curves, risk = _curves(follow_up), np.ones(len(follow_up.time))
    else:
        model = cox(table, time=time, event=censored, terms=terms, start=start, strata=strata)
        curves, risk = _hazards(model, follow_up), np.exp(linear_predictor(model, table)[follow_up.rows])
    order, first = _patient_order(table, patient, follow_up)
    logarithm = _until_end(follow_up, curves, risk, order, first)
    probability, weights = np.full(table.height, np.nan), np.full(table.height, np.nan)
    probability[follow_up.rows] = np.exp(-logarithm)
    status = Status.OK if model is None else model.status
    if stabilized:
        over, numerator_status = _numerator(
            table, time, censored, start, numerator, follow_up, order, first, hazards=model is not None
        )
        logarithm = logarithm - over
        status = numerator_status if status is Status.OK else status
    weights[follow_up.rows] = np.exp(logarithm)
    return _described(
        table, weights, probability, truncation, model, status, _provenance(terms, stabilized, truncation)
    )


def _check(
    terms: Sequence[Term] | None, numerator: Sequence[Term] | None, stabilized: bool,
    truncation: tuple[float, float] | None,
) -> None:  # fmt: skip
    if isinstance(terms, str) or isinstance(numerator, str) or (terms is not None and not terms):
        raise InputError("'terms' is a list of at least one column name or term, or None for curves")
    if numerator and (terms is None or not stabilized):
        raise InputError("'numerator' belongs to stabilized weights of a model; give 'terms', and stabilized=True")
    if truncation is not None and not 0 <= truncation[0] < truncation[1] <= 1:
        raise InputError("'truncation' is two percentiles as fractions, the lower first, such as (0.01, 0.99)")


@dataclass(frozen=True, slots=True)
class _Falling:
    """Minus the logarithm of the probability of being uncensored, as a step function; of a reference row in a model."""

    times: Floats
    values: Floats

    def before(self, times: Floats) -> Floats:
        """Just before each time."""
        return self._at(np.searchsorted(self.times, times, side="left"))

    def after(self, times: Floats) -> Floats:
        """Just after each time."""
        return self._at(np.searchsorted(self.times, times, side="right"))

    def _at(self, place: Indices) -> Floats:
        return np.append(0.0, self.values)[place]


def _curves(follow_up: FollowUp) -> list[_Falling]:
    """Product-limit curves of the strata."""
    found = []
    for curve in curves_of(follow_up, interval="plain", level=0.95):
        with np.errstate(divide="ignore"):
            found.append(_Falling(curve.time, -np.log(curve.survival)))
    return found


def _hazards(model: CoxFit, follow_up: FollowUp) -> list[_Falling]:
    """Baseline hazards of the strata."""
    baseline = model.baseline()
    found = []
    for label in follow_up.labels or ("",):
        own = baseline.filter(pl.col("stratum") == label)
        found.append(_Falling(own["time"].to_numpy(), own["cumulative_hazard"].to_numpy()))
    return found


def _patient_order(table: pl.DataFrame, patient: ColumnOrArray | None, follow_up: FollowUp) -> tuple[Indices, Indices]:
    """The rows patient by patient in order of time, and where each patient begins."""
    codes, _ = cluster_codes(
        with_column(table, "patient", patient), column_names(patient, "patient") or None, follow_up.rows
    )
    if codes is None:
        return np.arange(len(follow_up.time)), np.arange(len(follow_up.time))
    order = np.lexsort((follow_up.time, codes))
    begins = np.diff(codes[order], prepend=-1) != 0
    start = np.zeros(len(order)) if follow_up.start is None else follow_up.start
    apart = int(np.count_nonzero(~begins[1:] & (start[order][1:] != follow_up.time[order][:-1])))
    if apart:
        raise InputError(
            f"{apart} intervals do not begin where the one before them of the same patient ends; give rows of a patient that "
            "follow one another without a gap, and complete their times"
        )
    return order, np.flatnonzero(begins)


def _until_end(follow_up: FollowUp, curves: list[_Falling], risk: Floats, order: Indices, first: Indices) -> Floats:
    """Minus the logarithm of the probability of being uncensored until just before the end of each row, shape (n,)."""
    n = len(follow_up.time)
    start = np.full(n, -inf) if follow_up.start is None else follow_up.start
    groups = np.zeros(n, dtype=np.intp) if follow_up.groups is None else follow_up.groups
    own, whole = np.zeros(n), np.zeros(n)
    for code, curve in enumerate(curves):
        rows = np.flatnonzero(groups == code)
        begin = curve.after(start[rows])
        own[rows] = risk[rows] * (curve.before(follow_up.time[rows]) - begin)
        with np.errstate(invalid="ignore"):
            whole[rows] = risk[rows] * (curve.after(follow_up.time[rows]) - begin)
    # Where nobody is left the probability is zero, and no row comes after.
    steps = np.where(np.isfinite(whole), whole, 0.0)[order]
    earlier = segmented_cumsum(steps, first) - steps
    total = np.empty(n)
    total[order] = own[order] + earlier
    unknown = np.empty(n, dtype=bool)
    unknown[order] = segmented_cumsum(np.where(np.isfinite(risk), 0.0, 1.0)[order], first) > 0
    return np.where(unknown, np.nan, total)


def _numerator(
    table: pl.DataFrame, time: str, censored: str, start: str | None, terms: Sequence[Term] | None, follow_up: FollowUp,
    order: Indices, first: Indices, *, hazards: bool,
) -> tuple[Floats, Status]:  # fmt: skip
    """Minus the logarithm of the probability without the covariates that change, and the status of its model."""
    together = FollowUp(
        rows=follow_up.rows, time=follow_up.time, event=follow_up.event, start=follow_up.start, weights=None, groups=None,
        labels=(), n_missing=follow_up.n_missing,
    )  # fmt: skip
    if terms and follow_up.event.any():
        model = cox(table, time=time, event=censored, terms=terms, start=start)
        risk = np.exp(linear_predictor(model, table)[follow_up.rows])
        return _until_end(together, _hazards(model, together), risk, order, first), model.status
    curves = [_null_hazard(together)] if hazards else _curves(together)
    return _until_end(together, curves, np.ones(len(follow_up.time)), order, first), Status.OK


def _null_hazard(follow_up: FollowUp) -> _Falling:
    """The hazard of a Cox model without covariates."""
    rows, _ = sort_rows(follow_up)
    sets = make_risk_sets(rows)
    state = risk_state(sets, np.zeros((sets.n, 1)), np.zeros(1), efron=True)
    return _Falling(sets.time[::-1], np.cumsum(state.s10[::-1]) * np.exp(-state.shift))


def _described(
    table: pl.DataFrame, weights: Floats, probability: Floats, truncation: tuple[float, float] | None,
    model: CoxFit | None, status: Status, provenance: Provenance,
) -> CensoringWeights:  # fmt: skip
    known = np.isfinite(weights)
    some = weights[known]
    n_truncated = 0
    if truncation is not None and len(some):
        low, high = np.quantile(some, truncation)
        n_truncated = int(np.count_nonzero((some < low) | (some > high)))
        some = np.clip(some, low, high)
    out = np.full(table.height, np.nan)
    out[known] = some
    if not len(some):
        status, some = Status.NO_ROWS if status is Status.OK else status, np.full(1, np.nan)
    if status is Status.OK and some.max() > EXTREME:
        status = Status.EXTREME_CENSORING_WEIGHTS
    return CensoringWeights(
        weights=out, probability=probability, n=int(known.sum()), n_missing=int(table.height - known.sum()),
        n_truncated=n_truncated, mean=float(some.mean()), smallest=float(some.min()), largest=float(some.max()),
        effective_size=float(some.sum() ** 2 / (some @ some)), model=model, status=status, provenance=provenance,
    )  # fmt: skip


def _provenance(terms: Sequence[Term] | None, stabilized: bool, truncation: tuple[float, float] | None) -> Provenance:
    held = "none" if truncation is None else f"{truncation[0]:g} to {truncation[1]:g}"
    return Provenance(
        method="inverse-probability-of-censoring weights",
        choices=(
            Choice("model of the censoring", "Kaplan-Meier" if terms is None else "Cox", "given" if terms else "default"),
            Choice("stabilized", stabilized, "default" if stabilized else "given", "cole-hernan-2008"),
            Choice("truncation at percentiles", held, "default" if truncation is None else "given", "cole-hernan-2008"),
        ),
        citations=("robins-finkelstein-2000", "cole-hernan-2008"),
    )  # fmt: skip
