"""Augmented weighting of a time to an event: the risks by a time, where follow-up may end before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Unpack

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import complete_rows
from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.numerics.linear_algebra import row_blocks
from counterpulse.regression.augmented_weighting import augmented_means, average_effect, no_effect
from counterpulse.regression.marginal_effect import AverageEffect
from counterpulse.regression.nuisance_models import (
    Arms,
    Nuisance,
    Options,
    Request,
    UnfittedError,
    known_levels,
    possible,
    read_arms,
    redundant,
    settled,
    treatment_scores,
)
from counterpulse.results.provenance import Choice
from counterpulse.results.status import Status
from counterpulse.survival.cox_data import Ties
from counterpulse.survival.cox_model import CoxFit, cox
from counterpulse.survival.follow_up import read_event
from counterpulse.survival.predicted_risk import linear_predictor

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Censoring = Literal["cox", "kaplan-meier"]

METHOD = "augmented inverse probability weighting with censoring"
WORKS = ("bai-2013", "ozenne-2020", "robins-1994")

RISK, TIME, EVENT, RANK, CENSORED = "(risk)", "(time)", "(event)", "(rank)", "(censored)"

EXTREME = 1e4
"""A patient who stands for more than this many, because the others like him were censored, decides the result alone."""

CELLS = 2_000_000
"""Cells of a matrix of patients by censoring times that are worked on at once."""


def augmented_risk(
    table: pl.DataFrame, *, time: str, event: str, treatment: str, covariates: Sequence[Term], at: float,
    censoring: Censoring = "cox", **options: Unpack[Options],
) -> AverageEffect:  # fmt: skip
    """Average effect of a treatment on the risk of an event by a time, doubly robust, with censored follow-up.

    Parameters
    ----------
    table : one row a patient; rows with a missing value in a column used are left out and counted
    time : end of follow-up, not negative
    event : whether it ended with the event: yes/no, 0/1, or 1/2 where 2 is the event
    treatment, covariates, options : as at `aipw`, without learners
    at : the time, not beyond the follow-up of either arm
    censoring : how censoring before `at` is modeled in each arm: Cox's model with the covariates of the outcome models, or
        the Kaplan-Meier curve, where it depends on none of them

    Returns
    -------
    AverageEffect : two marginal risks by the time and their comparisons, or a status

    Raises
    ------
    InputError : a column is absent or cannot be used, a time that is not above zero, learners

    Notes
    -----
    Each arm has a Cox model of the event (Efron) and one of the censoring, of the follow-up until `at`. The event by `at`, seen
    or not, is replaced by its inverse-probability-of-censoring-weighted value with the augmentation that the outcome model
    gives, and enters the estimator of `aipw`. Events come before censorings at the same time. The estimate is consistent
    where the outcome models are right, or those of treatment and censoring are; the variance of the influence function is
    where all are. Nothing may compete with the event.

    References
    ----------
    Bai, Tsiatis and O'Brien 2013 (doi:10.1111/biom.12076); Ozenne and others 2020 (doi:10.1002/bimj.201800298)
    """
    told: Options = {"analysis": "augmented-risk", **options}
    frame = _until(table, time, event, at)
    request = Request(table=frame, outcome=RISK, treatment=treatment, covariates=covariates, **told)
    if request.learned:
        raise InputError("learners are not fitted to censored times; leave them out")
    request.check()
    arms = read_arms(request)
    try:
        found, seen = _predicted(request, arms, at, censoring)
    except UnfittedError as unfitted:
        return _said(no_effect(request, arms, unfitted.status, METHOD, WORKS), at, censoring)
    means, influence = augmented_means(replace(arms, y=seen), found, request.estimand)
    return _said(average_effect(request, arms, found, means, influence, METHOD, WORKS, {}), at, censoring)


def _until(table: pl.DataFrame, time: str, event: str, at: float) -> pl.DataFrame:
    """The follow-up until the time: its end, the event, the censoring, and the order of both at tied times."""
    if not at > 0:
        raise InputError("'at' is a time above zero, in the unit of the follow-up time")
    rows = np.flatnonzero(complete_rows(table, [time, event]))
    ends, had = np.full(table.height, np.nan), np.zeros(table.height, dtype=bool)
    ends[rows] = table[time].cast(pl.Float64).to_numpy()[rows]
    if (ends[rows] < 0).any():
        raise InputError(f"column '{time}' has negative times; correct them")
    had[rows] = read_event(table, event, rows)
    ended = np.minimum(ends, at)
    had &= ends <= at
    censored = ~had & (ends < at)
    known = np.full(table.height, np.nan)
    known[rows] = had[rows]
    rank = np.full(table.height, np.nan)
    rank[rows] = 2.0 * np.unique(ended[rows], return_inverse=True)[1] + ~had[rows]
    columns = {RISK: known, TIME: ended, EVENT: had, RANK: rank, CENSORED: censored}
    return table.with_columns(pl.Series(name, values) for name, values in columns.items()).with_columns(
        pl.col(RISK, TIME, RANK).fill_nan(None)
    )


def _predicted(request: Request, arms: Arms, at: float, censoring: Censoring) -> tuple[Nuisance, Floats]:
    """Scores and risks under each arm, and what each patient's own event by the time is replaced with, shape (n,)."""
    if (status := possible(arms)) is not Status.OK:
        raise UnfittedError(status)
    frame = arms.rows_of(request.table)
    scores = treatment_scores(request, arms)
    terms = list(request.outcome_terms)
    models = _Models(terms=terms, redundant=redundant(request, arms.rows, terms))
    risks, seen = [], np.empty(arms.rows.n)
    for own in (arms.treated, ~arms.treated):
        rows, weights = frame.filter(pl.Series(own)), None if arms.rows.weights is None else arms.rows.weights[own]
        if rows[TIME].to_numpy().max() < at and rows[CENSORED].any():
            raise UnfittedError(Status.BEYOND_FOLLOW_UP)
        of_event = models.fit(rows, TIME, EVENT, weights, Status.ONE_ARM_UNFITTED)
        of_censoring = (models if censoring == "cox" else models.without_terms()).fit(
            rows, RANK, CENSORED, weights, Status.CENSORING_UNFITTED, ties="breslow"
        )
        risks.append(-np.expm1(-of_event.until(np.array([at])) * of_event.risk(frame)))
        seen[own] = _replaced(rows, of_event, of_censoring, at)
    found = Nuisance(scores=scores, if_treated=risks[0], if_not=risks[1])
    return settled(found, request, arms), seen


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hazard:
    """A hazard that jumps, of a reference patient: where, by how much, shape (k,) each; the model says how others differ."""

    times: Floats
    jumps: Floats
    model: CoxFit | None

    def until(self, times: Floats) -> Floats:
        """The cumulative hazard just after each time."""
        return np.append(0.0, np.cumsum(self.jumps))[np.searchsorted(self.times, times, side="right")]

    def risk(self, rows: pl.DataFrame) -> Floats:
        """What the jumps are multiplied by for each row, shape (n,)."""
        if self.model is None:
            return np.ones(rows.height)
        return np.exp(linear_predictor(self.model, known_levels(rows, self.model.spec)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Models:
    """Cox models of the terms; without terms the hazard of everybody. `redundant` columns tell nothing in any arm."""

    terms: list[Term]
    redundant: frozenset[str]

    def without_terms(self) -> _Models:
        """Nobody differs."""
        return replace(self, terms=[])

    def fit(
        self, rows: pl.DataFrame, time: str, event: str, weights: Floats | None, failed: Status, ties: Ties = "efron"
    ) -> _Hazard:
        """The hazard of an event among the patients of one arm."""
        if not rows[event].any():
            return _Hazard(times=np.empty(0), jumps=np.empty(0), model=None)
        if not self.terms:
            return _hazard_of_everybody(rows[time].to_numpy(), rows[event].to_numpy(), weights)
        model = cox(rows, time=time, event=event, terms=self.terms, ties=ties, weights=weights, robust=False)
        if model.status is not Status.OK or not {*model.dropped, *model.single_level} <= self.redundant:
            raise UnfittedError(failed)
        baseline = model.baseline()
        jumps = np.diff(baseline["cumulative_hazard"].to_numpy(), prepend=0.0)
        return _Hazard(times=baseline["time"].to_numpy(), jumps=jumps, model=model)


def _hazard_of_everybody(time: Floats, event: Bools, weights: Floats | None) -> _Hazard:
    """Events over those at risk, at each time of an event."""
    counted = np.ones(len(time)) if weights is None else weights
    times, place = np.unique(time, return_inverse=True)
    left = np.bincount(place, counted)[::-1].cumsum()[::-1]
    events = np.bincount(place, counted * event)
    kept = events > 0
    return _Hazard(times=times[kept], jumps=events[kept] / left[kept], model=None)


def _replaced(rows: pl.DataFrame, of_event: _Hazard, of_censoring: _Hazard, at: float) -> Floats:
    """The event by the time over the probability of being followed to it, and the augmentation; shape (patients of the arm,)."""
    had, place, censored = (rows[name].to_numpy() for name in (EVENT, RANK, CENSORED))
    jumps, risk, own_risk = of_censoring.jumps, of_event.risk(rows), of_censoring.risk(rows)
    left = of_event.until(np.array([at])) - of_event.until(_times_at(rows, of_censoring.times))
    out = np.empty(rows.height)
    for block in row_blocks(rows.height, max(1, CELLS // max(1, len(jumps)))):
        at_risk = place[block, None] >= of_censoring.times
        step = np.where(at_risk, own_risk[block, None] * jumps, 0.0)
        if (step >= 1).any():
            raise UnfittedError(Status.EXTREME_CENSORING_WEIGHTS)
        weight = np.exp(-np.cumsum(np.log1p(-step), axis=1))
        if weight.max(initial=1.0) > EXTREME:
            raise UnfittedError(Status.EXTREME_CENSORING_WEIGHTS)
        expected = -np.expm1(-left * risk[block, None])
        now = (place[block, None] == of_censoring.times) & censored[block, None]
        whole = weight[:, -1] if len(jumps) else np.ones(len(weight))
        out[block] = had[block] * whole + (expected * weight * (now - step)).sum(axis=1)
    return out


def _times_at(rows: pl.DataFrame, places: Floats) -> Floats:
    """The times at places in the order of the times, shape (k,)."""
    known = rows.select(RANK, TIME).unique().sort(RANK)
    return known[TIME].to_numpy()[np.searchsorted(known[RANK].to_numpy(), places)]


def _said(effect: AverageEffect, at: float, censoring: Censoring) -> AverageEffect:
    """The effect with the choices of this estimator."""
    choices = [choice for choice in effect.provenance.choices if choice.name not in ("outcome model", "cross-fitting")]
    own = (
        Choice("at", float(at), "given"), Choice("outcome model", "Cox regression by arm", "default", "ozenne-2020"),
        Choice("model of the censoring", f"{'Cox regression' if censoring == 'cox' else 'Kaplan-Meier curve'} by arm",
               "default" if censoring == "cox" else "given", "bai-2013"),
    )  # fmt: skip
    return replace(effect, provenance=replace(effect.provenance, choices=(*own, *choices)))
