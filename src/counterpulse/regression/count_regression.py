"""Regression of counts: Poisson and negative binomial; a Poisson model of a yes/no outcome gives risk ratios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.design import is_categorical
from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.numerics.linear_algebra import inverse_symmetric, weighted_gram
from counterpulse.numerics.newton import Maximum
from counterpulse.regression.cluster_variance import ClusterVariance
from counterpulse.regression.count_fit import CountFit, log_exposure
from counterpulse.regression.count_likelihood import CountLikelihood
from counterpulse.regression.dispersion import fit_dispersion, is_overdispersed
from counterpulse.regression.fit import ScaledFit, full_parameters, no_parameters
from counterpulse.regression.logistic_solution import Solution, solve
from counterpulse.regression.model_rows import (
    Rows,
    check_level,
    read_rows,
    scaled_design,
    single_level_terms,
    spec_of_no_rows,
)
from counterpulse.regression.outcome import event_sign, number
from counterpulse.regression.sandwich import Clustered, Variance, choose_variance, cluster_factor, clustered, sandwich
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]

VARIANCES = ("inverse expected information", "sandwich, HC0, no factor", "sandwich by cluster, HC0, factor G / (G - 1)")


def poisson(
    table: pl.DataFrame,
    *,
    outcome: str,
    terms: Sequence[Term],
    exposure: str | None = None,
    offset: str | None = None,
    weights: str | ArrayLike | None = None,
    cluster: str | ArrayLike | None = None,
    robust: bool | None = None,
    level: float = 0.95,
    cluster_variance: ClusterVariance | None = None,
) -> CountFit:
    """Rate ratios of a count, or risk ratios of a yes/no outcome, adjusted for each other (log-linear model).

    Parameters
    ----------
    table : one row an observation; rows with a missing value in a column used are left out and counted
    outcome : whole numbers at or above zero; or yes/no (or text of two levels, the second the event), which gives risk
        ratios by the modified Poisson regression and brings the robust variance
    terms : column names or `Numeric`, `Spline`, `Categorical`, `Interaction`
    exposure : column of the person-time, above zero; its logarithm is the offset
    offset : column added to the linear predictor, such as the logarithm of the person-time
    weights : column or array of shape (n,). Whole numbers count patients; others are probability weights and bring the
        robust variance. Rows of weight zero are left out.
    cluster : column or array of labels, shape (n,); brings the robust variance, clustered
    robust : use the sandwich variance, which stays right where the variance is not the mean; default: when clustered,
        weighted by numbers that are not whole, or with a yes/no outcome
    cluster_variance : "CR1", or "CR2" with Satterthwaite degrees of freedom; default by the number of clusters

    Raises
    ------
    InputError : a column is absent or cannot be used, or the options exclude each other

    Notes
    -----
    A coefficient that is infinite (a level without any count), constant or dependent carries a status and no value; the
    others are estimated as if it were not reported. The unclustered sandwich has no factor (R: ``sandwich``).

    References
    ----------
    McCullagh and Nelder 1989; Zou 2004, doi:10.1093/aje/kwh090.
    """
    return _fit(
        table, outcome, terms, exposure, offset, weights, cluster, robust, level, cluster_variance, negative=False
    )


def negative_binomial(
    table: pl.DataFrame,
    *,
    outcome: str,
    terms: Sequence[Term],
    exposure: str | None = None,
    offset: str | None = None,
    weights: str | ArrayLike | None = None,
    cluster: str | ArrayLike | None = None,
    robust: bool | None = None,
    level: float = 0.95,
    cluster_variance: ClusterVariance | None = None,
) -> CountFit:
    """Rate ratios of a count whose variance exceeds its mean, by ``mean + mean**2 / theta`` (NB2).

    Parameters
    ----------
    table, terms, exposure, offset, weights, cluster, level, cluster_variance : as for `poisson`
    outcome : whole numbers at or above zero
    robust : use the sandwich variance; default: when clustered or when a weight is not a whole number

    Raises
    ------
    InputError : a column is absent or cannot be used, or the options exclude each other

    Notes
    -----
    Coefficients and theta are estimated together by maximum likelihood. As in R's ``MASS::glm.nb``, the covariance of the
    coefficients is the inverse of their expected information (in which theta is orthogonal to them), and the standard
    error of theta comes from its observed information. Counts that vary no more than Poisson counts leave theta infinite:
    every coefficient then says so (``Status.NO_OVERDISPERSION``), and `poisson` is the model.

    References
    ----------
    Lawless 1987, doi:10.2307/3314912; Venables and Ripley 2002, doi:10.1007/978-0-387-21706-2.
    """
    return _fit(
        table, outcome, terms, exposure, offset, weights, cluster, robust, level, cluster_variance, negative=True
    )


def _fit(
    table: pl.DataFrame, outcome: str, terms: Sequence[Term], exposure: str | None, offset: str | None,
    weights: str | ArrayLike | None, cluster: str | ArrayLike | None, robust: bool | None, level: float,
    cluster_variance: ClusterVariance | None, *, negative: bool,
) -> CountFit:  # fmt: skip
    besides = [name for name in (exposure, offset) if name is not None]
    rows = read_rows(table, outcome=outcome, terms=[*terms, *besides], weights=weights, cluster=cluster)
    check_level(level)
    counts, binary = _counts(rows.column(table, outcome), table[outcome])
    if binary and negative:
        raise InputError(f"the outcome '{outcome}' is yes/no; a negative binomial model is of counts; use poisson")
    variance = choose_variance(rows, robust, VARIANCES, cluster_variance)
    if binary and robust is None and not variance.robust:
        variance = Variance(True, Choice("variance", VARIANCES[1], "derived", "zou-2004"))
    blank = CountFit(
        parameters=no_parameters((), Status.NO_ROWS, level), outcome=outcome, rows=rows, robust=variance.robust,
        cluster_variance=variance.cluster, measure="risk ratio" if binary else "rate ratio", events=float(counts.sum()),
        exposure=exposure, offset=offset, provenance=_provenance(rows, variance.choice, besides, binary, negative),
    )  # fmt: skip
    if rows.n == 0:
        return blank.unfitted(spec_of_no_rows(table, terms), Status.NO_ROWS)
    offsets = _offsets(table, rows, exposure, offset)
    design = scaled_design(table, rows, terms)
    blank = replace(blank, single_level=single_level_terms(terms, design.scaling.spec), depends_on=design.depends_on)
    if design.status is not Status.OK:
        return blank.unfitted(design.scaling.spec, design.status)
    if blank.events == 0:
        return blank.unfitted(design.scaling.spec, Status.NO_EVENTS)
    if len(design.scaling.active) >= rows.n:
        return blank.unfitted(design.scaling.spec, Status.TOO_FEW_ROWS)
    solution = solve(design, CountLikelihood(design.X, counts, offsets, rows.weights))
    if not solution.maximum.converged:
        unfitted = blank.unfitted(design.scaling.spec, solution.status)
        return replace(unfitted, parameters=replace(unfitted.parameters, statuses=solution.statuses))
    return _dispersed(blank, solution) if negative else _fitted(blank, solution, solution.likelihood, solution.maximum)


def _counts(column: pl.Series, whole: pl.Series) -> tuple[Floats, bool]:
    """The outcome as numbers, shape (n,), and whether it is yes/no."""
    if whole.dtype == pl.Boolean or is_categorical(whole):
        return (event_sign(column, whole) + 1) / 2, True
    counts = number(column)
    if (counts < 0).any() or (counts != np.floor(counts)).any():
        raise InputError(
            f"the outcome '{whole.name}' has values that are no counts; counts are whole numbers from zero on"
        )
    return counts, False


def _offsets(table: pl.DataFrame, rows: Rows, exposure: str | None, offset: str | None) -> Floats:
    if exposure is not None and float(rows.column(table, exposure).cast(pl.Float64).min() or 0.0) <= 0:  # type: ignore[arg-type]
        raise InputError(
            f"the exposure '{exposure}' has values at or below zero; a rate needs time at risk: leave these rows out"
        )
    offsets = log_exposure(table, rows.used, exposure, offset)
    if not np.isfinite(offsets).all():
        raise InputError(f"the offset '{offset or exposure}' has an infinite value; make it missing or correct it")
    return offsets


def _dispersed(blank: CountFit, solution: Solution[CountLikelihood]) -> CountFit:
    """Let the variance exceed the mean, where it does."""
    poisson_fit, at = solution.likelihood, solution.maximum.at
    found = fit_dispersion(poisson_fit, at) if is_overdispersed(poisson_fit, at) else Status.NO_OVERDISPERSION
    if isinstance(found, Status):
        return blank.unfitted(solution.scaling.spec, found)
    fit = _fitted(blank, solution, found.likelihood, found.maximum)
    return replace(
        fit, theta=found.theta, theta_std_error=found.std_error, iterations=found.iterations,
        parameters_counted=fit.parameters_counted + 1,
    )  # fmt: skip


def _fitted(
    blank: CountFit, solution: Solution[CountLikelihood], likelihood: CountLikelihood, maximum: Maximum
) -> CountFit:
    scaled = _scaled_fit(blank, solution, likelihood, maximum)
    parameters, model_covariance = full_parameters(scaled, solution.statuses, blank.level, None)
    rows = blank.rows
    size = float(rows.weights.sum()) if rows.weights is not None and rows.whole_weights else float(rows.n)
    return replace(
        blank,
        parameters=parameters,
        model_covariance=model_covariance,
        spec=solution.scaling.spec,
        log_likelihood=maximum.value,
        parameters_counted=len(maximum.at),
        dispersion=likelihood.pearson(maximum.at) / (size - len(solution.scaling.active)),
        iterations=solution.iterations,
        status=solution.status,
        scaled=scaled,
    )


def _scaled_fit(
    blank: CountFit, solution: Solution[CountLikelihood], likelihood: CountLikelihood, maximum: Maximum
) -> ScaledFit:
    rows, at, keep = blank.rows, maximum.at, solution.overlapping
    working = likelihood.variances(at)
    bread = inverse_symmetric(weighted_gram(likelihood.X, working))
    used = Clustered(bread)
    if blank.robust:
        residuals = likelihood.residuals(at)
        if rows.cluster is None or rows.clusters is None:
            used = Clustered(sandwich(likelihood.X, bread, residuals, None, None))
        else:
            used = clustered(
                blank.cluster_variance, likelihood.X, working, residuals, bread,
                rows.cluster if keep is None else rows.cluster[keep], rows.clusters, factor=cluster_factor(rows.clusters),
            )  # fmt: skip
    return ScaledFit(solution.scaling, at, bread, used.covariance, bread, used.small_sample, used.uncertainty)


def _provenance(rows: Rows, variance: Choice, besides: list[str], binary: bool, negative: bool) -> Provenance:
    weighted = "none" if rows.weights is None else "frequency" if rows.whole_weights else "probability"
    choices = (
        Choice("offset", " and ".join(besides) or "none", "given" if besides else "default"),
        Choice("weights", weighted, "derived"),
        variance,
    )
    model = ("lawless-1987",) if negative else ("mccullagh-nelder-1989",)
    cited = (*model, *(("zou-2004",) if binary else ()), *((variance.reference,) if variance.reference else ()))
    name = (
        "negative binomial regression"
        if negative
        else "modified Poisson regression"
        if binary
        else "Poisson regression"
    )
    return Provenance(name, choices, tuple(dict.fromkeys(cited)))
