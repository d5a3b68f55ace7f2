"""Log-likelihoods in which columns come and go: what a selection of covariates works on.

Coefficients always have the length of all columns, with zeros for those that are not in the model, and many vectors of
them are evaluated at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import expm1, log, pi
from typing import Protocol, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from counterpulse.data.design import DesignSpec, build_design
from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.numerics.distributions import chi_squared_tail, f_tail
from counterpulse.numerics.linear_algebra import center_and_scale, row_blocks, weighted_gram
from counterpulse.regression.model_rows import read_rows
from counterpulse.regression.outcome import event_sign, number

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

BLOCK_ROWS = 1024
"""Rows of many predictors worked on at once: they stay in the second-level cache."""

LEAST = 1e-200
"""A sum of squared residuals below this, of values that do not vary, counts as this, so that quotients are finite."""

CONSTANT = 1e-12
"""A scaled column whose variance is below this has one value."""

LOWEST = -700.0
"""A linear predictor below this counts as this, so that its exponential is finite."""


class ColumnLikelihood(Protocol):
    """A log-likelihood of centered and scaled columns, the first `nuisance` coefficients (an intercept) always in it."""

    @property
    def nuisance(self) -> int:
        """Leading coefficients that belong to no column of a term."""

    @property
    def size(self) -> float:
        """Patients (or events, for time to event): its logarithm is the price of a parameter in BIC."""

    @property
    def spec(self) -> DesignSpec:
        """The terms and the columns of each."""

    @property
    def scale(self) -> Floats:
        """What each coefficient is divided by to be in the units of the table; shape (p,)."""

    @property
    def rows_used(self) -> Indices:
        """Positions in the table of the rows, shape (n,)."""

    def start(self) -> Floats:
        """The maximum of the model without any term, shape (p,)."""

    def evaluate(self, at: Floats) -> tuple[Floats, Floats]:
        """Log-likelihoods (m,) and scores (p, m) at m coefficient vectors, shape (p, m)."""

    def information(self, at: Floats, columns: Indices) -> Floats:
        """The information of some coefficients at one vector, shape (k, k)."""

    def tail(self, chi_squared: float, df: float, parameters: int) -> float:
        """The P value of twice a difference of log-likelihoods; `parameters` are those of the larger model."""

    def counts(self) -> Floats:
        """How often every row counts, shape (n,)."""

    def spreads(self) -> Floats:
        """Standard deviations of the columns in the rows as they count, 0 for nuisance; shape (p,)."""

    def saturated(self) -> float:
        """The log-likelihood of a model that fits every row perfectly, from which a deviance is counted."""

    def penalized(self) -> Self:
        """The same as the lasso takes it."""

    def weighted(self, counts: Floats) -> Self:
        """The same with every row counted so many times, shape (n,), and those that count for nothing left out."""


def term_columns(likelihood: ColumnLikelihood) -> tuple[tuple[int, ...], ...]:
    """The positions of the coefficients of each term."""
    found, position = [], likelihood.nuisance
    for coding in likelihood.spec.codings:
        width = len(coding.columns())
        found.append(tuple(range(position, position + width)))
        position += width
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class BinomialColumns:
    """The logistic log-likelihood; `y` is 0 or 1, `X` has the intercept first, `weights` count rows."""

    X: Floats
    y: Floats
    spec: DesignSpec
    scale: Floats
    rows_used: Indices
    weights: Floats | None = None
    nuisance: int = 1

    @property
    def size(self) -> float:
        """Patients."""
        return float(len(self.y) if self.weights is None else self.weights.sum())

    def start(self) -> Floats:
        """The log odds of the event, and zeros."""
        events = float(self.y.sum() if self.weights is None else self.weights @ self.y)
        start = np.zeros(self.X.shape[1])
        start[0] = log(events / (self.size - events)) if 0 < events < self.size else 0.0
        return start

    def evaluate(self, at: Floats) -> tuple[Floats, Floats]:
        """Log-likelihoods and scores, block by block."""
        value, gradient = np.zeros(at.shape[1]), np.zeros(at.shape)
        for rows in row_blocks(len(self.y), BLOCK_ROWS):
            block, y = self.X[rows], self.y[rows]
            eta = block @ at
            np.maximum(eta, LOWEST, out=eta)
            value += self._unit(rows, 1.0 - y) @ eta * -1
            odds_against = np.exp(np.negative(eta, out=eta), out=eta)
            odds_against += 1.0
            value -= self._unit(rows, 1.0) @ np.log(odds_against)
            residual = y[:, None] - np.reciprocal(odds_against, out=odds_against)
            if self.weights is not None:
                residual *= self.weights[rows, None]
            gradient += block.T @ residual
        return value, gradient

    def _unit(self, rows: slice, factor: Floats | float) -> Floats:
        weights = np.ones(len(self.y[rows])) if self.weights is None else self.weights[rows]
        return weights * factor

    def information(self, at: Floats, columns: Indices) -> Floats:
        """``X' diag(p (1 - p)) X``."""
        risk = 1 / (1 + np.exp(-np.maximum(self.X @ at, LOWEST)))
        variance = risk * (1 - risk)
        if self.weights is not None:
            variance *= self.weights
        return weighted_gram(_columns(self.X, columns), variance)

    def tail(self, chi_squared: float, df: float, parameters: int) -> float:
        """Likelihood-ratio test."""
        return chi_squared_tail(max(0.0, chi_squared), df)

    def counts(self) -> Floats:
        """One, or the weights."""
        return np.ones(len(self.y)) if self.weights is None else self.weights

    def spreads(self) -> Floats:
        """Of the columns, 0 for the intercept."""
        return spreads(self.X, self.counts())

    def saturated(self) -> float:
        """Every outcome is certain."""
        return 0.0

    def penalized(self) -> BinomialColumns:
        """As it is."""
        return self

    def weighted(self, counts: Floats) -> BinomialColumns:
        """The rows that count at all."""
        kept = np.flatnonzero(counts)
        return replace(
            self, X=_rows(self.X, kept), y=self.y[kept], rows_used=self.rows_used[kept], weights=counts[kept]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianColumns:
    """The normal log-likelihood, from the moments of the columns.

    With `variance` None it is that of the residual variance which fits best; the test is then exactly the partial F.
    """

    X: Floats
    y: Floats
    spec: DesignSpec
    scale: Floats
    rows_used: Indices
    gram: Floats
    moments: Floats
    squares: float
    size: float
    variance: float | None = None
    weights: Floats | None = None
    nuisance: int = 1

    def start(self) -> Floats:
        """The mean of the outcome, and zeros."""
        start = np.zeros(len(self.moments))
        start[0] = self.moments[0] / self.gram[0, 0]
        return start

    def evaluate(self, at: Floats) -> tuple[Floats, Floats]:
        """Log-likelihoods and scores."""
        slope = self.moments[:, None] - self.gram @ at
        residual = self.squares - np.einsum("pm,pm->m", at, self.moments[:, None] + slope)
        if self.variance is not None:
            return -residual / (2 * self.variance), slope / self.variance
        residual = np.maximum(residual, LEAST)
        return -self.size / 2 * (np.log(residual / self.size) + 1 + log(2 * pi)), slope * (self.size / residual)

    def information(self, at: Floats, columns: Indices) -> Floats:
        """The Gram matrix over the residual variance at `at`."""
        slope = self.moments - self.gram @ at
        residual = float(self.squares - at @ (self.moments + slope))
        variance = self.variance or max(residual, LEAST) / self.size
        found: Floats = self.gram[np.ix_(columns, columns)] / variance
        return found

    def tail(self, chi_squared: float, df: float, parameters: int) -> float:
        """Partial F test, of which the likelihood ratio is a function."""
        left = self.size - parameters
        if left <= 0:
            return 1.0
        ratio = expm1(min(max(0.0, chi_squared) / self.size, 700.0))
        return f_tail(ratio * left / df, df, left)

    def counts(self) -> Floats:
        """One, or the weights."""
        return np.ones(len(self.y)) if self.weights is None else self.weights

    def spreads(self) -> Floats:
        """Of the columns, 0 for the intercept."""
        return spreads(self.X, self.counts())

    def saturated(self) -> float:
        """No residual, where the variance is known."""
        return 0.0

    def penalized(self) -> GaussianColumns:
        """With a residual variance of 1: half the sum of squares."""
        return replace(self, variance=1.0)

    def weighted(self, counts: Floats) -> GaussianColumns:
        """The rows that count at all, and their moments."""
        kept = np.flatnonzero(counts)
        X, y = _rows(self.X, kept), self.y[kept]
        gram, moments, squares = _moments(X, y, counts[kept])
        return replace(
            self, X=X, y=y, rows_used=self.rows_used[kept], weights=counts[kept], gram=gram, moments=moments,
            squares=squares, size=float(counts.sum()),
        )  # fmt: skip


def binomial_columns(table: pl.DataFrame, *, outcome: str, terms: Sequence[Term]) -> BinomialColumns:
    """The logistic log-likelihood of `terms`, which come and go.

    Parameters
    ----------
    table : one row an observation; rows with a missing value in any column used are left out
    outcome : as for `logistic`
    terms : all that may stand in a model

    Returns
    -------
    BinomialColumns : of the centered and scaled columns of all terms

    Raises
    ------
    InputError : a column is absent or cannot be used
    """
    rows = read_rows(table, outcome=outcome, terms=terms, weights=None, cluster=None)
    X, spec, scale = _design(table, terms, rows.used)
    y = (event_sign(rows.column(table, outcome), table[outcome]) + 1) / 2
    return BinomialColumns(X=X, y=y, spec=spec, scale=scale, rows_used=rows.used)


def gaussian_columns(
    table: pl.DataFrame, *, outcome: str, terms: Sequence[Term], variance: float | None = None
) -> GaussianColumns:
    """The normal log-likelihood of `terms`, which come and go; the outcome is centered.

    Parameters
    ----------
    table : one row an observation; rows with a missing value in any column used are left out
    outcome : a numeric column
    terms : all that may stand in a model
    variance : of the residuals, where it is known; default: that which fits best

    Returns
    -------
    GaussianColumns : of the centered and scaled columns of all terms

    Raises
    ------
    InputError : a column is absent or cannot be used
    """
    rows = read_rows(table, outcome=outcome, terms=terms, weights=None, cluster=None)
    X, spec, scale = _design(table, terms, rows.used)
    y = number(rows.column(table, outcome))
    y = y - (y.mean() if len(y) else 0.0)
    return normal_columns(X, y, spec, scale, rows.used, counts=np.ones(len(y)), variance=variance)


def normal_columns(
    X: Floats, y: Floats, spec: DesignSpec, scale: Floats, rows: Indices, *, counts: Floats, variance: float | None
) -> GaussianColumns:
    """The normal log-likelihood of columns that are centered and scaled, each row counted so many times."""
    gram, moments, squares = _moments(X, y, counts)
    return GaussianColumns(
        X=X, y=y, spec=spec, scale=scale, rows_used=rows, gram=gram, moments=moments, squares=squares,
        size=float(counts.sum()), variance=variance,
    )  # fmt: skip


def _design(table: pl.DataFrame, terms: Sequence[Term], rows: Indices) -> tuple[Floats, DesignSpec, Floats]:
    """The intercept and the centered, scaled columns; the scale of a column of one value is 1."""
    design = build_design(table, terms, intercept=True, rows=rows)
    if few := design.spec.without_knots:
        raise InputError(f"the spline of '{few[0]}' has more knots than its variable has values; use fewer knots")
    _, scale = center_and_scale(design.X[:, 1:]) if len(rows) else (None, np.ones(design.X.shape[1] - 1))
    return design.X, design.spec, np.append(1.0, np.where(scale > 0, scale, 1.0))


def _columns(X: Floats, columns: Indices) -> Floats:
    """Some columns of a column-major matrix; all of them are no copy."""
    return X if len(columns) == X.shape[1] else np.asfortranarray(X[:, columns])


def _rows(X: Floats, kept: Indices) -> Floats:
    """Some rows of a column-major matrix, column-major."""
    out = np.empty((len(kept), X.shape[1]), order="F")
    for j in range(X.shape[1]):
        np.take(X[:, j], kept, out=out[:, j])
    return out


def spreads(X: Floats, counts: Floats) -> Floats:
    """Standard deviations of columns in rows that count several times, shape (p,); 0 where there is none."""
    total = counts.sum()
    if not total:
        return np.zeros(X.shape[1])
    mean = counts @ X / total
    variance = counts @ X**2 / total - mean**2
    found: Floats = np.sqrt(np.where(variance > CONSTANT, variance, 0.0))
    return found


def _moments(X: Floats, y: Floats, counts: Floats) -> tuple[Floats, Floats, float]:
    """``X'WX``, ``X'Wy`` and ``y'Wy``."""
    return weighted_gram(X, counts), (counts * y) @ X, float(counts @ y**2)
