"""Optimism of a Cox model that is judged on the patients it was made from, by the bootstrap."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import nan

import numpy as np

from counterpulse.errors import InputError
from counterpulse.numerics.random_streams import stream
from counterpulse.numerics.workers import Jobs
from counterpulse.results.optimism import Optimism, no_optimism, optimism_over
from counterpulse.results.status import Status
from counterpulse.survival.concordant_pairs import count_pairs
from counterpulse.survival.cox_data import prepare
from counterpulse.survival.cox_model import CoxFit
from counterpulse.survival.follow_up import Floats
from counterpulse.survival.maximize import newton_step, varying_independent
from counterpulse.survival.partial_likelihood import gradient_and_information, risk_state
from counterpulse.survival.risk_sets import RiskSets, SortedRows, make_risk_sets

MEASURES = ("concordance", "calibration slope")

CONVERGED = 1e-12
"""Square of the distance to the maximum, in standard errors, at which a replicate is finished."""

MOST_STEPS = 20


def bootstrap_cox_optimism(
    fit: CoxFit, *, seed: int, analysis: str, replicates: int = 1000, jobs: Jobs = 1
) -> Optimism:
    """Correct Harrell's concordance and the calibration slope of a Cox model for optimism (Harrell's bootstrap).

    Parameters
    ----------
    fit : without strata, weights and late entry
    seed, analysis : of the random streams; replicate k is the same whatever else is drawn
    jobs : threads, or workers; the result does not depend on it

    Raises
    ------
    InputError : a model with strata, weights or late entry; fewer than 2 replicates

    Notes
    -----
    A patient drawn twice is two patients, tied with each other. Newton's method begins at the full fit.

    References
    ----------
    Harrell, Lee and Mark 1996 (doi:10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4)
    """
    if replicates < 2:
        raise InputError(f"{replicates} replicates are too few; 1,000 are usual")
    request = fit.request
    if any(part is not None for part in (request.strata, request.weights, request.start)):
        raise InputError("the optimism of a model with strata, weights or late entry is not available; fit one without")
    if fit.status is not Status.OK:
        return no_optimism(MEASURES, replicates, fit.status)
    data = prepare(replace(request, cluster=None))
    model = _Model(data.rows, data.sets, data.design.X, request.ties == "efron")
    start = np.nan_to_num(fit.coefficients) * data.scale
    replicate = partial(_replicate, model, start, seed, analysis)
    return optimism_over(replicate, model.performance(start), measures=MEASURES, replicates=replicates, jobs=jobs)


def _replicate(model: _Model, start: Floats, seed: int, analysis: str, draw: int) -> Floats:
    """The optimism of the model made again from one draw, shape (2,); nan where it cannot be made."""
    again = model.at(np.sort(stream(seed, analysis, draw).integers(0, model.sets.n, model.sets.n)))
    beta = again.maximum(start)
    return np.full(len(MEASURES), nan) if beta is None else again.performance(beta) - model.performance(beta)


@dataclass(frozen=True, slots=True)
class _Model:
    """Sorted rows with their scaled covariates, shape (n, p)."""

    rows: SortedRows
    sets: RiskSets
    X: Floats
    efron: bool

    def at(self, drawn: np.ndarray[tuple[int], np.dtype[np.intp]]) -> _Model:
        """The same model of drawn rows, in ascending order: they stay sorted."""
        rows = SortedRows(
            stop=self.rows.stop[drawn], event=self.rows.event[drawn], start=None, weights=None, strata=None
        )
        X = np.empty((len(drawn), self.X.shape[1]), order="F")
        for j, column in enumerate(self.X.T):
            np.take(column, drawn, out=X[:, j])
        return _Model(rows, make_risk_sets(rows), X, self.efron)

    def maximum(self, start: Floats) -> Floats | None:
        """Coefficients by Newton's method, shape (p,), 0 for columns left out; None where they do not settle."""
        if not self.sets.m:
            return None
        beta = start
        for _ in range(MOST_STEPS):
            state = risk_state(self.sets, self.X, beta, efron=self.efron)
            slope, information, spread = gradient_and_information(self.sets, self.X, state)
            if not (np.isfinite(state.log_likelihood) and np.isfinite(information).all()):
                return None
            kept = varying_independent(information, spread)
            step = newton_step(slope, information, kept)
            if step is None:
                return None
            beta = np.where(kept, beta + step, 0.0)
            if float(slope @ step) <= CONVERGED:
                return beta
        return None

    def performance(self, beta: Floats) -> Floats:
        """Concordance and slope of a linear predictor in these rows, shape (2,)."""
        predictor = self.X @ beta
        size = float(np.abs(predictor).max(initial=0.0))
        if not size > 0:
            return np.array([0.5, nan])
        c = count_pairs(self.rows.stop, self.rows.event, np.round(predictor / size, 12))
        alone = _Model(self.rows, self.sets, np.asfortranarray(predictor[:, None]), self.efron)
        slope = alone.maximum(np.ones(1))
        return np.array([c, nan if slope is None else float(slope[0])])
