"""The lasso as a data-adaptive model of treatment or outcome, for estimators that cross-fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.terms import Term
from counterpulse.numerics.distributions import expit
from counterpulse.numerics.random_streams import stream
from counterpulse.regression.column_likelihood import BinomialColumns, ColumnLikelihood, normal_columns
from counterpulse.regression.lasso_path import lasso
from counterpulse.regression.model_rows import ScaledDesign, read_rows, scaled_design
from counterpulse.regression.nuisance_models import TARGET, Learner, Predictor, UnfittedError, known_levels
from counterpulse.results.status import Status

Floats = NDArray[np.float64]

FOLDS = 10
"""Of the cross-validation that chooses the penalty, inside the rows learned from."""


def lasso_learner(
    terms: Sequence[Term], *, binary: bool, separated: Status, seed: int = 0, analysis: str = "lasso"
) -> Learner:
    """A logistic (`binary`) or linear model of the terms whose penalty ten-fold cross-validation chooses.

    Parameters
    ----------
    terms : the candidates; all are penalized, the intercept is not
    separated : the status where a yes/no target has one value
    seed, analysis : of the folds; they depend on nothing else but the number of rows

    Returns
    -------
    Learner : for `aipw` and `tmle`, which cross-fit it

    References
    ----------
    Tibshirani 1996, doi:10.1111/j.2517-6161.1996.tb02080.x
    """

    def learn(frame: pl.DataFrame, target: Floats, weights: Floats | None) -> Predictor:
        if not len(target) or (binary and target.min() == target.max()):
            raise UnfittedError(separated)
        if target.min() == target.max():
            return lambda rows: np.full(rows.height, target[0])
        table = frame.with_columns(pl.Series(TARGET, target))
        rows = read_rows(table, outcome=TARGET, terms=list(terms), weights=None, cluster=None)
        design = scaled_design(table, rows, terms)
        if design.status is not Status.OK:
            raise UnfittedError(design.status)
        counts = np.ones(len(target)) if weights is None else weights
        middle = 0.0 if binary else float(counts @ target / counts.sum())
        likelihood = _columns(design, target - middle, binary=binary, counts=counts)
        folds = stream(seed, f"{analysis}.lasso").permutation(len(target)) % min(FOLDS, max(3, len(target)))
        fit = lasso(likelihood, penalized=range(1, design.X.shape[1]), folds=folds.astype(np.intp))
        at = fit.coefficients[:, fit.chosen]

        def predict(other: pl.DataFrame) -> Floats:
            linear = design.scaling.matrix(known_levels(other, design.scaling.spec)) @ at
            return expit(linear) if binary else middle + linear

        return predict

    return learn


def _columns(design: ScaledDesign, y: Floats, *, binary: bool, counts: Floats) -> ColumnLikelihood:
    scaling, rows = design.scaling, np.arange(len(y))
    if binary:
        return BinomialColumns(X=design.X, y=y, spec=scaling.spec, scale=scaling.scale, rows_used=rows, weights=counts)
    return normal_columns(design.X, y, scaling.spec, scaling.scale, rows, counts=counts, variance=1.0)
