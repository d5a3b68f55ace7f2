"""Logistic regression by maximum likelihood or by Firth's penalized likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import log, log1p
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from counterpulse.data.terms import Term
from counterpulse.errors import InputError
from counterpulse.numerics.distributions import critical_value
from counterpulse.numerics.linear_algebra import inverse_symmetric
from counterpulse.numerics.profile import constrained_value, profile_end
from counterpulse.regression.binomial_likelihood import BinomialLikelihood
from counterpulse.regression.cluster_variance import ClusterVariance
from counterpulse.regression.fit import ScaledFit, full_parameters, no_parameters
from counterpulse.regression.logistic_fit import IntervalKind, LogisticFit
from counterpulse.regression.logistic_solution import Solution, solve, solve_penalized
from counterpulse.regression.model_rows import (
    Rows,
    check_level,
    read_rows,
    scaled_design,
    single_level_terms,
    spec_of_no_rows,
)
from counterpulse.regression.outcome import event_sign
from counterpulse.regression.sandwich import choose_variance, cluster_factor, clustered, sandwich
from counterpulse.results.profile_interval import ProfileInterval
from counterpulse.results.provenance import Choice, Provenance
from counterpulse.results.status import Status

Floats = NDArray[np.float64]
Penalty = Literal["firth"]

VARIANCES = ("inverse information", "sandwich, HC0, no factor", "sandwich by cluster, HC0, factor G / (G - 1)")


def logistic(
    table: pl.DataFrame,
    *,
    outcome: str,
    terms: Sequence[Term],
    weights: str | ArrayLike | None = None,
    cluster: str | ArrayLike | None = None,
    penalty: Penalty | None = None,
    robust: bool | None = None,
    cluster_variance: ClusterVariance | None = None,
    level: float = 0.95,
    interval: IntervalKind = "wald",
) -> LogisticFit:
    """Odds ratios of a binary outcome, adjusted for each other.

    Parameters
    ----------
    table : one row an observation; rows with a missing value in a column used are left out and counted
    outcome : a yes/no column, a 0/1 number, or text of two levels of which the second is the event
    terms : column names or `Numeric`, `Spline`, `Categorical`, `Interaction`
    weights : column or array of shape (n,); they multiply the log-likelihood. Whole numbers count patients; others are
        probability weights and bring the robust variance. Rows of weight zero are left out.
    cluster : column or array of labels, shape (n,); brings the robust variance, clustered
    penalty : "firth" maximizes the likelihood times the root of the determinant of the information, which is finite
        under separation and less biased in small samples
    robust : use the sandwich variance; default: when clustered or when a weight is not a whole number
    cluster_variance : "CR1", or "CR2" with Satterthwaite degrees of freedom by coefficient; by default CR2 below 40
        clusters and CR1 from there on; below 10 clusters there is no standard error (``Status.FEW_CLUSTERS``)
    interval : "wald", or "profile" for profile-likelihood intervals with likelihood-ratio tests

    Raises
    ------
    InputError : a column is absent or cannot be used, or the options exclude each other

    Notes
    -----
    A coefficient that is infinite (perfect prediction), constant or dependent carries a status and no value; the others
    are estimated as if it were not reported. CR1 has the factor G / (G - 1) (R: ``vcovCL``, HC0); the unclustered
    sandwich has none (R: ``sandwich``). CR2 is described at `cluster_variance.bias_reduced`.

    References
    ----------
    McCullagh and Nelder 1989; Firth 1993, doi:10.1093/biomet/80.1.27; Heinze and Schemper 2002, doi:10.1002/sim.1047;
    Albert and Anderson 1984, doi:10.1093/biomet/71.1.1; Zeileis 2020, doi:10.18637/jss.v095.i01.
    """
    rows = read_rows(table, outcome=outcome, terms=terms, weights=weights, cluster=cluster)
    variance = choose_variance(rows, robust, VARIANCES, cluster_variance)
    _check_options(penalty, interval, variance.robust, level)
    sign = event_sign(rows.column(table, outcome), table[outcome])
    blank = LogisticFit(
        parameters=no_parameters((), Status.NO_ROWS, level), outcome=outcome, events=int((sign > 0).sum()), rows=rows,
        penalty=penalty, interval=interval, robust=variance.robust,
        cluster_variance=variance.cluster,
        provenance=_provenance(penalty, interval, variance.choice, rows),
    )  # fmt: skip
    if rows.n == 0:
        return blank.unfitted(spec_of_no_rows(table, terms), Status.NO_ROWS)
    design = scaled_design(table, rows, terms)
    blank = replace(blank, single_level=single_level_terms(terms, design.scaling.spec), depends_on=design.depends_on)
    if design.status is not Status.OK:
        return blank.unfitted(design.scaling.spec, design.status)
    if blank.events in (0, rows.n):
        return blank.unfitted(design.scaling.spec, Status.ALL_EVENTS if blank.events else Status.NO_EVENTS)
    if len(design.scaling.active) >= rows.n:
        return blank.unfitted(design.scaling.spec, Status.TOO_FEW_ROWS)
    likelihood = BinomialLikelihood(design.X, sign, rows.weights)
    solution = solve_penalized(design, likelihood) if penalty else solve(design, likelihood)
    if not solution.maximum.converged:
        unfitted = blank.unfitted(design.scaling.spec, solution.status)
        parameters = replace(unfitted.parameters, statuses=solution.statuses)
        return replace(unfitted, parameters=parameters, iterations=solution.iterations)
    null = _null_log_likelihood(solution, sign, rows.weights)
    return _fitted(blank, solution, null)


def _check_options(penalty: str | None, interval: str, robust: bool, level: float) -> None:
    if penalty not in (None, "firth"):
        raise InputError(f"the penalty {penalty!r} is not known; it is None or 'firth'")
    if interval not in ("wald", "profile"):
        raise InputError(f"the interval {interval!r} is not known; it is 'wald' or 'profile'")
    check_level(level)
    if robust and penalty:
        raise InputError("Firth's penalty has no robust variance; leave out the clusters, the weights or the penalty")
    if robust and interval == "profile":
        raise InputError("a profile interval has no robust variance; use interval='wald'")


def _fitted(blank: LogisticFit, solution: Solution[BinomialLikelihood], null: float) -> LogisticFit:
    scaled = _scaled_fit(blank, solution)
    parameters, model_covariance = full_parameters(scaled, solution.statuses, blank.level, None)
    units = float(np.log(solution.scaling.scale).sum()) if blank.penalty else 0.0
    return replace(
        blank,
        parameters=parameters,
        model_covariance=model_covariance,
        spec=solution.scaling.spec,
        log_likelihood=solution.maximum.value + units,
        null_log_likelihood=null + units,
        iterations=solution.iterations,
        status=solution.status,
        scaled=scaled,
        profiles=_profiles(solution, blank.level) if blank.interval == "profile" else (),
    )


def _scaled_fit(blank: LogisticFit, solution: Solution[BinomialLikelihood]) -> ScaledFit:
    bread = inverse_symmetric(solution.maximum.information)
    rows, likelihood, at = blank.rows, solution.likelihood, solution.maximum.at
    if not blank.robust:
        return ScaledFit(solution.scaling, at, bread, bread, bread)
    cluster, keep = rows.cluster, solution.overlapping
    residuals = likelihood.residuals(at)
    if cluster is None or rows.clusters is None:
        covariance = sandwich(likelihood.X, bread, residuals, None, None)
        return ScaledFit(solution.scaling, at, bread, covariance, bread)
    by_cluster = clustered(
        blank.cluster_variance, likelihood.X, likelihood.variances(at), residuals, bread,
        cluster if keep is None else cluster[keep], rows.clusters, factor=cluster_factor(rows.clusters),
    )  # fmt: skip
    return ScaledFit(
        solution.scaling, at, bread, by_cluster.covariance, bread, by_cluster.small_sample, by_cluster.uncertainty
    )


def _null_log_likelihood(solution: Solution[BinomialLikelihood], sign: Floats, weights: Floats | None) -> float:
    """Find the log-likelihood of the intercept alone; penalized with the full design where there is a penalty."""
    if solution.objective is not solution.likelihood:
        k = len(solution.maximum.at)
        return (
            constrained_value(solution.objective, solution.maximum, np.eye(k)[1:]) if k > 1 else solution.maximum.value
        )
    unit = np.ones(len(sign)) if weights is None else weights
    total, events = float(unit.sum()), float(unit[sign > 0].sum())
    return events * log(events / total) + (total - events) * log1p(-events / total)


def _profiles(solution: Solution[BinomialLikelihood], level: float) -> tuple[ProfileInterval | None, ...]:
    """Profile every coefficient that has an estimate; p of them."""
    transform, reach = solution.scaling.to_original(), critical_value(level)
    found: list[ProfileInterval | None] = [None] * len(solution.statuses)
    for k, j in enumerate(solution.scaling.active):
        if solution.statuses[j] is Status.OK:
            along = transform[k]
            low, high = (profile_end(solution.objective, solution.maximum, along, side * reach) for side in (-1, 1))
            fallen = constrained_value(solution.objective, solution.maximum, along[None, :])
            found[j] = ProfileInterval(low, high, float(np.maximum(0.0, 2 * (solution.maximum.value - fallen))))
    return tuple(found)


def _provenance(penalty: Penalty | None, interval: IntervalKind, variance: Choice, rows: Rows) -> Provenance:
    weighted = "none" if rows.weights is None else "frequency" if rows.whole_weights else "probability"
    choices = (
        Choice("penalty", penalty or "none", "given" if penalty else "default", "firth-1993" if penalty else None),
        Choice("interval", interval, "given" if interval == "profile" else "default",
               "venzon-moolgavkar-1988" if interval == "profile" else None),
        Choice("test", "likelihood ratio" if interval == "profile" else "Wald", "derived"),
        Choice("weights", weighted, "derived"),
        variance,
    )  # fmt: skip
    cited = ("mccullagh-nelder-1989", *(choice.reference for choice in choices if choice.reference))
    return Provenance("logistic regression", choices, (*cited, "heinze-schemper-2002") if penalty else cited)
