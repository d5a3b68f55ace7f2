"""The risk of the event by a time that a Cox model predicts."""

from __future__ import annotations

import numpy as np
import polars as pl

from counterpulse.data.design import complete_rows
from counterpulse.data.terms import variables_of
from counterpulse.errors import InputError
from counterpulse.results.status import Status
from counterpulse.survival.cox_model import CoxFit
from counterpulse.survival.follow_up import Floats


def linear_predictor(fit: CoxFit, table: pl.DataFrame) -> Floats:
    """Log hazard ratio of every row against the means of the model's columns, nan where a covariate is missing; shape (n,).

    All nan where the fit has an infinite coefficient or did not converge. Dependent columns count nothing.
    """
    out = np.full(table.height, np.nan)
    if fit.status is not Status.OK:
        return out
    rows = np.flatnonzero(complete_rows(table, [name for term in fit.request.terms for name in variables_of(term)]))
    out[rows] = (fit.spec.matrix(table, rows) - fit.center) @ np.nan_to_num(fit.coefficients)
    return out


def risk_at_time(fit: CoxFit, table: pl.DataFrame, time: float) -> Floats:
    """Predict the risk of the event by a time for every row, nan where a covariate is missing; shape (n,).

    Raises
    ------
    InputError : the model is stratified
    """
    hazard = fit.baseline()
    if hazard["stratum"].n_unique() > 1:
        raise InputError("a stratified model has several baseline hazards; fit one without strata to predict risks")
    at = hazard["cumulative_hazard"].filter(hazard["time"] <= time)
    baseline = float(at[-1]) if len(at) else 0.0
    risks: Floats = -np.expm1(-baseline * np.exp(linear_predictor(fit, table)))
    return risks
