"""The prognostic score: the outcome each patient would be expected to have without treatment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import is_categorical
from counterpulse.data.terms import Term, variables_of
from counterpulse.propensity.treatment import read_units
from counterpulse.regression.linear_regression import linear
from counterpulse.regression.logistic_regression import logistic

Floats = NDArray[np.float64]


def prognostic_score(table: pl.DataFrame, *, treatment: str, outcome: str, covariates: Sequence[Term]) -> Floats:
    """Predict the outcome of everybody by a model of the controls.

    Parameters
    ----------
    table : one row a patient
    treatment : a yes/no or 0/1 column, or text of two levels of which the second is the treated one
    outcome : yes/no or text of two levels (logistic regression), or a number (linear regression)
    covariates : column names or `Numeric`, `Spline`, `Categorical`, `Interaction`

    Returns
    -------
    NDArray : shape (rows,), nan where a covariate is missing or the model cannot be fitted; for `balance(prognostic=)`

    References
    ----------
    Stuart, Lee and Leacy 2013, doi:10.1016/j.jclinepi.2013.01.013
    """
    needed = [name for term in covariates for name in variables_of(term)]
    units = read_units(table, treatment=treatment, needed=needed)
    controls = table[units.rows[~units.treated]]
    column = table[outcome]
    model = logistic if is_categorical(column) or column.dtype == pl.Boolean else linear
    fit = model(controls, outcome=outcome, terms=covariates)
    predicted = np.full(table.height, np.nan)
    if fit.scaled is not None:
        predicted[units.rows] = fit.predict(table[units.rows])
    return predicted
