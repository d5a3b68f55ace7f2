"""Marginal risks and means by standardization (g-computation) over the rows of a fitted model."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.design import level_text
from counterpulse.errors import InputError
from counterpulse.numerics.distributions import expit
from counterpulse.numerics.linear_algebra import cluster_sums
from counterpulse.regression.fit import ScaledFit
from counterpulse.regression.linear_regression import LinearFit
from counterpulse.regression.logistic_fit import LogisticFit
from counterpulse.regression.marginal_effect import TwoMeans
from counterpulse.regression.model_rows import Rows, check_level
from counterpulse.regression.outcome import event_sign, number
from counterpulse.regression.sandwich import cluster_factor
from counterpulse.results.estimate import Estimate
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status
from counterpulse.results.tidy import tidy
from counterpulse.results.wald import no_estimate

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Value = str | float | int | bool
Covariates = Literal["sampled", "fixed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standardized:
    """What the whole group would show if all were treated, and if all had the reference.

    Attributes
    ----------
    treated, reference : the two levels, as text
    means : standardized risk (or mean) under each, treated first; shape (2,)
    covariance : of the two, including the sampling of covariates; shape (2, 2)
    model_covariance : of the two with the covariates held fixed (delta method); shape (2, 2)
    covariates : which of the two the estimates use
    binary : whether the means are risks
    df : clusters - 1 where clusters are few, else None
    """

    variable: str
    treated: str
    reference: str
    means: Floats
    covariance: Floats
    model_covariance: Floats
    covariates: Covariates
    binary: bool
    level: float
    n: int
    status: Status
    provenance: Provenance
    df: float | None = None

    def estimates(self) -> tuple[Estimate, ...]:
        """Risk under each level (on the logit scale), risk ratio (log) and difference; for a linear model the means."""
        return self.two().risks() if self.binary else self.two().numbers()

    def odds_ratio(self) -> Estimate:
        """The marginal odds ratio on the log scale; undefined where the means are no risks."""
        if self.binary:
            return self.two().odds_ratio()
        return no_estimate("marginal odds ratio", Status.UNDEFINED, term=self.treated, scale="log")

    def tidy(self) -> pl.DataFrame:
        """Lay out the estimates on the natural scale."""
        return tidy(self.estimates())

    def glance(self) -> pl.DataFrame:
        """Describe the standardization in one row."""
        return pl.DataFrame({"n": self.n, "covariates": self.covariates, "status": self.status.code})

    def two(self) -> TwoMeans:
        """The two means with the covariance that the estimates use."""
        return TwoMeans(
            variable=self.variable, treated=self.treated, reference=self.reference, means=self.means,
            covariance=self.covariance if self.covariates == "sampled" else self.model_covariance, level=self.level,
            df=self.df, status=self.status,
        )  # fmt: skip


def standardize(
    fit: LogisticFit | LinearFit,
    table: pl.DataFrame,
    *,
    variable: str,
    treated: Value,
    reference: Value,
    level: float = 0.95,
    covariates: Covariates = "sampled",
    among: ArrayLike | None = None,
) -> Standardized:
    """Average the model's predictions over everybody, once with all treated and once with all at the reference.

    The estimand is the marginal risk (or mean) in the population of which the rows used are a sample; with weights, in
    the weighted population; with `among`, in the part of it that those rows are a sample of. It is causal where the terms
    of the model suffice to control confounding.

    Parameters
    ----------
    fit : a logistic or linear model that has `variable` among its terms
    table : the table it was fitted to
    treated, reference : values of `variable`
    covariates : "sampled" counts the sampling of the covariates as a source of uncertainty (M-estimation, robust to a
        wrong variance model, clustered as the fit is); "fixed" holds them fixed (delta method on the covariance of the fit)
    among : who is averaged over, true or false for every row of the table, shape (n,): the treated, say. Default: everybody

    Raises
    ------
    InputError : the table is another one, the model lacks the variable, or a value is not one of its levels

    References
    ----------
    Robins 1986, doi:10.1016/0270-0255(86)90088-6; Stefanski and Boos 2002, doi:10.1198/000313002753631330.
    """
    check_level(level)
    if table.height != fit.rows.height:
        raise InputError(
            f"the model was fitted to a table of {fit.rows.height} rows and this one has {table.height}; give the same"
        )
    binary = isinstance(fit, LogisticFit)
    values = [value_of(fit, table, variable, value) for value in (treated, reference)]
    target = averaged_over(fit.rows, among)
    status = _status(fit, variable)
    if status is Status.OK and fit.rows.n and not target.any():
        status = Status.EMPTY_GROUP
    nothing = np.full((2, 2), nan)
    means, covariance, model_covariance = nothing[0], nothing, nothing
    if status is Status.OK and fit.scaled is not None:
        means, covariance, model_covariance = _compute(fit, fit.scaled, table, values, target)
        few = fit.parameters.uncertainty is Status.FEW_CLUSTERS
        if few:
            covariance, model_covariance = nothing, nothing
        if not (few or np.isfinite(covariance).all()) or (binary and not ((means > 0) & (means < 1)).all()):
            status = Status.UNDEFINED
    return Standardized(
        variable=variable, treated=values[0][0], reference=values[1][0], means=means, covariance=covariance,
        model_covariance=model_covariance, covariates=covariates, binary=binary, level=level, n=fit.n, status=status,
        provenance=_provenance(fit, covariates),
        df=fit.clusters - 1.0 if fit.cluster_variance == "CR2" and fit.clusters else None,
    )  # fmt: skip


def value_of(fit: LogisticFit | LinearFit, table: pl.DataFrame, variable: str, value: Value) -> tuple[str, pl.Series]:
    """Find a level as text and as a column of one value that the coding understands."""
    known = fit.scaled.levels() if fit.scaled else {}
    if not any(variable in column.variable.split(":") for column in fit.columns):
        raise InputError(
            f"the model has no term of '{variable}'; its terms are {', '.join(c.name for c in fit.columns)}"
        )
    column = table[variable]
    text = level_text(pl.Series([value]))[0]
    if variable in known:
        if text not in known[variable]:
            raise InputError(
                f"'{text}' is not a level of '{variable}'; the levels are {', '.join(sorted(known[variable]))}"
            )
        return text, pl.Series(variable, [text])
    if isinstance(value, str):
        found = column.filter(level_text(column) == value)
        if len(found) == 0:
            raise InputError(f"'{value}' is not a value of '{variable}'; give one that occurs")
        return text, found.head(1)
    return text, pl.Series(variable, [float(value)])


def _status(fit: LogisticFit | LinearFit, variable: str) -> Status:
    """Refuse where a prediction is infinite, or where setting the variable would break a dependence of columns."""
    if fit.status is not Status.OK:
        return fit.status
    own = {column.name for column in fit.columns if variable in column.variable.split(":")}
    for column, status in zip(fit.columns, fit.parameters.statuses, strict=True):
        if status is not Status.OK and (column.name in own or own & set(fit.depends_on.get(column.name, ()))):
            return status
    return Status.OK


def _compute(
    fit: LogisticFit | LinearFit, scaled: ScaledFit, table: pl.DataFrame, values: list[tuple[str, pl.Series]], target: Floats
) -> tuple[Floats, Floats, Floats]:  # fmt: skip
    """Compute the two means with their full and their model-based covariance."""
    rows, binary = fit.rows, isinstance(fit, LogisticFit)
    unit = np.ones(rows.n) if rows.weights is None else rows.weights
    size = float(unit @ target)
    share = unit * target / size
    means, influence, slopes = np.empty(2), np.empty((rows.n, 2), order="F"), np.empty((len(scaled.coefficients), 2))
    for arm, (_, value) in enumerate(values):
        predicted, slopes[:, arm] = _arm(scaled, table.with_columns(constant(value)), rows.used, share, binary)
        means[arm] = share @ predicted
        influence[:, arm] = target * (predicted - means[arm])
    X = scaled.scaling.matrix(table, rows.used)
    residuals = _residuals(fit, table, X, scaled.coefficients)
    lever = X @ (scaled.bread @ slopes)
    influence /= size
    lever *= residuals[:, None]
    influence += lever
    return means, _variance(influence, unit, rows, fit.robust), slopes.T @ scaled.covariance @ slopes


def averaged_over(rows: Rows, among: ArrayLike | None) -> Floats:
    """One for the rows used that are averaged over, and zero for the others; shape (n,)."""
    if among is None:
        return np.ones(rows.n)
    mask = np.asarray(among, dtype=bool)
    if mask.shape != (rows.height,):
        raise InputError(f"'among' has {mask.size} values for {rows.height} rows; give true or false for every row")
    return mask[rows.used].astype(np.float64)


def constant(value: pl.Series) -> pl.Expr:
    """A column of one value."""
    return pl.lit(value.item(), dtype=value.dtype).alias(value.name)


def _arm(scaled: ScaledFit, table: pl.DataFrame, used: Codes, share: Floats, binary: bool) -> tuple[Floats, Floats]:
    """Predict every row, shape (n,), and differentiate the mean prediction in the coefficients, shape (k,)."""
    X = scaled.scaling.matrix(table, used)
    linear = X @ scaled.coefficients
    if not binary:
        return linear, share @ X
    risk = expit(linear)
    return risk, (share * risk * (1 - risk)) @ X


def _residuals(fit: LogisticFit | LinearFit, table: pl.DataFrame, X: Floats, coefficients: Floats) -> Floats:
    column = fit.rows.column(table, fit.outcome)
    if isinstance(fit, LogisticFit):
        return (event_sign(column, table[fit.outcome]) + 1) / 2 - expit(X @ coefficients)
    return number(column) - X @ coefficients


def _variance(influence: Floats, unit: Floats, rows: Rows, robust: bool) -> Floats:
    """Sum the squares of the influence by cluster; a weight that counts patients counts that many squares."""
    if rows.cluster is not None:
        sums = cluster_sums(influence, rows.cluster, rows.clusters or 0, unit)
        return cluster_factor(rows.clusters) * (sums.T @ sums)
    weights = unit if rows.whole_weights and not robust else unit**2
    return influence.T @ (influence * weights[:, None])


def _provenance(fit: LogisticFit | LinearFit, covariates: Covariates) -> Provenance:
    how = "M-estimation, covariates sampled" if covariates == "sampled" else "delta method, covariates fixed"
    choices = (
        Choice("variance of the standardized means", how, "default" if covariates == "sampled" else "given",
               "stefanski-boos-2002" if covariates == "sampled" else None),
        *fit.provenance.choices,
    )  # fmt: skip
    return Provenance("standardization", choices, ("robins-1986", "stefanski-boos-2002", *fit.provenance.citations))
