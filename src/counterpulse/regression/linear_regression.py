"""Linear regression by least squares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan, sqrt

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.terms import Term
from counterpulse.numerics.linear_algebra import inverse_symmetric, quadratic_forms, weighted_gram
from counterpulse.regression.cluster_variance import ClusterVariance
from counterpulse.regression.fit import RegressionFit, ScaledFit, full_parameters, no_parameters
from counterpulse.regression.model_rows import (
    Rows,
    ScaledDesign,
    check_level,
    read_rows,
    scaled_design,
    single_level_terms,
    spec_of_no_rows,
)
from counterpulse.regression.outcome import number
from counterpulse.regression.sandwich import CR2, Clustered, choose_variance, cluster_factor, clustered, sandwich
from counterpulse.results.estimate import Estimate, finite_or_none
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy

Floats = NDArray[np.float64]

VARIANCES = (
    "residual variance, constant",
    "sandwich, HC3",
    "sandwich by cluster, HC1, factor G / (G - 1) * (n - 1) / (n - p)",
)

FULL_LEVERAGE = 1e-10
"""A row whose leverage is 1 but for this determines a coefficient alone, and HC3 is undefined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearFit(RegressionFit):
    """A fitted linear model; the coefficients are mean differences.

    Attributes
    ----------
    residual_sd : square root of the residual variance
    df_residual : rows (or patients, where weights count patients) less coefficients
    r_squared : part of the variance explained
    """

    residual_sd: float = nan
    df_residual: float = nan
    r_squared: float = nan

    def estimates(self) -> tuple[Estimate, ...]:
        """Mean differences in the unit of the outcome, the intercept (a mean) first."""
        return self.estimates_of("mean difference", "identity", "mean")

    def tidy(self) -> pl.DataFrame:
        """Mean differences with intervals and p-values, one row a coefficient."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """Describe the fit as a whole in one row."""
        return pl.DataFrame(
            {
                "n": self.n,
                "n_missing": self.n_missing,
                "clusters": self.clusters,
                "residual_sd": finite_or_none(self.residual_sd),
                "df_residual": finite_or_none(self.df_residual),
                "r_squared": finite_or_none(self.r_squared),
                "robust": self.robust,
                "status": self.status.code,
            },
            schema_overrides={"clusters": pl.Int64, "residual_sd": pl.Float64, "df_residual": pl.Float64,
                              "r_squared": pl.Float64},
        )  # fmt: skip

    def contrast(self, weights: Mapping[str, float], *, term: str = "", variable: str | None = None) -> Estimate:
        """Mean difference of a linear combination of coefficients, by name."""
        return self.parameters.contrast(
            weights, measure="mean difference", scale="identity", term=term, variable=variable
        )

    def predict(self, table: pl.DataFrame) -> Floats:
        """Predict the mean of every row, nan where a covariate is missing; shape (n,)."""
        if self.scaled is None:
            return np.full(table.height, np.nan)
        return self.scaled.linear_predictor(table)


def linear(
    table: pl.DataFrame,
    *,
    outcome: str,
    terms: Sequence[Term],
    weights: str | ArrayLike | None = None,
    cluster: str | ArrayLike | None = None,
    robust: bool | None = None,
    cluster_variance: ClusterVariance | None = None,
    level: float = 0.95,
) -> LinearFit:
    """Mean differences of a numeric outcome, adjusted for each other, by (weighted) least squares.

    Parameters
    ----------
    table : one row an observation; rows with a missing value in a column used are left out and counted
    outcome : a numeric column
    terms : column names or `Numeric`, `Spline`, `Categorical`, `Interaction`
    weights : column or array of shape (n,). Whole numbers count patients (and their degrees of freedom); others are
        probability weights and bring the robust variance. Rows of weight zero are left out.
    cluster : column or array of labels, shape (n,); brings the robust variance, clustered
    robust : use the sandwich variance; default: when clustered or when a weight is not a whole number
    cluster_variance : "CR1", or "CR2" with Satterthwaite degrees of freedom by coefficient; by default CR2 below 40
        clusters and CR1 from there on; below 10 clusters there is no standard error (``Status.FEW_CLUSTERS``)

    Raises
    ------
    InputError : a column is absent or cannot be used, or the options exclude each other

    Notes
    -----
    Tests and intervals are Student's t on the residual degrees of freedom. The robust variance is HC3 (R: ``vcovHC``);
    clustered it is CR2 (R: clubSandwich), or CR1: HC1 with the factor G / (G - 1) (R: ``vcovCL`` of an ``lm``).

    References
    ----------
    White 1980, doi:10.2307/1912934; MacKinnon and White 1985, doi:10.1016/0304-4076(85)90158-7; Zeileis 2020,
    doi:10.18637/jss.v095.i01.
    """
    rows = read_rows(table, outcome=outcome, terms=terms, weights=weights, cluster=cluster)
    variance = choose_variance(rows, robust, VARIANCES, cluster_variance)
    check_level(level)
    y = number(rows.column(table, outcome))
    blank = LinearFit(
        parameters=no_parameters((), Status.NO_ROWS, level), outcome=outcome, rows=rows, robust=variance.robust,
        cluster_variance=variance.cluster,
        provenance=_provenance(rows, variance.choice),
    )  # fmt: skip
    if rows.n == 0:
        return blank.unfitted(spec_of_no_rows(table, terms), Status.NO_ROWS)
    design = scaled_design(table, rows, terms)
    blank = replace(blank, single_level=single_level_terms(terms, design.scaling.spec), depends_on=design.depends_on)
    if design.status is not Status.OK:
        return blank.unfitted(design.scaling.spec, design.status)
    if _residual_df(rows, design) <= 0:
        return blank.unfitted(design.scaling.spec, Status.TOO_FEW_ROWS)
    if y.min() == y.max():
        return blank.unfitted(design.scaling.spec, Status.ZERO_VARIANCE)
    return _fitted(blank, design, y)


def _residual_df(rows: Rows, design: ScaledDesign) -> float:
    """Patients less coefficients; weights count patients when all are whole numbers."""
    counted = float(rows.weights.sum()) if rows.weights is not None and rows.whole_weights else float(rows.n)
    return counted - len(design.scaling.active)


def _fitted(blank: LinearFit, design: ScaledDesign, y: Floats) -> LinearFit:
    X, weights, df = design.X, blank.rows.weights, _residual_df(blank.rows, design)
    gram = weighted_gram(X, weights)
    try:
        bread = inverse_symmetric(gram)
    except np.linalg.LinAlgError:
        return blank.unfitted(design.scaling.spec, Status.NOT_CONVERGED)
    coefficients, residuals = _least_squares(X, y, weights, bread)
    unit = np.ones(len(y)) if weights is None else weights
    squares = float(unit @ residuals**2)
    total = float(unit @ (y - np.average(y, weights=unit)) ** 2)
    model = bread * (squares / df)
    used = _robust(blank, X, bread, residuals * unit) if blank.robust else Clustered(model)
    scaled = ScaledFit(design.scaling, coefficients, bread, used.covariance, model, used.small_sample, used.uncertainty)
    parameters, model_covariance = full_parameters(scaled, design.statuses, blank.level, df)
    return replace(
        blank,
        parameters=parameters,
        model_covariance=model_covariance,
        spec=design.scaling.spec,
        scaled=scaled,
        residual_sd=sqrt(squares / df),
        df_residual=df,
        r_squared=1 - squares / total,
    )


def _least_squares(X: Floats, y: Floats, weights: Floats | None, bread: Floats) -> tuple[Floats, Floats]:
    """Solve by the normal equations on a centered outcome, refined once; coefficients (k,) and residuals (n,)."""
    middle = float(y.mean())
    coefficients, residuals = np.zeros(X.shape[1]), y - middle
    for _ in range(2):
        moments = residuals @ X if weights is None else (residuals * weights) @ X
        step = bread @ moments
        coefficients += step
        residuals = residuals - X @ step
    coefficients[0] += middle
    return coefficients, residuals


def _robust(blank: LinearFit, X: Floats, bread: Floats, residuals: Floats) -> Clustered:
    (n, k), rows = X.shape, blank.rows
    if rows.cluster is not None and rows.clusters is not None:
        factor = cluster_factor(rows.clusters) * (n - 1) / (n - k)
        kind = blank.cluster_variance
        return clustered(kind, X, rows.weights, residuals, bread, rows.cluster, rows.clusters, factor=factor)
    remaining = 1 - _leverages(X, bread, rows.weights)
    if (remaining < FULL_LEVERAGE).any():
        return Clustered(np.full((k, k), nan))
    return Clustered(sandwich(X, bread, residuals / remaining, None, None))


def _leverages(X: Floats, bread: Floats, weights: Floats | None) -> Floats:
    out = quadratic_forms(X, bread)
    return out if weights is None else out * weights


def _provenance(rows: Rows, variance: Choice) -> Provenance:
    weighted = "none" if rows.weights is None else "frequency" if rows.whole_weights else "probability"
    choices = (
        Choice("test", f"t, {'Satterthwaite' if variance.value == CR2 else 'residual'} degrees of freedom", "default"),
        Choice("weights", weighted, "derived"),
        variance,
    )
    cited = {"zeileis-2020": ("zeileis-2020", "mackinnon-white-1985")}
    references = (variance.reference,) if variance.reference else ()
    return Provenance("linear regression", choices, cited.get(str(variance.reference), references))
